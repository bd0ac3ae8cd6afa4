"""Exact sums and products of money and quantities, and the two places where something is rounded on purpose."""

from __future__ import annotations

from decimal import ROUND_CEILING
from decimal import ROUND_FLOOR
from decimal import Decimal
from typing import Final

from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import RATIO

#: Exact, or ``decimal.Inexact`` is raised.
add: Final = LEDGER.add
sub: Final = LEDGER.subtract
mul: Final = LEDGER.multiply

ZERO: Final = Decimal(0)

#: How fine a share of a cost is kept.
FINE: Final = Decimal("1E-12")
#: How fine the margin of one unit is kept.
FINER: Final = Decimal("1E-18")


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return ``amount * part / whole``, to twelve decimal places; the rest of ``amount`` is the caller's."""
    return amount if part == whole else RATIO.divide(mul(amount, part), whole).quantize(FINE, context=RATIO)


def to_step(value: Decimal, step: Decimal, *, up: bool) -> Decimal:
    """Round to a whole multiple of ``step``."""
    steps = (value / step).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return mul(steps, step)
