"""An account's money: rounded only when it is posted, and what rounding took is kept, so that nothing is ever lost."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN
from decimal import Decimal
from typing import Final

import attrs

from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Side

from .arithmetic import ZERO
from .arithmetic import add
from .arithmetic import sub
from .settings import AccountSettings

_NO_CENTS: Final = frozenset(["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"])
_CENTS: Final = frozenset(
    {"AED", "ARS", "AUD", "BRL", "CAD", "CHF", "CNH", "CNY", "COP", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR"}
    | {"ILS", "INR", "MXN", "MYR", "NOK", "NZD", "PEN", "PHP", "PLN", "RON", "RUB", "SAR", "SEK", "SGD", "THB", "TRY"}
    | {"TWD", "UAH", "USD", "ZAR"}
)


def unit(currency: str) -> Decimal:
    """Return the smallest amount of a currency that is posted; 1E-8 of what is no national currency."""
    if currency in _NO_CENTS:
        return Decimal(1)
    return Decimal("0.01") if currency in _CENTS else Decimal("1E-8")


@attrs.define
class Account:
    """One account's books.

    Attributes:
        balances: what was posted, by currency.
        residuals: what rounding kept back, by currency: balance + residual is the exact sum of all that was booked.
        reserved: what working orders put aside, by instrument and side, in the account's currency.
    """

    key: AccountKey
    settings: AccountSettings
    balances: dict[str, Decimal] = attrs.field(factory=dict)
    residuals: dict[str, Decimal] = attrs.field(factory=dict)
    reserved: dict[tuple[InstrumentId, Side], Decimal] = attrs.field(factory=dict)

    @property
    def balance(self) -> Decimal:
        """What there is in the account's own currency."""
        return self.balances.get(self.settings.currency, ZERO)

    def post(self, currency: str, amount: Decimal) -> Decimal:
        """Book an exact amount; return the rounded one that was posted."""
        posted = amount.quantize(unit(currency), rounding=ROUND_HALF_EVEN)
        self.balances[currency] = add(self.balances.get(currency, ZERO), posted)
        self.residuals[currency] = add(self.residuals.get(currency, ZERO), sub(amount, posted))
        return posted

    def reserve(self, instrument_id: InstrumentId, side: Side, change: Decimal) -> None:
        """Put money aside, or release it with ``change`` below zero."""
        key = (instrument_id, side)
        total = add(self.reserved.get(key, ZERO), change)
        if total:
            self.reserved[key] = total
        else:
            self.reserved.pop(key, None)


def opened(key: AccountKey, settings: AccountSettings) -> Account:
    """Open a new account with its first deposit."""
    return Account(key, settings, {settings.currency: settings.balance}, {})
