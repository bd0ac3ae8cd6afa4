"""What trading commands are about beside single orders: lists of orders, positions and their protection."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import attrs

from gatehook.kinds.conversion import as_tuple
from gatehook.kinds.conversion import exact_or_none
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import Trailing


class Contingency(StrEnum):
    """How the orders of a list depend on each other: one cancels the other, one triggers the others, or an entry with a
    take-profit and a stop-loss of which one cancels the other.
    """

    OCO = "oco"
    OTO = "oto"
    BRACKET = "bracket"


@attrs.frozen(kw_only=True)
class OrderList:
    """Orders that depend on each other. For OTO and bracket the first is the parent."""

    list_id: str
    contingency: Contingency
    orders: tuple[OrderRequest, ...] = attrs.field(converter=as_tuple)


@attrs.frozen(kw_only=True)
class Protection:
    """Stop-loss, take-profit and trailing stop of a position; a field left ``None`` is removed."""

    stop_loss: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    take_profit: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    trailing: Trailing | None = None


@attrs.frozen(kw_only=True)
class PositionRef:
    """Names a position. Netting accounts have one an instrument; hedging ones need ``position_id``."""

    account: AccountKey
    instrument_id: InstrumentId
    position_id: str | None = None
