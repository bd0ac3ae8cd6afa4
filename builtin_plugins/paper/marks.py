"""What each instrument is worth now, and what of its size is left."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal

import attrs

from gatehook.kinds.amounts import RATIO
from gatehook.kinds.errors import Denied
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns

from .arithmetic import sub


@attrs.define
class Mark:
    """The last price of an instrument.

    Attributes:
        ts: when it was the price; a candle's close counts as ``ts_close``.
        period: how long a candle is, in nanoseconds; 0 for a quote, which stands until the next one.
        buys, sells: the size left for our buys and our sells, ``None`` without limit.
        pooled: whether both sides take from one size (a candle's volume).
    """

    ts: Ns
    bid: Decimal
    ask: Decimal
    period: int = 0
    buys: Decimal | None = None
    sells: Decimal | None = None
    pooled: bool = False

    def price(self, side: Side) -> Decimal:
        """Return what ``side`` trades at."""
        return self.ask if side is Side.BUY else self.bid

    def left(self, side: Side) -> Decimal | None:
        """Return the size that is left for a side, ``None`` without limit."""
        return self.buys if side is Side.BUY else self.sells

    def take(self, side: Side, quantity: Decimal) -> None:
        """Consume size."""
        if self.buys is not None and (side is Side.BUY or self.pooled):
            self.buys = sub(self.buys, quantity)
        if self.sells is not None and (side is Side.SELL or self.pooled):
            self.sells = sub(self.sells, quantity)

    def fresh(self, now: Ns, max_age: int) -> bool:
        """Say whether it may be traded on: a candle's close holds for one candle more."""
        return now - self.ts <= max_age + self.period


def rate(instruments: Iterable[Instrument], marks: Mapping[InstrumentId, Mark], source: str, target: str) -> Decimal:
    """Return how much of the currency ``target`` one unit of ``source`` is, at the middle of a pair of both.

    Raises:
        Denied: naming the currencies, where no pair of both has a price.
    """
    if source == target:
        return Decimal(1)
    for instrument in instruments:
        mark = marks.get(instrument.id)
        if mark is None:
            continue
        middle = (mark.bid + mark.ask) / 2
        if (instrument.base, instrument.quote) == (source, target):
            return middle
        if (instrument.base, instrument.quote) == (target, source):
            return RATIO.divide(Decimal(1), middle)
    raise Denied(f"{source} cannot be valued in {target}: no instrument of this venue's prices has both")
