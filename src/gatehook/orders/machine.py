"""How an order moves: the one place that joins what is known with what the venue says.

Every function returns the order after the move, or the very same object when nothing changes. A report that would move
the order backwards keeps the status and adds only what it proves (more filled, a venue id).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.orders import TRANSITIONS
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason

#: Of these a later one is never left for an earlier one.
_PROGRESS: Final = (OrderStatus.ACCEPTED, OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED)
_BECOMES_PARTIAL: Final = frozenset(
    {OrderStatus.SUBMITTED, OrderStatus.UNKNOWN, OrderStatus.ACCEPTED, OrderStatus.TRIGGERED}
)
_TIMES: Final = frozenset({"ts_last", "ts_accepted"})
#: What a venue can say of an order; the others are ours.
VENUE_STATUSES: Final = TRANSITIONS[OrderStatus.UNKNOWN]


@attrs.frozen
class Traded:
    """The sum of an order's real fills: their quantity, and quantity x price."""

    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def plus(self, fill: Fill) -> Traded:
        """Add one fill."""
        cost = LEDGER.multiply(fill.quantity, fill.price)
        return Traded(LEDGER.add(self.quantity, fill.quantity), LEDGER.add(self.cost, cost))


def may_move(now: OrderStatus, to: OrderStatus) -> bool:
    """Say whether an order may move so: by the table, and never backwards among the working states."""
    if to not in TRANSITIONS[now]:
        return False
    return not (now in _PROGRESS and to in _PROGRESS and _PROGRESS.index(to) < _PROGRESS.index(now))


def with_report(order: Order, report: Order, traded: Traded) -> Order:
    """Join the venue's whole view of an order."""
    moves = report.status in VENUE_STATUSES and may_move(order.status, report.status)
    current = (moves or report.status is order.status) and report.filled >= order.filled
    return _joined(
        order,
        traded,
        status=report.status if moves else order.status,
        request=_amended(order.request, report.request) if current else order.request,
        filled=max(order.filled, report.filled),
        cost=report.cost if report.filled > order.filled else order.cost,
        venue_order_id=report.venue_order_id or order.venue_order_id,
        reason=report.reason if moves else order.reason,
        ts_accepted=order.ts_accepted if order.ts_accepted is not None else report.ts_accepted,
        ts_last=max(order.ts_last, report.ts_last),
    )


def with_fill(order: Order, fill: Fill, traded: Traded) -> Order:
    """Join one more real fill; ``traded`` holds it already."""
    return _joined(
        order,
        traded,
        filled=max(order.filled, traded.quantity),
        venue_order_id=order.venue_order_id or fill.venue_order_id,
        ts_last=max(order.ts_last, fill.ts_event),
    )


def with_status(order: Order, status: OrderStatus, reason: Reason | None, traded: Traded) -> Order:
    """Make a move of the desk's own (unknown, denied, rejected, pending); a forbidden one changes nothing."""
    if status is order.status or not may_move(order.status, status):
        return order
    return _joined(order, traded, status=status, reason=reason or order.reason)


def _amended(request: OrderRequest, reported: OrderRequest) -> OrderRequest:
    return attrs.evolve(request, quantity=reported.quantity, price=reported.price, trigger_price=reported.trigger_price)


def _joined(order: Order, traded: Traded, **changes: Any) -> Order:
    """Make the changes and hold the invariants: open, filled + leaves = quantity; at the end, leaves = 0 and filled +
    canceled = quantity. Real fills that account for all that has filled give its cost.
    """
    filled = changes.get("filled", order.filled)
    if traded.quantity >= filled:
        changes["filled"], changes["cost"] = filled, _ = traded.quantity, traded.cost
    quantity = changes.get("request", order.request).quantity
    status = changes["status"] = _status(changes.get("status", order.status), filled, quantity)
    rest = max(LEDGER.subtract(quantity, filled), Decimal(0))
    changes["leaves"], changes["canceled"] = (Decimal(0), rest) if status.is_final else (rest, Decimal(0))
    if all(getattr(order, name) == value for name, value in changes.items() if name not in _TIMES):
        return order
    return attrs.evolve(order, **changes, version=order.version + 1)


def _status(status: OrderStatus, filled: Decimal, quantity: Decimal) -> OrderStatus:
    if filled >= quantity and filled > 0 and status is not OrderStatus.DENIED:
        return OrderStatus.FILLED
    if filled > 0 and status in _BECOMES_PARTIAL:
        return OrderStatus.PARTIALLY_FILLED
    return status
