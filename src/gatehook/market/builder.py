"""Candles made from ticks, for sources that have no candles."""

from __future__ import annotations

from decimal import Decimal

import attrs

from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import CandleSide
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.times import Ns


@attrs.define
class _Bar:
    ts_open: Ns
    whole: bool
    simulated: bool
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class CandleBuilder:
    """Builds one instrument's candles of one timeframe, aligned to 00:00 UTC.

    A bar is made of bids (``CandleSide.BID``) or of trades with their volume (``TRADE``). Bars without ticks are not
    invented, and a bar that was not seen from its beginning, or that lost ticks, is not published.
    """

    def __init__(self, instrument_id: InstrumentId, timeframe: Timeframe, side: CandleSide = CandleSide.BID) -> None:
        """Start with no bar.

        Raises:
            UnsupportedCapability: for a timeframe that the venue's calendar decides, and for mid prices.
        """
        if timeframe.length is None:
            raise UnsupportedCapability(f"{timeframe} candles follow the venue's calendar; only the venue makes them")
        if side is CandleSide.MID:
            raise UnsupportedCapability("candles are built from bids or trades, not from mid prices")
        self._instrument_id = instrument_id
        self._timeframe = timeframe
        self._length = timeframe.length
        self._side = side
        self._kind = TickKind.TRADE if side is CandleSide.TRADE else TickKind.QUOTE
        self._bar: _Bar | None = None
        self._earliest: Ns | None = None
        self._continuous = False
        self.late = 0

    def add(self, tick: Tick) -> Candle | None:
        """Take a tick; return the bar that ends because of it. A tick of a bar that has ended only counts as
        ``late``.
        """
        price = tick.price if self._side is CandleSide.TRADE else tick.bid
        if tick.instrument_id != self._instrument_id or tick.kind is not self._kind or price is None:
            return None
        start = tick.ts_event - tick.ts_event % self._length
        if self._earliest is not None and start < self._earliest:
            self.late += 1
            return None
        done = None
        if self._bar is None or start > self._bar.ts_open:
            done = self._finish()
            self._begin(start, price, tick)
        else:
            self._extend(self._bar, price, tick)
        return done

    def _begin(self, start: Ns, price: Decimal, tick: Tick) -> None:
        whole = self._continuous or start == tick.ts_event
        size = tick.size or Decimal(0)
        self._bar = _Bar(start, whole, tick.simulated, price, price, price, price, size)
        self._earliest, self._continuous = start, True

    def _extend(self, bar: _Bar, price: Decimal, tick: Tick) -> None:
        bar.high = max(bar.high, price)
        bar.low = min(bar.low, price)
        bar.close = price
        bar.volume += tick.size or 0
        bar.simulated = bar.simulated or tick.simulated

    def _finish(self) -> Candle | None:
        bar, self._bar = self._bar, None
        if bar is None:
            return None
        self._earliest = bar.ts_open + self._length
        if not bar.whole:
            return None
        return Candle(
            instrument_id=self._instrument_id,
            timeframe=self._timeframe,
            ts_open=bar.ts_open,
            ts_close=bar.ts_open + self._length,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume if self._side is CandleSide.TRADE else None,
            side=self._side,
            closed=True,
            simulated=bar.simulated,
        )

    def ended(self, until: Ns) -> Candle | None:
        """Return the bar if its ``ts_close`` is not after ``until``."""
        if self._bar is None or self._bar.ts_open + self._length > until:
            return None
        return self._finish()

    @property
    def next_end(self) -> Ns | None:
        """When the open bar closes."""
        return None if self._bar is None else self._bar.ts_open + self._length

    def clear(self) -> None:
        """Forget the open bar: ticks were lost."""
        self._bar, self._continuous = None, False
