"""Accounts, balances and positions."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from gatehook.kinds.amounts import exact
from gatehook.kinds.conversion import as_tuple
from gatehook.kinds.conversion import exact_or_none
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns


class Mode(StrEnum):
    """Whose money it is. An account whose mode cannot be proven is live."""

    PAPER = "paper"
    DEMO = "demo"
    LIVE = "live"


class AccountType(StrEnum):
    """A cash account has balances and no positions."""

    CASH = "cash"
    MARGIN = "margin"


class PositionMode(StrEnum):
    """Netting keeps one position an instrument; hedging one an opening order."""

    NONE = "none"
    NETTING = "netting"
    HEDGING = "hedging"


@attrs.frozen(kw_only=True)
class AccountRef:
    """An account a broker offers, with the mode it proves."""

    account: AccountKey
    name: str
    mode: Mode
    venue: str
    server: str = ""
    login: str = ""


@attrs.frozen(kw_only=True)
class Balance:
    """What there is of one asset: total = free + locked."""

    asset: str
    total: Decimal = attrs.field(converter=exact)
    free: Decimal = attrs.field(converter=exact)
    locked: Decimal = attrs.field(converter=exact)


@attrs.frozen(kw_only=True)
class AccountState:
    """An account's money now, in ``currency``. ``complete`` is false where the report may lack something: such a
    report is never read as flat or empty. ``net_deposits`` is what was paid in less what was taken out so far, where
    the venue says it.
    """

    account: AccountKey
    mode: Mode
    account_type: AccountType
    position_mode: PositionMode
    currency: str
    balances: tuple[Balance, ...] = attrs.field(default=(), converter=as_tuple)
    equity: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    net_deposits: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    margin_used: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    margin_free: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    leverage: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    trade_allowed: bool = True
    complete: bool
    ts_event: Ns
    raw: Any = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Position:
    """An open position. ``cost`` is the sum of quantity x opening price in the quote currency; ``quantity`` > 0."""

    account: AccountKey
    position_id: str
    instrument_id: InstrumentId
    side: Side
    quantity: Decimal = attrs.field(converter=exact)
    quantity_unit: QuantityUnit
    cost: Decimal = attrs.field(converter=exact)
    mark_price: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    unrealized_pnl: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    realized_pnl: Decimal = attrs.field(default=Decimal(0), converter=exact)
    swap: Decimal = attrs.field(default=Decimal(0), converter=exact)
    stop_loss: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    take_profit: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    ts_opened: Ns
    ts_last: Ns
    raw: Any = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class PositionReport:
    """An account's positions; ``complete`` is false where some may be missing."""

    account: AccountKey
    positions: tuple[Position, ...] = attrs.field(converter=as_tuple)
    complete: bool
    as_of: Ns
