"""What a person settles by hand: orders whose outcome no evidence proves, orders and positions from outside."""

from __future__ import annotations

from typing import Any
from typing import Final

from gatehook.gateway.brokers import Brokers
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.gateway.reconciling import reconciliation_rows
from gatehook.kinds.amounts import exact
from gatehook.kinds.codec import to_json
from gatehook.kinds.orders import OrderStatus
from gatehook.orders import Desk

_MOST: Final = 10_000


class ByHandMethods:
    """``orders.resolve``, ``orders.adopt``, ``positions.acknowledge`` and ``reconciliation.show``."""

    def __init__(self, desk: Desk, brokers: Brokers, *, owner: str) -> None:
        self._desk = desk
        self._brokers = brokers
        self._owner = owner

    def table(self) -> Methods:
        """Return the methods by name."""
        return {
            "orders.resolve": Method(self.resolve),
            "orders.adopt": Method(self.adopt, timeout=20.0),
            "positions.acknowledge": Method(self.acknowledge),
            "reconciliation.show": Method(self.show, timeout=20.0),
        }

    async def resolve(self, params: Params) -> Any:
        """Say what became of an unknown order, on evidence that a person has."""
        order = await self._desk.by_hand.resolve(
            params.text("id"),
            status=params.read("status", OrderStatus),
            filled=params.maybe_read("filled", exact),
            price=params.maybe_read("price", exact),
            evidence=params.text("evidence"),
            person=params.person,
        )
        return {"schemaVersion": 1, "order": to_json(order)}

    async def adopt(self, params: Params) -> Any:
        """Take over an order that was placed outside the gateway."""
        order = await self._desk.by_hand.adopt(
            params.text("entry"), params.text("venue_order_id"), owner=self._owner, person=params.person
        )
        return {"schemaVersion": 1, "order": to_json(order)}

    async def acknowledge(self, params: Params) -> Any:
        """Accept what the venue says of an account's positions."""
        account = await self._brokers.account(params.text("account"))
        done = await self._desk.by_hand.acknowledge(account, note=params.text("note"), person=params.person)
        return {"schemaVersion": 1, "adjustments": [to_json(one) for one in done]}

    async def show(self, params: Params) -> Any:
        """Say of each account whether it agrees with its venue, and what stands against new risk."""
        refs, problems = await self._brokers.accounts()
        orders = await self._brokers.orders(open_only=True, limit=_MOST)
        rows = reconciliation_rows(self._desk, [ref.account for ref in refs], orders)
        return {"schemaVersion": 1, "accounts": rows, "problems": problems}
