"""A broker in this process that answers at once, so that what is measured is what stands before it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from typing import Final

import anyio
import attrs

from gatehook import AccountKey
from gatehook import AccountRef
from gatehook import AccountState
from gatehook import Broker
from gatehook import BrokerEvent
from gatehook import Evidence
from gatehook import Fill
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import Order
from gatehook import OrderLookup
from gatehook import OrderRef
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import Page
from gatehook import PositionReport
from gatehook import Sink
from gatehook import hookimpl
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import PositionMode

ACCOUNT: Final = AccountKey("instant", "main")
EURUSD: Final = InstrumentId("EURUSD", "INSTANT")
MANIFEST: Final = {
    "id": "instant",
    "name": "A broker that answers at once",
    "version": "1.0.0",
    "kinds": ["connector.broker"],
    "capabilities": {
        "orderTypes": ["market", "limit"],
        "timesInForce": ["gtc", "ioc"],
        "supportsEvents": True,
        "absenceProof": "scan",
    },
    "configSchema": {"type": "object"},
}


class InstantBroker(Broker):
    """Takes every order and cancels it at once, so that nothing stays open."""

    async def submit_order(self, request: OrderRequest) -> Order:
        """Answer with the order, canceled."""
        now = time.time_ns()
        order = Order.of(request, OrderStatus.ACCEPTED, venue_order_id=request.client_order_id, ts_last=now)
        return attrs.evolve(order, status=OrderStatus.CANCELED, leaves=0, canceled=request.quantity)

    async def cancel_order(self, ref: OrderRef, *, command_id: str) -> Order:
        """Never asked."""
        raise AssertionError("nothing is open")

    async def get_order(self, ref: OrderRef) -> OrderLookup:
        """Nothing is kept."""
        return OrderLookup(evidence=Evidence.INDETERMINATE, complete=False, as_of=time.time_ns())

    async def list_accounts(self) -> Sequence[AccountRef]:
        """One account, of paper."""
        return [AccountRef(account=ACCOUNT, name="main", mode=Mode.PAPER, venue="INSTANT")]

    async def get_account(self, account: AccountKey) -> AccountState:
        """It never changes."""
        return AccountState(
            account=account,
            mode=Mode.PAPER,
            account_type=AccountType.MARGIN,
            position_mode=PositionMode.NETTING,
            currency="USD",
            equity=1_000_000,  # type: ignore[arg-type]  # mypy cannot type a field with a converter
            complete=True,
            ts_event=time.time_ns(),
        )

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """One instrument."""
        fields: dict[str, Any] = {"price_increment": "0.00001", "size_increment": "1", "min_quantity": "1"}
        return [Instrument(id=EURUSD, native_symbol="EURUSD", base="EUR", quote="USD", settle_currency="USD", **fields)]

    async def list_orders(
        self, account: AccountKey, *, open_only: bool = True, since: int | None = None, cursor: str | None = None
    ) -> Page[Order]:
        """Nothing is open."""
        return Page(items=[])

    async def list_fills(
        self, account: AccountKey, *, since: int | None = None, cursor: str | None = None
    ) -> Page[Fill]:
        """Nothing trades."""
        return Page(items=[])

    async def list_positions(self, account: AccountKey) -> PositionReport:
        """Flat."""
        return PositionReport(account=account, positions=[], complete=True, as_of=time.time_ns())

    async def run_events(self, sink: Sink[BrokerEvent], after: str | None) -> None:
        """Nothing happens by itself."""
        await anyio.sleep_forever()


class InstantPlugin:
    """The plugin of the broker."""

    @hookimpl
    def provide_broker(self, context: Any) -> InstantBroker:
        """Make one."""
        return InstantBroker()
