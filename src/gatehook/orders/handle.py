"""What callers hold: a broker entry bound to who asks. Trading goes through the desk, reading through the guard."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import uuid4

from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import Money
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.provider import Health
from gatehook.orders.desk import Desk
from gatehook.orders.records import Change


class BrokerHandle:
    """A broker for one caller. It stays good over restarts of the entry; while that is down it raises ``NotConnected``.

    Accounts outside the entry's ``allowedAccounts`` raise ``AccountNotAllowed`` everywhere, before anything is asked.
    Commands without a ``command_id`` get a new one: they are not recognised when they are repeated.
    """

    def __init__(self, desk: Desk, entry_id: str, caller: str) -> None:
        """Bind ``caller``, who owns the orders that are placed here."""
        self._desk = desk
        self._journal = desk.journal
        self.entry_id = entry_id
        self.caller = caller

    @property
    def capabilities(self) -> BrokerCapabilities:
        """What the broker declares and really does.

        Raises:
            NotConnected: while the entry is down.
        """
        return self._desk.entry(self.entry_id).access.capabilities

    def health(self) -> Health:
        """Say how the desk sees this entry: degraded while orders wait for the venue's evidence."""
        return self._desk.health(self.entry_id)

    # --- trading

    async def submit_order(self, request: OrderRequest) -> Order:
        """Submit an order. The same id with the same content gives the first order, however often and whenever.

        An order whose outcome is not proven is returned as ``unknown``, one that the venue refused as ``rejected``, one
        that a person is asked for as ``initialized``: its reason names the approval, its events tell what came of it.

        Raises:
            Denied: what is wrong with it (the subclass says); nothing was sent, its id is free.
            DuplicateClientOrderId: its id belongs to an order of other content; nothing was sent.
            NotConnected, AuthError, NotFound: nothing was sent, its id is free.
        """
        return await self._desk.placing.submit(self.entry_id, request, self.caller)

    async def submit_order_list(self, orders: OrderList) -> Sequence[Order]:
        """Submit orders that depend on each other; one result an order. See ``submit_order``."""
        return await self._desk.listing.submit_list(self.entry_id, orders, self.caller)

    async def cancel_order(self, order: OrderRef | str, *, command_id: str | None = None) -> Order:
        """Cancel what is left of an order, named by its client order id or a reference.

        An unproven outcome is the order with ``pending_cancel``.

        Raises:
            OrderNotCancellable: it is at its end already; nothing changed.
            NotFound: there is no such order.
        """
        return await self._desk.canceling.cancel(self.entry_id, order, _or_new(command_id), self.caller)

    async def amend_order(self, order: OrderRef | str, change: OrderChange, *, command_id: str | None = None) -> Order:
        """Change a working order. An unproven outcome is the order with ``pending_update``.

        Raises:
            ApprovalPending: a person is asked; repeat it with the same ``command_id`` to see what came of it.
        """
        return await self._desk.changing.amend(self.entry_id, order, change, _or_new(command_id), self.caller)

    async def cancel_all(
        self, account: AccountKey, *, instrument_id: InstrumentId | None = None, command_id: str | None = None
    ) -> Sequence[Order]:
        """Cancel the working orders of an account that can add risk; one result an order.

        Orders that were placed outside the gateway stay, and those that protect a position.

        Raises:
            Ambiguous: it is not known which were canceled; they are looked up.
        """
        return await self._desk.canceling.cancel_all(
            self.entry_id, account, instrument_id, _or_new(command_id), self.caller
        )

    async def close_position(
        self, ref: PositionRef, *, quantity: Decimal | None = None, command_id: str | None = None
    ) -> Order:
        """Close a position, or a part of it, at the market. ``command_id`` becomes the order's client order id.

        Raises:
            NotFound: there is no such position.
        """
        return await self._desk.closing.close_position(self.entry_id, ref, quantity, _or_new(command_id), self.caller)

    async def modify_position(
        self, ref: PositionRef, protection: Protection, *, command_id: str | None = None
    ) -> PositionReport:
        """Set a position's protection.

        Raises:
            Ambiguous: it is not known whether it was set; read the positions.
        """
        return await self._desk.changing.modify_position(
            self.entry_id, ref, protection, _or_new(command_id), self.caller
        )

    # --- reading from the venue

    async def accounts(self) -> Sequence[AccountRef]:
        """Return the accounts that may be used here."""
        return await self._desk.entry(self.entry_id).accounts()

    async def account(self, account: AccountKey) -> AccountState:
        """Return an account's money now."""
        entry = self._desk.entry(self.entry_id)
        entry.check_account(account)
        return await entry.account_state(account)

    async def instruments(self, query: str | None = None) -> Sequence[Instrument]:
        """Return what can be traded; ``query`` is a part of the symbol."""
        entry = self._desk.entry(self.entry_id)
        provider = entry.access.provider
        return await entry.read_all("list_instruments", Instrument, lambda: provider.list_instruments(query=query))

    async def positions(self, account: AccountKey) -> PositionReport:
        """Return the open positions; look at ``complete`` before reading it as flat."""
        entry = self._desk.entry(self.entry_id)
        entry.check_account(account)
        return await entry.positions(account)

    async def estimate_margin(self, request: OrderRequest) -> Money:
        """Say what margin an order would take."""
        entry = self._desk.entry(self.entry_id)
        entry.check_account(request.account)
        entry.check_declared("margin_estimate")
        return await entry.read("estimate_margin", Money, lambda: entry.access.provider.estimate_margin(request))

    # --- reading from the journal

    async def order(self, client_order_id: str) -> Order | None:
        """Return an order as the journal knows it, also while the entry is down."""
        known = await self._journal.order(client_order_id)
        if known is None or known.order.request.account.entry_id != self.entry_id:
            return None
        self._check_visible(known.order.request.account)
        return known.order

    async def orders(
        self, account: AccountKey | None = None, *, open_only: bool = False, since: int | None = None, limit: int = 1000
    ) -> Sequence[Order]:
        """Return the newest orders of the entry or of one account, oldest first; ``since`` is wall time in nanoseconds.

        Orders placed outside the gateway are among them, with their origin.
        """
        accounts = self._visible(account)
        return await self._journal.orders(
            accounts=accounts, entry_id=self.entry_id, open_only=open_only, since=since, limit=limit
        )

    async def fills(self, account: AccountKey | None = None, *, after: int = 0, limit: int = 1000) -> Sequence[Fill]:
        """Return fills of the entry or of one account, oldest first, behind position ``after`` of the journal."""
        found = await self._journal.fills(
            accounts=self._visible(account), entry_id=self.entry_id, after=after, limit=limit
        )
        return [fill for _, fill in found]

    async def changes(
        self, account: AccountKey | None = None, *, after: int = 0, limit: int = 1000
    ) -> Sequence[Change]:
        """Return what happened to orders and fills behind a position: where a consumer that was away resumes."""
        return await self._journal.changes(
            accounts=self._visible(account), entry_id=self.entry_id, after=after, limit=limit
        )

    def _check_visible(self, account: AccountKey) -> None:
        entry = self._desk.find_entry(self.entry_id)
        if entry is not None:
            entry.check_account(account)

    def _visible(self, account: AccountKey | None) -> list[AccountKey] | None:
        if account is not None:
            self._check_visible(account)
            return [account]
        entry = self._desk.find_entry(self.entry_id)
        allowed = None if entry is None else entry.access.allowed_accounts
        return None if allowed is None else [AccountKey(self.entry_id, one) for one in sorted(allowed)]


def _or_new(command_id: str | None) -> str:
    return uuid4().hex if command_id is None else command_id
