"""The simulated market: quotes and one-minute candles, each marked ``simulated``."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import anyio
import anyio.lowlevel

from gatehook import Candle
from gatehook import Gap
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import MarketData
from gatehook import NotFound
from gatehook import Page
from gatehook import Sink
from gatehook import Subscription
from gatehook import Tick
from gatehook import TickKind
from gatehook import Timeframe
from gatehook import UnsupportedCapability
from gatehook.context import Clock
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.market_data import Channel
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND

from .listing import LISTINGS
from .walk import Walk

_PAGE: Final = 500
#: A stream that wakes up later than this says ``Gap`` instead of catching up.
_CATCH_UP: Final = MINUTE


class SimulatedMarket(MarketData):
    """Prices that follow from the seed and the time alone: a restart goes on where the market would be, history
    included.
    """

    def __init__(self, *, venue: str, clock: Clock, seed: int = 1, interval: float = 1) -> None:
        """Make the market of ``venue``, with a quote about every ``interval`` seconds."""
        per_minute = quotes_a_minute(interval)
        self._clock = clock
        self._step = MINUTE // per_minute
        self._instruments = {one.instrument(venue).id: one.instrument(venue) for one in LISTINGS}
        self._walks = {InstrumentId(one.symbol, venue): Walk(one, seed, per_minute) for one in LISTINGS}
        self._streams = 0
        self._last_put = 0.0

    def health(self) -> Health:
        """Say whether the open streams get their prices in time."""
        late = self._clock.monotonic() - self._last_put
        if self._streams and late > 5 + 5 * self._step / SECOND:
            return Health(status=HealthStatus.DEGRADED, reasons=(f"no price for {late:.0f} s",))
        return Health()

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return the instruments; ``query`` is a part of the symbol, in any case."""
        wanted = (query or "").upper()
        return [one for one in self._instruments.values() if wanted in one.native_symbol]

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        """Return the quote of now."""
        return self._tick(instrument_id, self._clock.now() // self._step)

    def _walk(self, instrument_id: InstrumentId) -> Walk:
        walk = self._walks.get(instrument_id)
        if walk is None:
            raise NotFound(f"the simulated market has no {instrument_id}; it has {', '.join(map(str, self._walks))}")
        return walk

    def _tick(self, instrument_id: InstrumentId, k: int) -> Tick:
        walk = self._walk(instrument_id)
        bid, size = walk.tick(k)
        listing = walk.listing
        return Tick(
            instrument_id=instrument_id,
            kind=TickKind.QUOTE,
            bid=bid * listing.increment,
            ask=(bid + listing.spread) * listing.increment,
            bid_size=size * listing.size,
            ask_size=(21 - size) * listing.size,
            ts_event=k * walk.step,
            ts_init=self._clock.now(),
            sequence=k,
            simulated=True,
        )

    def _candle(self, instrument_id: InstrumentId, minute: int, now: int) -> Candle:
        walk = self._walk(instrument_id)
        increment = walk.listing.increment
        seen = min(walk.per_minute, (now - minute * MINUTE) // walk.step + 1)
        bids = [bid for bid, _ in walk.minute(minute)[:seen]]
        return Candle(
            instrument_id=instrument_id,
            timeframe=Timeframe.M1,
            ts_open=minute * MINUTE,
            ts_close=(minute + 1) * MINUTE,
            open=bids[0] * increment,
            high=max(bids) * increment,
            low=min(bids) * increment,
            close=bids[-1] * increment,
            volume=Decimal(seen),
            closed=now >= (minute + 1) * MINUTE,
            ts_init=now,
            simulated=True,
        )

    async def history(
        self,
        instrument_id: InstrumentId,
        timeframe: Timeframe,
        *,
        start: int,
        end: int,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Candle]:
        """Return one-minute candles up to now, at most 500 a page; the one still open is marked so."""
        if timeframe is not Timeframe.M1:
            raise UnsupportedCapability(f"the simulated market has candles of 1m, not {timeframe}")
        self._walk(instrument_id)
        now = self._clock.now()
        first = -(-start // MINUTE) if cursor is None else _place(cursor)
        over = min(-(-end // MINUTE), now // MINUTE + 1)
        stop = min(over, first + min(_PAGE if limit is None else limit, _PAGE))
        candles = []
        for minute in range(first, stop):
            candles.append(self._candle(instrument_id, minute, now))
            if minute % 32 == 0:
                await anyio.lowlevel.checkpoint()
        return Page(items=tuple(candles), cursor=str(stop) if stop < over else None)

    async def run_stream(
        self, subscriptions: Sequence[Subscription], sink: Sink[Tick | Candle], after: str | None
    ) -> None:
        """Put quotes as time passes, and each minute's candle when it is over."""
        for one in subscriptions:
            self._check(one)
        k = self._clock.now() // self._step - 1 if after is None else _place(after)
        self._streams += 1
        self._last_put = self._clock.monotonic()
        try:
            while True:
                now = self._clock.now() // self._step
                if (now - k) * self._step > _CATCH_UP:
                    lost = Gap(start=k * self._step, end=now * self._step, reason="the stream was not running")
                    sink.put(lost, str(now))
                    k = now
                while k < now:
                    k += 1
                    self._put(subscriptions, sink, k)
                await self._sleep_until(k + 1)
        finally:
            self._streams -= 1

    def _check(self, subscription: Subscription) -> None:
        self._walk(subscription.instrument_id)
        if subscription.channel is Channel.TRADES or subscription.timeframe not in (None, Timeframe.M1):
            raise UnsupportedCapability("the simulated market streams quotes and candles of 1m")

    def _put(self, subscriptions: Sequence[Subscription], sink: Sink[Tick | Candle], k: int) -> None:
        now = self._clock.now()
        minute, place = divmod(k * self._step, MINUTE)
        ended = [one.instrument_id for one in subscriptions if one.timeframe is not None and place == 0]
        quotes = [self._tick(one.instrument_id, k) for one in subscriptions if one.channel is Channel.QUOTES]
        items: list[Tick | Candle] = [*(self._candle(one, minute - 1, now) for one in ended), *quotes]
        for item in items[:-1]:
            sink.put(item)
        if items:
            sink.put(items[-1], str(k))
        self._last_put = self._clock.monotonic()

    async def _sleep_until(self, k: int) -> None:
        left = (k * self._step - self._clock.now()) / SECOND
        await anyio.sleep(min(max(left, 0.001), self._step / SECOND))


def quotes_a_minute(interval: float) -> int:
    """Return how many quotes about ``interval`` seconds apart divide a minute into whole milliseconds."""
    count = max(1, round(60 / interval))
    while 60_000 % count:
        count -= 1
    return count


def _place(cursor: str) -> int:
    if not cursor.isdecimal():
        raise CursorExpired(f"not a cursor of the simulated market: {cursor!r}")
    return int(cursor)
