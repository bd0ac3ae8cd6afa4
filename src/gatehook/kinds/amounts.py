"""Exact numbers: how prices, quantities and money are built, written and added up.

A ``Decimal`` is made from ``str`` or ``int`` only. A ``float`` has already lost what the venue said, and a
``bool`` is a mistake, so both are a ``TypeError``.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN
from decimal import Context
from decimal import Decimal
from decimal import DivisionByZero
from decimal import Inexact
from decimal import InvalidOperation
from decimal import Overflow
from typing import Final

import attrs

from gatehook.kinds.errors import Denied

#: Ledger arithmetic: sums and products of money are exact, or they raise ``decimal.Inexact``.
LEDGER: Final = Context(prec=60, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])

#: For ratios that have no finite decimal form (an average shown to a person). Never for what is stored.
RATIO: Final = Context(prec=34, rounding=ROUND_HALF_EVEN)


def exact(value: Decimal | str | int) -> Decimal:
    """Return ``value`` as a finite Decimal.

    Raises:
        TypeError: for a float, a bool, or anything that is not Decimal, str or int.
        ValueError: for text that is no number, and for NaN and the infinities.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, str, int)):
        raise TypeError(f"a price, quantity or amount is built from str, int or Decimal, not {type(value).__name__}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a decimal number: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value}")
    return number


def plain(value: Decimal) -> str:
    """Write a Decimal without an exponent and without losing a digit: ``1E-8`` becomes ``0.00000001``."""
    return format(value, "f")


def as_json_number(value: Decimal | str | int) -> int | float:
    """Return what ``json.dumps`` writes for a venue that takes JSON numbers, when the venue reads back the same value.

    Raises:
        Denied: when it does not: the venue keeps numbers as doubles, and none is exactly this one.
        TypeError, ValueError: see ``exact``.
    """
    number = exact(value)
    try:
        double = float(number)
    except OverflowError:
        double = math.inf
    if not math.isfinite(double) or Decimal(repr(double)) != number:
        raise Denied(f"{number} cannot be written as a JSON number without changing it; nothing was sent")
    return int(number) if number == number.to_integral_value() else double


def on_step(value: Decimal, step: Decimal) -> bool:
    """Say whether ``value`` is a whole multiple of ``step`` (> 0)."""
    return LEDGER.remainder(value, step) == 0


@attrs.frozen
class Money:
    """An amount of one currency."""

    amount: Decimal = attrs.field(converter=exact)
    currency: str

    def __str__(self) -> str:
        return f"{plain(self.amount)} {self.currency}"
