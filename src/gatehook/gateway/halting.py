"""What a halt leaves working: which orders a scope is about, which can still open risk, and whose the positions are.

Used by the gateway, and by the command line on the journal's file where there is no gateway.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from gatehook.guard.halt import HaltRecord
from gatehook.kinds.accounts import Position
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.codec import to_json
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.orders.canceling import is_protective


def covers(scopes: Iterable[str], account: AccountKey, owner: str) -> bool:
    """Say whether one of the scopes is about an account or an owner."""
    return any(HaltRecord(scope=scope, reason="", by="", at=0).covers(account, owner) for scope in scopes)


def can_open_risk(orders: Iterable[Order], scopes: Sequence[str]) -> list[Order]:
    """Return the orders of some scopes that may still open risk at the venue."""
    return [
        order for order in orders if not is_protective(order) and covers(scopes, order.request.account, order.owner)
    ]


def own_quantity(position: Position, fills: Iterable[Fill]) -> Decimal:
    """Return how much of a position the fills of the gateway's own orders explain, between none and all of it.

    ``fills`` are those of the position's account and instrument.
    """
    listed = [fill for fill in fills if fill.quantity_unit is position.quantity_unit]
    named = [fill for fill in listed if fill.position_id == position.position_id]
    net = Decimal(0)
    for fill in named or [fill for fill in listed if fill.position_id is None]:
        change = fill.quantity if fill.side is position.side else fill.quantity.copy_negate()
        net = LEDGER.add(net, change)
    return min(max(net, Decimal(0)), position.quantity)


def halt_state(records: Iterable[HaltRecord], orders: Iterable[Order], scopes: Sequence[str]) -> dict[str, Any]:
    """Return what is halted, and the orders of ``scopes`` that may still open risk, as plain JSON values."""
    return {
        "schemaVersion": 1,
        "records": [record_json(record) for record in records],
        "orders": [to_json(order) for order in can_open_risk(orders, scopes)],
    }


def record_json(record: HaltRecord) -> Mapping[str, Any]:
    """Return a record as plain JSON values."""
    found: Mapping[str, Any] = to_json(record)
    return found
