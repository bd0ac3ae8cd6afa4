"""How the price moves: a quote is a point, a candle a path of four points with straight legs between them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN
from decimal import Decimal

import attrs

from gatehook.kinds.orders import Side
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import CandleSide
from gatehook.kinds.times import Ns


@attrs.frozen
class Leg:
    """A straight move of the bid from ``ts0`` to ``ts1``, the ask ``spread`` above it. Without length it is a point."""

    ts0: Ns
    ts1: Ns
    bid0: Decimal
    bid1: Decimal
    spread: Decimal

    def start(self, side: Side) -> Decimal:
        """Return what ``side`` trades at in the beginning: a buy at the ask, a sell at the bid."""
        return self.bid0 + self.spread if side is Side.BUY else self.bid0

    def end(self, side: Side) -> Decimal:
        """Return what ``side`` trades at in the end."""
        return self.bid1 + self.spread if side is Side.BUY else self.bid1

    def after(self, side: Side, price: Decimal) -> Leg:
        """Return what is left of the leg when ``side`` trades at ``price``, which is on it."""
        bid = price - self.spread if side is Side.BUY else price
        if bid == self.bid0:
            return self
        gone = int((self.ts1 - self.ts0) * abs(bid - self.bid0) / abs(self.bid1 - self.bid0))
        return Leg(self.ts0 + gone, self.ts1, bid, self.bid1, self.spread)

    def cut(self, ts: Ns, step: Decimal) -> tuple[Leg, Leg]:
        """Cut in two at a time inside the leg; the price there is the whole ``step`` nearest to the line."""
        part = (self.bid1 - self.bid0) * (ts - self.ts0) / (self.ts1 - self.ts0)
        near = ((self.bid0 + part) / step).to_integral_value(ROUND_HALF_EVEN) * step
        bid = min(max(near, min(self.bid0, self.bid1)), max(self.bid0, self.bid1))
        return Leg(self.ts0, ts, self.bid0, bid, self.spread), Leg(ts, self.ts1, bid, self.bid1, self.spread)


def point(ts: Ns, bid: Decimal, ask: Decimal) -> Leg:
    """Return a price without a way to it: a quote, or the open of a candle."""
    return Leg(ts, ts, bid, bid, ask - bid)


def candle_path(candle: Candle, spread: Decimal) -> tuple[Leg, ...]:
    """Return a candle's path: its open, then the extreme nearer to the open (the low where both are as near), the other
    extreme, and the close, each a third of the candle later. The close is the last moment before ``ts_close``.
    """
    down = candle.open - candle.low <= candle.high - candle.open
    first, second = (candle.low, candle.high) if down else (candle.high, candle.low)
    bids = [_bid(candle, price, spread) for price in (candle.open, first, second, candle.close)]
    third = (candle.ts_close - candle.ts_open) // 3
    times = [candle.ts_open, candle.ts_open + third, candle.ts_open + 2 * third, candle.ts_close - 1]
    legs = [Leg(times[i], times[i + 1], bids[i], bids[i + 1], spread) for i in range(3)]
    return (Leg(times[0], times[0], bids[0], bids[0], spread), *legs)


def _bid(candle: Candle, price: Decimal, spread: Decimal) -> Decimal:
    # A trade happens on either side, so a candle of trades lies like one of mids between bid and ask.
    return price if candle.side is CandleSide.BID else price - spread / 2


def cut_path(legs: Sequence[Leg], times: Iterable[Ns], step: Decimal) -> tuple[Leg, ...]:
    """Cut a path at each of the times that lies inside a leg."""
    path = list(legs)
    for ts in sorted(set(times)):
        for index, leg in enumerate(path):
            if leg.ts0 < ts < leg.ts1:
                path[index : index + 1] = leg.cut(ts, step)
                break
    return tuple(path)


def reached(start: Decimal, end: Decimal, level: Decimal, *, rising: bool, strict: bool = False) -> Decimal | None:
    """Return the first price of a move from ``start`` to ``end`` that is at ``level`` or beyond, ``None`` if none is.

    ``rising`` says that beyond is above. ``strict`` wants the move to go beyond: touching is not enough.
    """
    if not rising:
        turned = reached(-start, -end, -level, rising=True, strict=strict)
        return None if turned is None else -turned
    if start > level or (start == level and not strict):
        return start
    if end > level or (end == level and not strict):
        return level
    return None
