"""Prices: ticks and candles."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.amounts import exact
from gatehook.kinds.conversion import exact_or_none
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import Ns


class TickKind(StrEnum):
    """A quote has bid and ask, a trade price and size."""

    QUOTE = "quote"
    TRADE = "trade"


class Timeframe(StrEnum):
    """How long a candle is. Daily and longer follow the venue's calendar."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"
    W1 = "1w"
    MN1 = "1mn"

    @property
    def length(self) -> int | None:
        """Nanoseconds from open to close; ``None`` where the venue's calendar decides."""
        return _LENGTHS.get(self)


_LENGTHS: Final = {
    Timeframe.M1: MINUTE,
    Timeframe.M5: 5 * MINUTE,
    Timeframe.M15: 15 * MINUTE,
    Timeframe.M30: 30 * MINUTE,
    Timeframe.H1: HOUR,
    Timeframe.H4: 4 * HOUR,
}


@attrs.frozen(kw_only=True)
class Tick:
    """One quote (bid, ask, their sizes) or one trade (price, size). ``out_of_order`` flags a ``ts_event`` before the
    last.
    """

    instrument_id: InstrumentId
    kind: TickKind
    bid: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    ask: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    bid_size: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    ask_size: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    price: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    size: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    trade_id: str | None = None
    ts_event: Ns
    ts_init: Ns = attrs.field(default=0, eq=False)
    sequence: int | None = None
    out_of_order: bool = False
    simulated: bool = False
    raw: Any = attrs.field(default=None, eq=False, repr=False)


class CandleSide(StrEnum):
    """Which price a candle is made of."""

    BID = "bid"
    MID = "mid"
    TRADE = "trade"


@attrs.frozen(kw_only=True)
class Candle:
    """Open, high, low and close of [ts_open, ts_close). ``closed`` is true only when no more can come."""

    instrument_id: InstrumentId
    timeframe: Timeframe
    ts_open: Ns
    ts_close: Ns
    open: Decimal = attrs.field(converter=exact)
    high: Decimal = attrs.field(converter=exact)
    low: Decimal = attrs.field(converter=exact)
    close: Decimal = attrs.field(converter=exact)
    volume: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    side: CandleSide = CandleSide.BID
    closed: bool
    ts_init: Ns = attrs.field(default=0, eq=False)
    simulated: bool = False
    raw: Any = attrs.field(default=None, eq=False, repr=False)
