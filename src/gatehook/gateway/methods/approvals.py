"""Approvals: what waits for a person, and the person's answer."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import guard as codes
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.guard.approvals import Approval
from gatehook.kinds.codec import to_json
from gatehook.kinds.orders import Order
from gatehook.orders import Desk

#: An approved command is sent, which has a deadline of its own.
_TRADING: Final = 30.0


class ApprovalMethods:
    """``approvals.*``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def table(self) -> Methods:
        """Return the methods by name."""
        return {
            "approvals.list": Method(self.pending),
            "approvals.show": Method(self.show),
            "approvals.approve": Method(self.approve, timeout=_TRADING),
            "approvals.reject": Method(self.reject),
        }

    async def pending(self, params: Params) -> Any:
        """List what waits."""
        waiting = self._desk.guard.approvals.pending()
        return {"schemaVersion": 1, "approvals": [approval_json(one) for one in waiting]}

    async def show(self, params: Params) -> Any:
        """Show what a person is asked to approve."""
        found = self._desk.guard.approvals.find(params.text("id"))
        if found is None:
            raise GatehookError(codes.APPROVAL_UNKNOWN(approval=repr(params.text("id"))))
        return {"schemaVersion": 1, "approval": approval_json(found)}

    async def approve(self, params: Params) -> Any:
        """Send what was shown under ``digest``, and say what became of it."""
        outcome = await self._desk.approve(params.text("id"), person=params.person, digest=params.text("digest"))
        return outcome_json(outcome)

    async def reject(self, params: Params) -> Any:
        """Send nothing."""
        rejected = await self._desk.reject(params.text("id"), person=params.person)
        return {"schemaVersion": 1, "approval": approval_json(rejected)}


def approval_json(approval: Approval) -> Mapping[str, Any]:
    """Return an approval as plain JSON values; what is shown keeps its order."""
    found: dict[str, Any] = to_json(approval)
    return {**found, "account": str(approval.account), "shown": [list(pair) for pair in approval.shown]}


def outcome_json(outcome: object) -> Mapping[str, Any]:
    """Return what became of an approved command: orders, or the positions it changed."""
    orders: Sequence[Any] = ()
    if isinstance(outcome, Order):
        orders = (outcome,)
    elif isinstance(outcome, Sequence):
        orders = outcome
    positions = getattr(outcome, "positions", ())
    return {
        "schemaVersion": 1,
        "orders": [to_json(order) for order in orders],
        "positions": [to_json(position) for position in positions],
    }
