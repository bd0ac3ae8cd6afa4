"""Orders and fills: placing, changing and canceling through the desk, listing from the journal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import Final

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes
from gatehook.gateway.brokers import Brokers
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.methods.positions import trailing_of
from gatehook.gateway.params import Params
from gatehook.kinds.amounts import exact
from gatehook.kinds.codec import to_json
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.times import from_rfc3339
from gatehook.orders import Desk

#: The desk has a deadline of its own for the send; this one is for everything around it too.
_TRADING: Final = 30.0
_CHANGES: Final = ("quantity", "price", "trigger_price")


class OrderMethods:
    """``orders.*`` and ``fills.list``."""

    def __init__(self, desk: Desk, brokers: Brokers) -> None:
        self._desk = desk
        self._brokers = brokers

    def table(self) -> Methods:
        """Return the methods by name."""
        return {
            "orders.place": Method(self.place, timeout=_TRADING),
            "orders.list": Method(self.list_orders),
            "orders.show": Method(self.show),
            "orders.cancel": Method(self.cancel, timeout=_TRADING),
            "orders.amend": Method(self.amend, timeout=_TRADING),
            "fills.list": Method(self.fills),
        }

    async def place(self, params: Params) -> Any:
        """Place one order; the account and the unit are filled in where there is only one that can be meant."""
        account = await self._brokers.account(params.maybe("account"))
        instrument = params.read("instrument", InstrumentId.parse)
        unit = params.maybe_read("unit", QuantityUnit) or await self._brokers.unit_of(account, instrument)
        request = _request(params, account, instrument, unit)
        order = await self._brokers.handle(account.entry_id).submit_order(request)
        return self._shown(order)

    async def list_orders(self, params: Params) -> Any:
        """List the gateway's orders, newest first."""
        everything, limit = params.flag("all"), params.integer("limit", 100)
        orders = await self._brokers.orders(open_only=not everything, limit=limit)
        return {"schemaVersion": 1, "orders": [to_json(order) for order in orders]}

    async def show(self, params: Params) -> Any:
        """Show an order and its fills."""
        order = await self._find(params.text("id"))
        fills = await self._brokers.fills(client_order_id=order.request.client_order_id)
        return {**self._shown(order), "fills": [to_json(fill) for fill in fills]}

    async def cancel(self, params: Params) -> Any:
        """Cancel what is left of an order."""
        order = await self._find(params.text("id"))
        handle = self._brokers.handle(order.request.account.entry_id)
        return self._shown(await handle.cancel_order(order.ref, command_id=params.text("command_id")))

    async def amend(self, params: Params) -> Any:
        """Change a working order."""
        order = await self._find(params.text("id"))
        change = OrderChange(**{name: params.maybe_read(name, exact) for name in _CHANGES})
        if change == OrderChange():
            raise params.refuse(f"it names none of {', '.join(_CHANGES)}")
        handle = self._brokers.handle(order.request.account.entry_id)
        return self._shown(await handle.amend_order(order.ref, change, command_id=params.text("command_id")))

    async def fills(self, params: Params) -> Any:
        """List fills, newest first."""
        fills = await self._brokers.fills(limit=params.integer("limit", 100))
        return {"schemaVersion": 1, "fills": [to_json(fill) for fill in fills]}

    async def _find(self, client_order_id: str) -> Order:
        order = await self._brokers.order(client_order_id)
        if order is None:
            raise GatehookError(codes.UNKNOWN_ORDER(order=client_order_id))
        return order

    def _shown(self, order: Order) -> Mapping[str, Any]:
        """An order as it is shown; ``approval`` names what it waits for."""
        shown = {"schemaVersion": 1, "order": to_json(order)}
        if order.status is not OrderStatus.INITIALIZED:
            return shown
        waiting = self._desk.guard.approvals.of_command(order.request.client_order_id)
        return {**shown, "approval": None if waiting is None else waiting.approval_id}


def _request(params: Params, account: AccountKey, instrument: InstrumentId, unit: QuantityUnit) -> OrderRequest:
    return OrderRequest(
        client_order_id=params.text("client_order_id"),
        account=account,
        instrument_id=instrument,
        side=params.read("side", Side),
        type=params.read("type", OrderType),
        quantity=params.read("quantity", exact),
        quantity_unit=unit,
        time_in_force=params.maybe_read("time_in_force", TimeInForce),
        expire_at=params.maybe_read("expire_at", from_rfc3339),
        trailing=trailing_of(params),
        post_only=params.flag("post_only"),
        reduce_only=params.flag("reduce_only"),
        position_id=params.maybe("position_id"),
        tags=list(params.texts("tags")),
        **_prices(params),
    )


def _prices(params: Params) -> dict[str, Decimal | None]:
    names = ("price", "trigger_price", "take_profit", "stop_loss")
    return {name: params.maybe_read(name, exact) for name in names}
