"""Where the prices come from: quotes where the source streams them, else the closed candles of its finest timeframe."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final
from typing import Protocol

import anyio

from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow

_BACKOFF: Final = (0.5, 1, 2, 5, 10, 30)
_LONGEST: Final = 1 << 62


class PriceSource(Protocol):
    """What the paper broker needs of the entry that its prices come from."""

    @property
    def capabilities(self) -> MarketDataCapabilities:
        """What it declares."""

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return the instruments there are prices for."""

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        """Return the newest quote."""

    def stream(
        self, subscriptions: Sequence[Subscription], *, overflow: Overflow
    ) -> AbstractAsyncContextManager[Items[Tick | Candle]]:
        """Open a stream."""


class Prices:
    """Follows a source, again and again until its stream ends by itself."""

    def __init__(
        self,
        source: PriceSource,
        wanted: frozenset[str],
        take: Callable[[Tick | Candle], Awaitable[None]],
        know: Callable[[Sequence[Instrument]], Awaitable[None]],
        logger: logging.Logger,
    ) -> None:
        """``wanted`` are the instruments to trade, all if empty; ``know`` gets them, ``take`` gets each price."""
        self.source = source
        self.problem: str | None = "there are no prices yet"
        self._wanted = wanted
        self._take = take
        self._know = know
        self._logger = logger

    @property
    def quotes(self) -> bool:
        """Whether the source streams quotes."""
        return bool(self.source.capabilities.ticks)

    async def instruments(self) -> list[Instrument]:
        """Ask the source for the instruments to trade."""
        found = [one for one in await self.source.list_instruments() if not self._wanted or str(one.id) in self._wanted]
        await self._know(found)
        self.problem = None
        return found

    async def follow(self, ended: Callable[[], None]) -> None:
        """Hand over prices until cancelled; ``ended`` is called when there will be no more."""
        failures = 0
        while True:
            try:
                await self._follow_once()
            except ProviderError as error:
                self.problem = f"no prices: {error}"
                self._logger.warning("the prices stopped: %s", error)
                await anyio.sleep(_BACKOFF[min(failures, len(_BACKOFF) - 1)])
                failures += 1
            else:
                ended()
                return

    async def _follow_once(self) -> None:
        subscriptions = self._subscriptions(await self.instruments())
        async with self.source.stream(subscriptions, overflow=Overflow.CONFLATE) as items:
            async for item in items:
                if isinstance(item, (Tick, Candle)):
                    await self._take(item)

    def _subscriptions(self, instruments: Sequence[Instrument]) -> list[Subscription]:
        if self.quotes:
            return [Subscription(instrument_id=one.id, channel=Channel.QUOTES) for one in instruments]
        finest = min(self.source.capabilities.timeframes, key=_length, default=None)
        if finest is None:
            raise ProviderError("the price source declares neither quotes nor candles")
        return [Subscription(instrument_id=one.id, channel=Channel.CANDLES, timeframe=finest) for one in instruments]


def _length(timeframe: Timeframe) -> int:
    return timeframe.length or _LONGEST + list(Timeframe).index(timeframe)
