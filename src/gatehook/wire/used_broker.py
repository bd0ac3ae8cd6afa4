"""``context.use`` of a broker in a process of its own: the handle's methods, each a question to the gateway's desk."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import Money
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.kind import Kind
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.provider import Page
from gatehook.kinds.times import Ns
from gatehook.wire.remote import Remote


class UsedBroker(Remote):
    """A broker for this entry as its caller: every command passes the gateway's desk.

    It has what ``gatehook.orders.BrokerHandle`` has but for ``fills`` and ``changes``; an ``OrderRef`` names an order.
    """

    kind = Kind.BROKER

    # --- trading

    async def submit_order(self, request: OrderRequest) -> Order:
        """Submit an order; see ``BrokerHandle.submit_order``."""
        order: Order = await self._link.ask("submit_order", {"request": request})
        return order

    async def submit_order_list(self, orders: OrderList) -> Sequence[Order]:
        """Submit orders that depend on each other."""
        answered: Sequence[Order] = await self._link.ask("submit_order_list", {"orders": orders})
        return answered

    async def cancel_order(self, order: OrderRef, *, command_id: str | None = None) -> Order:
        """Cancel what is left of an order."""
        found: Order = await self._commanded("cancel_order", command_id, ref=order)
        return found

    async def amend_order(self, order: OrderRef, change: OrderChange, *, command_id: str | None = None) -> Order:
        """Change a working order in place."""
        found: Order = await self._commanded("amend_order", command_id, ref=order, change=change)
        return found

    async def cancel_all(
        self, account: AccountKey, *, instrument_id: InstrumentId | None = None, command_id: str | None = None
    ) -> Sequence[Order]:
        """Cancel all working orders of the gateway."""
        found: Sequence[Order] = await self._commanded(
            "cancel_all", command_id, account=account, instrument_id=instrument_id
        )
        return found

    async def close_position(
        self, ref: PositionRef, *, quantity: Decimal | None = None, command_id: str | None = None
    ) -> Order:
        """Close a position, or a part of it."""
        found: Order = await self._commanded("close_position", command_id, ref=ref, quantity=quantity)
        return found

    async def modify_position(
        self, ref: PositionRef, protection: Protection, *, command_id: str | None = None
    ) -> PositionReport:
        """Set a position's protection."""
        found: PositionReport = await self._commanded("modify_position", command_id, ref=ref, protection=protection)
        return found

    async def _commanded(self, method: str, command_id: str | None, **given: Any) -> Any:
        return await self._link.ask(method, {**given, "command_id": command_id or uuid4().hex})

    # --- reading

    async def accounts(self) -> Sequence[AccountRef]:
        """Return the accounts that may be used."""
        found: Sequence[AccountRef] = await self._link.ask("list_accounts", {})
        return found

    async def account(self, account: AccountKey) -> AccountState:
        """Return an account's money now."""
        found: AccountState = await self._link.ask("get_account", {"account": account})
        return found

    async def instruments(self, query: str | None = None) -> Sequence[Instrument]:
        """Return what can be traded."""
        found: Sequence[Instrument] = await self._link.ask("list_instruments", {"query": query})
        return found

    async def positions(self, account: AccountKey) -> PositionReport:
        """Return the open positions."""
        found: PositionReport = await self._link.ask("list_positions", {"account": account})
        return found

    async def estimate_margin(self, request: OrderRequest) -> Money:
        """Say what margin an order would take."""
        found: Money = await self._link.ask("estimate_margin", {"request": request})
        return found

    async def order(self, order: OrderRef) -> Order | None:
        """Return an order as the journal has it."""
        found: OrderLookup = await self._link.ask("get_order", {"ref": order})
        return found.order

    async def orders(self, account: AccountKey, *, open_only: bool = False, since: Ns | None = None) -> Sequence[Order]:
        """Return the journal's orders of an account, at most a thousand."""
        asked = {"account": account, "open_only": open_only, "since": since}
        page: Page[Order] = await self._link.ask("list_orders", asked)
        return page.items
