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
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Side
from gatehook.orders.canceling import is_protective


def covers(scopes: Iterable[str], account: AccountKey, owner: str) -> bool:
    """Say whether one of the scopes is about an account or an owner."""
    return any(HaltRecord(scope=scope, reason="", by="", at=0).covers(account, owner) for scope in scopes)


def can_open_risk(orders: Iterable[Order], scopes: Sequence[str]) -> list[Order]:
    """Return the orders of some scopes that may still open risk at the venue."""
    return [
        order
        for order in orders
        if order.status is not OrderStatus.INITIALIZED
        and not is_protective(order)
        and covers(scopes, order.request.account, order.owner)
    ]


def own_of_netted(position: Position, orders: Iterable[Order]) -> Decimal:
    """Return how much of a netted position the gateway's own orders explain, between none and all of it."""
    traded = [
        (order.request.side, order.filled)
        for order in orders
        if order.origin is OrderOrigin.GATEWAY
        and order.request.instrument_id == position.instrument_id
        and order.request.quantity_unit is position.quantity_unit
    ]
    return _within(position, traded)


def own_of_hedged(position: Position, fills: Iterable[Fill]) -> Decimal:
    """Return how much of one of several positions the fills of the gateway's own orders explain."""
    traded = [
        (fill.side, fill.quantity)
        for fill in fills
        if fill.position_id == position.position_id and fill.quantity_unit is position.quantity_unit
    ]
    return _within(position, traded)


def _within(position: Position, traded: Iterable[tuple[Side, Decimal]]) -> Decimal:
    net = Decimal(0)
    for side, quantity in traded:
        net = LEDGER.add(net, quantity if side is position.side else quantity.copy_negate())
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
