"""Open positions: how a fill opens, adds to, reduces, closes and flips them."""

from __future__ import annotations

from decimal import Decimal

import attrs

from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns

from .arithmetic import ZERO
from .arithmetic import add
from .arithmetic import mul
from .arithmetic import share
from .arithmetic import sub
from .path import Leg
from .path import reached
from .trailing import Trail


@attrs.define(kw_only=True)
class Holding:
    """An open position.

    Attributes:
        cost: the sum of quantity x price of what is open.
        realized: posted profit of what was closed, in the account's currency; ``swap`` likewise.
        stop_loss, take_profit, trail: its protection, which sees prices from ``protected_since`` on.
        closing: the venue's own order that closes it, once protection or a stop-out has fired.
    """

    position_id: str
    account_id: str
    instrument_id: InstrumentId
    side: Side
    quantity: Decimal
    cost: Decimal
    realized: Decimal = ZERO
    swap: Decimal = ZERO
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    trail: Trail | None = None
    protected_since: Ns = 0
    closing: str | None = None
    ts_opened: Ns
    ts_last: Ns

    @property
    def protected(self) -> bool:
        """Whether it has any protection."""
        return self.stop_loss is not None or self.take_profit is not None or self.trail is not None

    @property
    def stop(self) -> Decimal | None:
        """The nearer to the market of its stop-loss and its trailing stop."""
        trailing = None if self.trail is None else self.trail.trigger
        levels = [level for level in (self.stop_loss, trailing) if level is not None]
        if not levels:
            return None
        return max(levels) if self.side is Side.BUY else min(levels)

    def stops_in(self, legs: tuple[Leg, ...]) -> bool:
        """Say whether its stop would fire somewhere on a path."""
        side = self.side.opposite
        level = self.stop_loss
        if level is not None and any(
            reached(leg.start(side), leg.end(side), level, rising=side is Side.BUY) is not None for leg in legs
        ):
            return True
        return self.trail is not None and self.trail.fires_in(legs)

    def profit(self, price: Decimal) -> Decimal:
        """Return what closing all of it at ``price`` would bring, a unit being one of the base."""
        return self._gain(self.quantity, self.cost, price)

    def _gain(self, quantity: Decimal, cost: Decimal, price: Decimal) -> Decimal:
        worth = mul(quantity, price)
        return sub(worth, cost) if self.side is Side.BUY else sub(cost, worth)

    def increase(self, quantity: Decimal, price: Decimal, ts: Ns) -> None:
        """Add to it."""
        self.quantity = add(self.quantity, quantity)
        self.cost = add(self.cost, mul(quantity, price))
        self.ts_last = ts

    def reduce(self, quantity: Decimal, price: Decimal, ts: Ns) -> Decimal:
        """Close ``quantity`` of it, at most all; return the profit, a unit being one of the base."""
        assert quantity <= self.quantity, "a position is reduced by at most what is open"
        cost = share(self.cost, quantity, self.quantity)
        gain = self._gain(quantity, cost, price)
        self.quantity = sub(self.quantity, quantity)
        self.cost = sub(self.cost, cost)
        self.ts_last = ts
        return gain
