"""What the stand-in is set up with: accounts and symbols."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from gatehook.kinds.amounts import exact


@attrs.frozen(kw_only=True)
class SymbolSettings:
    """A symbol as its specification tells it, and the price it starts with.

    Attributes:
        digits: decimal places of a price; a point is one unit of the last.
        contract_size: units of ``base`` in a lot.
        spread: points between bid and ask.
        stops_level: points that stops and resting prices keep from the market.
        commission: what a lot costs to open, and again to close, in the account's currency.
        swap_long, swap_short: what a lot gets (or pays, below zero) overnight, in the account's currency.
        trade_mode: ``SYMBOL_TRADE_MODE_…``.
    """

    name: str
    base: str
    profit_currency: str = "USD"
    description: str = ""
    digits: int = 5
    contract_size: Decimal = attrs.field(default=Decimal(100_000), converter=exact)
    min_volume: Decimal = attrs.field(default=Decimal("0.01"), converter=exact)
    max_volume: Decimal = attrs.field(default=Decimal(500), converter=exact)
    volume_step: Decimal = attrs.field(default=Decimal("0.01"), converter=exact)
    bid: Decimal = attrs.field(default=Decimal("1.10000"), converter=exact)
    spread: int = 20
    stops_level: int = 10
    commission: Decimal = attrs.field(default=Decimal(3), converter=exact)
    swap_long: Decimal = attrs.field(default=Decimal(-6), converter=exact)
    swap_short: Decimal = attrs.field(default=Decimal(2), converter=exact)
    trade_mode: str = "SYMBOL_TRADE_MODE_FULL"

    @property
    def point(self) -> Decimal:
        """The least step of a price."""
        return Decimal(1).scaleb(-self.digits)

    @property
    def pip(self) -> Decimal:
        """Ten points where the last digit is a fraction of a pip, else one."""
        return self.point * (10 if self.digits in (3, 5) else 1)


@attrs.frozen(kw_only=True)
class AccountSettings:
    """A trading account: a hedging one unless ``netting``."""

    id: str
    name: str = ""
    login: str = "5000001"
    server: str = "StandIn-Demo"
    currency: str = "USD"
    balance: Decimal = attrs.field(default=Decimal(100_000), converter=exact)
    leverage: int = 100
    netting: bool = False

    @property
    def margin_mode(self) -> str:
        """``ACCOUNT_MARGIN_MODE_…``."""
        return f"ACCOUNT_MARGIN_MODE_RETAIL_{'NETTING' if self.netting else 'HEDGING'}"


ACCOUNTS: Final = (
    AccountSettings(id="hedging", name="A hedging account", login="5000001"),
    AccountSettings(id="netting", name="A netting account", login="5000002", netting=True),
)

SYMBOLS: Final = (
    SymbolSettings(name="EURUSD", base="EUR", description="Euro vs US Dollar"),
    SymbolSettings(name="GBPUSD", base="GBP", description="Pound Sterling vs US Dollar", bid=Decimal("1.27000")),
    SymbolSettings(
        name="USDJPY",
        base="USD",
        profit_currency="JPY",
        description="US Dollar vs Yen",
        digits=3,
        bid=Decimal("150.000"),
    ),
    SymbolSettings(
        name="XAUUSD",
        base="XAU",
        description="Gold vs US Dollar",
        digits=2,
        contract_size=Decimal(100),
        max_volume=Decimal(50),
        bid=Decimal("2400.00"),
        spread=30,
    ),
)
