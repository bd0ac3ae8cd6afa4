"""What an operator sees of the comparison of journal and venues: one row an account."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from gatehook.kinds.codec import to_json
from gatehook.kinds.errors import Denied
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.times import to_rfc3339
from gatehook.orders import Desk
from gatehook.orders.reconciliation import ReconciliationState


def reconciliation_rows(desk: Desk, accounts: Iterable[AccountKey], orders: Sequence[Order]) -> list[Mapping[str, Any]]:
    """Return a row for each account, as plain JSON values; ``orders`` are those that are open. Nobody is asked."""
    return [_row(desk, account, orders) for account in accounts]


def known_accounts(desk: Desk, entries: Iterable[str]) -> list[AccountKey]:
    """Return the accounts of some broker entries that anything is known of, without asking the brokers."""
    return [account for entry_id in entries for account in desk.guard.exposure.accounts(entry_id)]


def _row(desk: Desk, account: AccountKey, orders: Iterable[Order]) -> Mapping[str, Any]:
    state = desk.reconciliations.state(account)
    mine = [order for order in orders if order.request.account == account]
    return {
        "account": str(account),
        "state": _word(state),
        "completed_at": None if state is None or state.completed_at is None else to_rfc3339(state.completed_at),
        "blocked": _blocked(desk, account),
        "open_orders": len(mine),
        "external_orders": sum(order.origin is not OrderOrigin.GATEWAY for order in mine),
        "unknown_orders": sum(order.status is OrderStatus.UNKNOWN for order in mine),
        "adjustments": [] if state is None else [to_json(one) for one in state.unacknowledged],
    }


def _word(state: ReconciliationState | None) -> str:
    if state is None:
        return "synchronizing"
    if state.problem is not None:
        return f"failed: {state.problem}"
    if state.completed_at is None or state.lacking is not None:
        return "synchronizing"
    return "complete"


def _blocked(desk: Desk, account: AccountKey) -> str | None:
    """Return why new risk is refused on an account, or ``None``."""
    try:
        desk.reconciliations.check(account)
    except Denied as denied:
        return denied.message
    return None
