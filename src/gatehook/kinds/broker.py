"""connector.broker: accounts, orders, positions, fills."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from collections.abc import AsyncIterator
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from contextlib import asynccontextmanager
from decimal import Decimal
from enum import StrEnum

import attrs

from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import Money
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import Rejected
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.provider import Page
from gatehook.kinds.provider import Provider
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Sink
from gatehook.kinds.streams import open_stream
from gatehook.kinds.times import Ns

#: What a broker reports by itself. An ``Order`` is its whole state after the event.
BrokerEvent = Order | Fill | PositionReport | AccountState


class Evidence(StrEnum):
    """What a look-up proves."""

    FOUND = "found"
    ABSENT = "absent"
    INDETERMINATE = "indeterminate"


@attrs.frozen(kw_only=True)
class OrderLookup:
    """The answer to "where is this order?". ``ABSENT`` is said only with the declared absence proof behind it;
    ``complete`` says that everything which could hold the order was seen, as of venue time ``as_of``.
    """

    evidence: Evidence
    order: Order | None = None
    complete: bool
    as_of: Ns


class Broker(Provider, ABC):
    """What the author of a broker plugin implements. Every method is cancellable; its caller sets the deadline.

    A trading method raises ``Denied`` or ``NotConnected`` only while nothing was sent, and ``Rejected`` only for a
    refusal that the venue proved. Write the request itself inside ``async with self.sending():``; whatever else goes
    wrong in there is ``Ambiguous``, and the order becomes ``unknown`` until the venue's evidence resolves it. A client
    that connects in the block too names its errors that prove that nothing was sent: ``self.sending(unsent=…)``.
    """

    @asynccontextmanager
    async def sending(self, *, unsent: tuple[type[Exception], ...] = ()) -> AsyncIterator[None]:
        """Mark the span in which bytes leave for the venue.

        ``unsent`` are the errors that prove that none left: of resolving a name, of connecting, of TLS, of waiting for
        a connection. A time-out of reading or writing proves nothing, and neither does a class that covers one.

        Raises:
            NotConnected: for the errors in ``unsent``; nothing was sent.
            Ambiguous: for every other error in the block except ``Rejected`` and ``Ambiguous`` themselves.
        """
        try:
            yield
        except (Rejected, Ambiguous):
            raise
        except unsent as error:
            raise NotConnected(f"the venue is not reached; nothing was sent: {type(error).__name__}") from error
        except Exception as error:
            raise Ambiguous(f"the request was sent, its outcome is not known: {type(error).__name__}") from error

    @abstractmethod
    async def list_accounts(self) -> Sequence[AccountRef]:
        """Return the accounts these credentials reach."""

    @abstractmethod
    async def get_account(self, account: AccountKey) -> AccountState:
        """Return an account's money now."""

    @abstractmethod
    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return what can be traded; ``query`` is a part of the symbol."""

    @abstractmethod
    async def submit_order(self, request: OrderRequest) -> Order:
        """Send one order. A refusal by the venue is ``Rejected``; see the class for every other outcome."""

    @abstractmethod
    async def cancel_order(self, ref: OrderRef, *, command_id: str) -> Order:
        """Cancel what is left of an order.

        Raises:
            OrderNotCancellable: when it is already at its end; nothing changed.
        """

    @abstractmethod
    async def get_order(self, ref: OrderRef) -> OrderLookup:
        """Look an order up."""

    @abstractmethod
    async def list_orders(
        self, account: AccountKey, *, open_only: bool = True, since: Ns | None = None, cursor: str | None = None
    ) -> Page[Order]:
        """Return orders, oldest first."""

    @abstractmethod
    async def list_fills(
        self, account: AccountKey, *, since: Ns | None = None, cursor: str | None = None
    ) -> Page[Fill]:
        """Return fills, oldest first."""

    @abstractmethod
    async def list_positions(self, account: AccountKey) -> PositionReport:
        """Return the open positions."""

    async def amend_order(self, ref: OrderRef, change: OrderChange, *, command_id: str) -> Order:
        """Change a working order in place, keeping its client order id."""
        raise UnsupportedCapability("this broker does not amend orders; cancel it and place another")

    async def cancel_all(
        self, account: AccountKey, *, instrument_id: InstrumentId | None = None, command_id: str
    ) -> Sequence[Order]:
        """Cancel all working orders; one result an order."""
        raise UnsupportedCapability("this broker has no cancel-all")

    async def submit_order_list(self, orders: OrderList) -> Sequence[Order]:
        """Send orders that depend on each other; one result an order."""
        raise UnsupportedCapability("this broker takes no order lists")

    async def close_position(self, ref: PositionRef, *, quantity: Decimal | None = None, command_id: str) -> Order:
        """Close a position, or ``quantity`` of it, at the market; ``command_id`` is the order's client order id."""
        raise UnsupportedCapability("this broker does not close positions; place the opposite order")

    async def modify_position(self, ref: PositionRef, protection: Protection, *, command_id: str) -> PositionReport:
        """Set a position's protection."""
        raise UnsupportedCapability("this broker keeps no stop-loss or take-profit at positions")

    async def estimate_margin(self, request: OrderRequest) -> Money:
        """Say what margin an order would take."""
        raise UnsupportedCapability("this broker does not calculate margin")

    async def run_events(self, sink: Sink[BrokerEvent], after: str | None) -> None:
        """Put the broker's events into the sink until cancelled, from the cursor ``after`` on where one is given."""
        raise UnsupportedCapability("this broker reports nothing by itself")

    def events(self, *, after: str | None = None) -> AbstractAsyncContextManager[Items[BrokerEvent]]:
        """Open the stream of events of all accounts. It never conflates or drops: a consumer that is 10,000 events
        behind gets ``StreamOverflow`` and starts again from a snapshot.
        """

        async def run(sink: Sink[BrokerEvent]) -> None:
            await self.run_events(sink, after)

        return open_stream(run, overflow=Overflow.ERROR, buffer=10_000, after=after)
