"""The pump between a price source and the bus."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import Final
from typing import Protocol

import anyio

from gatehook.context import Clock
from gatehook.events import EventBus
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import StreamControl
from gatehook.kinds.times import SECOND
from gatehook.market.closes import Closes
from gatehook.market.feed import Feed

_BUFFER: Final = 16_384
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 60.0

logger = logging.getLogger(__name__)


class StreamSource(Protocol):
    """What the pump needs of a market data handle."""

    def stream(
        self, subscriptions: Sequence[Subscription], *, overflow: Overflow, buffer: int, after: str | None
    ) -> AbstractAsyncContextManager[Items[Tick | Candle]]:
        """Open a stream."""


class MarketPump:
    """Publishes ``market.price.tick``, ``market.candle.closed`` and ``market.candle.revised``, and a source's losses as
    ``market.stream.gap``, ``.stale``, ``.reconnected`` and ``.snapshot``.

    It remembers which closes it has published: one pump serves all sources, for as long as the gateway runs.
    """

    def __init__(self, bus: EventBus, clock: Clock, *, grace_ns: int = 2 * SECOND, settle_timeout: float = 5.0) -> None:
        """Publish on ``bus``. A bar that its source does not close is closed ``grace_ns`` after its end.

        In a replay (a clock with ``advance``) the pump asks for the next item when every subscription of the bus has
        dealt with the one before, or after ``settle_timeout`` seconds.
        """
        self._bus = bus
        self._clock = clock
        self._grace = grace_ns
        self._settle_timeout = settle_timeout
        self._replay = hasattr(clock, "advance")
        self._closes = Closes()

    async def run(
        self,
        source_name: str,
        handle: StreamSource,
        subscriptions: Sequence[Subscription],
        *,
        build: Sequence[Subscription] = (),
    ) -> None:
        """Publish until the source's data ends. A stream that fails is opened again, from where it was.

        ``build`` names candles that the source has not: they are made from its quotes, or from its trades where
        ``subscriptions`` have trades only.

        Raises:
            UnsupportedCapability: for candles to build whose length the venue's calendar decides.
        """
        wanted = list(subscriptions)
        ticks = {one.channel for one in wanted} - {Channel.CANDLES}
        if build and not ticks:
            ticks = {Channel.QUOTES}
            wanted += [Subscription(instrument_id=one.instrument_id, channel=Channel.QUOTES) for one in build]
        feed = Feed(self._bus, self._clock, self._closes, source_name, build, ticks)
        await self._keep_running(source_name, handle, list(dict.fromkeys(wanted)), feed)

    async def _keep_running(
        self, source_name: str, handle: StreamSource, wanted: Sequence[Subscription], feed: Feed
    ) -> None:
        place = _Place()
        while True:
            try:
                async with handle.stream(
                    wanted, overflow=Overflow.DROP_OLDEST, buffer=_BUFFER, after=place.cursor
                ) as items:
                    await self._consume(items, feed, place)
            except CursorExpired:
                place.cursor = None
                feed.lost(Gap(reason="the stream could not be resumed where it stopped"))
            except Exception as error:  # noqa: BLE001  a source's fault ends neither the pump nor the gateway
                logger.warning("the stream of %s failed and is opened again: %r", source_name, error)
                feed.lost(Gap(reason=f"the stream failed: {type(error).__name__}"))
            else:
                return
            await anyio.sleep(place.pause())

    async def _consume(self, items: Items[Tick | Candle], feed: Feed, place: _Place) -> None:
        while (item := await self._next(items, feed)) is not _END:
            if item is not None:
                feed.take(item)
                place.reached(items.cursor)
            if feed.next_end is not None:
                feed.close_bars(self._grace)
            if self._replay and not await self._bus.settled(self._settle_timeout):
                logger.warning("subscribers still work on the last price after %g s", self._settle_timeout)

    async def _next(self, items: Items[Tick | Candle], feed: Feed) -> Tick | Candle | StreamControl | _End | None:
        """Return the next item, ``_END`` after the last one, ``None`` when an open bar ends before an item comes."""
        seconds = feed.next_end
        if seconds is None or self._replay:
            return await anext(items, _END)
        with anyio.move_on_after(max(seconds + self._grace / SECOND, 0.001)):
            return await anext(items, _END)
        return None


class _End(Enum):
    END = "end"


_END: Final = _End.END


class _Place:
    """Where a stream is, and how often it failed since its last item."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self._failures = 0

    def reached(self, cursor: str | None) -> None:
        self.cursor = cursor
        self._failures = 0

    def pause(self) -> float:
        """Seconds until the next attempt: at random below a bound that doubles with every failure."""
        longest = min(_FIRST_PAUSE * 2 ** min(self._failures, 10), _LONGEST_PAUSE)
        self._failures += 1
        return random.uniform(0, longest)  # noqa: S311  jitter, not a secret
