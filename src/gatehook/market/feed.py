"""One source's stream as events: what each item of it publishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from gatehook.context import Clock
from gatehook.events import EventBus
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import CandleSide
from gatehook.kinds.prices import Tick
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Reconnected
from gatehook.kinds.streams import Snapshot
from gatehook.kinds.streams import Stale
from gatehook.kinds.streams import StreamControl
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns
from gatehook.market.builder import CandleBuilder
from gatehook.market.closes import Closes
from gatehook.market.closes import CloseTopic
from gatehook.market.closes import OpenBars

TICK: Final = "market.price.tick"
_CONTROLS: Final = {
    Gap: "market.stream.gap",
    Stale: "market.stream.stale",
    Reconnected: "market.stream.reconnected",
    Snapshot: "market.stream.snapshot",
}


class Feed:
    """Publishes one source's ticks, closes and losses."""

    def __init__(
        self,
        bus: EventBus,
        clock: Clock,
        closes: Closes,
        source: str,
        built: Sequence[Subscription],
        ticks: set[Channel],
    ) -> None:
        """Publish under ``source``; the candles of ``built`` are made from its ticks, from trades if it has trades
        only.
        """
        self._bus = bus
        self._closes = closes
        self._source = source
        self._open = OpenBars()
        self._venue_time = _VenueTime(clock)
        self._builders: dict[InstrumentId, list[CandleBuilder]] = {}
        side = CandleSide.BID if Channel.QUOTES in ticks else CandleSide.TRADE
        for one in built:
            if one.timeframe is not None:
                builder = CandleBuilder(one.instrument_id, one.timeframe, side)
                self._builders.setdefault(one.instrument_id, []).append(builder)

    def take(self, item: Tick | Candle | StreamControl) -> None:
        """Publish what an item says."""
        if isinstance(item, Tick):
            self._venue_time.at_least(item.ts_event)
            self._tick(item)
        elif isinstance(item, Candle):
            self._venue_time.at_least(item.ts_close if item.closed else item.ts_open)
            self._candle(item)
        elif isinstance(item, Gap):
            self.lost(item)
        else:
            self._control(item)

    def _tick(self, tick: Tick) -> None:
        symbol = str(tick.instrument_id)
        event_id = None if tick.trade_id is None else f"{self._source}:{symbol}:trade:{tick.trade_id}"
        self._bus.publish(TICK, tick, source=self._source, event_id=event_id, symbol=symbol, ts=tick.ts_event)
        for builder in self._builders.get(tick.instrument_id, ()):
            self._close(builder.add(tick))

    def _candle(self, candle: Candle) -> None:
        ended = self._open.see(candle)
        if ended is not None:
            self._close(attrs.evolve(ended, closed=True))
        if candle.closed:
            self._close(candle)

    def _close(self, candle: Candle | None) -> None:
        topic = None if candle is None else self._closes.judge(candle)
        if candle is None or topic is None:
            return
        symbol = str(candle.instrument_id)
        first = topic is CloseTopic.CLOSED
        self._bus.publish(
            topic,
            candle,
            source=self._source,
            event_id=f"{self._source}:{symbol}:{candle.timeframe}:{candle.ts_open}" if first else None,
            symbol=symbol,
            timeframe=str(candle.timeframe),
            ts=candle.ts_close if first else None,
        )

    def lost(self, gap: Gap) -> None:
        """Publish a loss. Bars that were open are not closed from here: what they lack is not known."""
        self._open.clear()
        for builder in self._all_builders():
            builder.clear()
        self._control(gap)

    def _control(self, item: StreamControl) -> None:
        self._bus.publish(_CONTROLS[type(item)], item, source=self._source, partition_key=self._source)

    def close_bars(self, grace: int) -> None:
        """Publish the bars that ended ``grace`` nanoseconds ago or earlier, in the venue's time."""
        until = self._venue_time.now() - grace
        for bar in self._open.ended(until):
            self._close(attrs.evolve(bar, closed=True))
        for builder in self._all_builders():
            self._close(builder.ended(until))

    @property
    def next_end(self) -> float | None:
        """In how many seconds the next open bar ends; negative for one that did."""
        ends = [self._open.next_end, *(builder.next_end for builder in self._all_builders())]
        known = [end for end in ends if end is not None]
        return (min(known) - self._venue_time.now()) / SECOND if known else None

    def _all_builders(self) -> list[CandleBuilder]:
        return [builder for group in self._builders.values() for builder in group]


class _VenueTime:
    """The venue's time, as its prices tell it: the newest time seen and what has passed since.

    Prices that come late do not end a bar early, and the machine's clock has no say.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ticks = not hasattr(clock, "advance")  # in a replay nothing passes between two prices
        self._seen: Ns = 0
        self._at = clock.monotonic()

    def now(self) -> Ns:
        passed = self._clock.monotonic() - self._at if self._ticks else 0
        return self._seen + int(passed * SECOND)

    def at_least(self, ts: Ns) -> None:
        if ts > self.now():
            self._seen, self._at = ts, self._clock.monotonic()
