"""A stop that follows the market."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import attrs

from gatehook.kinds.orders import Side
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit

from .arithmetic import mul
from .arithmetic import to_step
from .path import Leg
from .path import reached

_BASIS_POINT: Final = Decimal("0.0001")


@attrs.frozen
class Trail:
    """Where a trailing stop is: the best price since it began, ``None`` until its activation price is reached.

    ``side`` is the side of the order it sends: a sell follows the highest bid, a buy the lowest ask.
    """

    side: Side
    spec: Trailing
    step: Decimal
    reference: Decimal | None = None

    @property
    def trigger(self) -> Decimal | None:
        """The price at which it fires: the reference less the offset, rounded away from the market to a whole step."""
        if self.reference is None:
            return None
        offset = self._offset(self.reference)
        if self.side is Side.SELL:
            return to_step(self.reference - offset, self.step, up=False)
        return to_step(self.reference + offset, self.step, up=True)

    def _offset(self, reference: Decimal) -> Decimal:
        match self.spec.unit:
            case TrailingUnit.PRICE:
                return self.spec.offset
            case TrailingUnit.POINTS:
                return mul(self.spec.offset, self.step)
            case TrailingUnit.BPS:
                return mul(reference, mul(self.spec.offset, _BASIS_POINT))

    def moved(self, price: Decimal) -> Trail:
        """Return the trail after its side traded at ``price``, itself where that is no better than before."""
        best = self.reference
        if best is None and not self._activates(price):
            return self
        if best is not None and (price <= best if self.side is Side.SELL else price >= best):
            return self
        return Trail(self.side, self.spec, self.step, price)

    def _activates(self, price: Decimal) -> bool:
        start = self.spec.activation_price
        if start is None:
            return True
        return price >= start if self.side is Side.SELL else price <= start

    def fires_in(self, legs: Iterable[Leg]) -> bool:
        """Say whether it would fire somewhere on a path, moving at the ends of the legs."""
        trail = self
        for leg in legs:
            trigger = trail.trigger
            start, end = leg.start(self.side), leg.end(self.side)
            if trigger is not None and reached(start, end, trigger, rising=self.side is Side.BUY) is not None:
                return True
            trail = trail.moved(start).moved(end)
        return False
