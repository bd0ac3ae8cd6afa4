"""A broker over the wire."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal

from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import Money
from gatehook.kinds.broker import Broker
from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.kind import Kind
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.provider import Page
from gatehook.kinds.streams import Items
from gatehook.kinds.times import Ns
from gatehook.wire.remote import Remote


class WireBroker(Remote, Broker):
    """Every command keeps what its outcome proves: refused and not sent stays so, sent and unanswered is ambiguous."""

    kind = Kind.BROKER

    async def list_accounts(self) -> Sequence[AccountRef]:
        """Return the accounts these credentials reach."""
        found: Sequence[AccountRef] = await self._link.ask("list_accounts", {})
        return found

    async def get_account(self, account: AccountKey) -> AccountState:
        """Return an account's money now."""
        found: AccountState = await self._link.ask("get_account", {"account": account})
        return found

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return what can be traded."""
        found: Sequence[Instrument] = await self._link.ask("list_instruments", {"query": query})
        return found

    async def submit_order(self, request: OrderRequest) -> Order:
        """Send one order."""
        order: Order = await self._link.ask("submit_order", {"request": request})
        return order

    async def cancel_order(self, ref: OrderRef, *, command_id: str) -> Order:
        """Cancel what is left of an order."""
        order: Order = await self._link.ask("cancel_order", {"ref": ref, "command_id": command_id})
        return order

    async def get_order(self, ref: OrderRef) -> OrderLookup:
        """Look an order up."""
        found: OrderLookup = await self._link.ask("get_order", {"ref": ref})
        return found

    async def list_orders(
        self, account: AccountKey, *, open_only: bool = True, since: Ns | None = None, cursor: str | None = None
    ) -> Page[Order]:
        """Return orders, oldest first."""
        asked = {"account": account, "open_only": open_only, "since": since, "cursor": cursor}
        page: Page[Order] = await self._link.ask("list_orders", asked)
        return page

    async def list_fills(
        self, account: AccountKey, *, since: Ns | None = None, cursor: str | None = None
    ) -> Page[Fill]:
        """Return fills, oldest first."""
        page: Page[Fill] = await self._link.ask("list_fills", {"account": account, "since": since, "cursor": cursor})
        return page

    async def list_positions(self, account: AccountKey) -> PositionReport:
        """Return the open positions."""
        report: PositionReport = await self._link.ask("list_positions", {"account": account})
        return report

    async def amend_order(self, ref: OrderRef, change: OrderChange, *, command_id: str) -> Order:
        """Change a working order in place."""
        asked = {"ref": ref, "change": change, "command_id": command_id}
        order: Order = await self._link.ask("amend_order", asked)
        return order

    async def cancel_all(
        self, account: AccountKey, *, instrument_id: InstrumentId | None = None, command_id: str
    ) -> Sequence[Order]:
        """Cancel all working orders."""
        asked = {"account": account, "instrument_id": instrument_id, "command_id": command_id}
        orders: Sequence[Order] = await self._link.ask("cancel_all", asked)
        return orders

    async def submit_order_list(self, orders: OrderList) -> Sequence[Order]:
        """Send orders that depend on each other."""
        answered: Sequence[Order] = await self._link.ask("submit_order_list", {"orders": orders})
        return answered

    async def close_position(self, ref: PositionRef, *, quantity: Decimal | None = None, command_id: str) -> Order:
        """Close a position, or a part of it, at the market."""
        asked = {"ref": ref, "quantity": quantity, "command_id": command_id}
        order: Order = await self._link.ask("close_position", asked)
        return order

    async def modify_position(self, ref: PositionRef, protection: Protection, *, command_id: str) -> PositionReport:
        """Set a position's protection."""
        asked = {"ref": ref, "protection": protection, "command_id": command_id}
        report: PositionReport = await self._link.ask("modify_position", asked)
        return report

    async def estimate_margin(self, request: OrderRequest) -> Money:
        """Say what margin an order would take."""
        money: Money = await self._link.ask("estimate_margin", {"request": request})
        return money

    def events(self, *, after: str | None = None) -> AbstractAsyncContextManager[Items[BrokerEvent]]:
        """Open the stream of events of all accounts."""
        return self._following("events", after=after)
