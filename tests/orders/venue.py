"""A small venue in the test's own process, and the broker that reaches it; honest unless a test makes it hostile."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import anyio
import attrs

from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import Position
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.broker import Broker
from gatehook.kinds.broker import Evidence
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.capabilities import ListContingency
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.provider import Page
from gatehook.orders import CallKind

MAIN = AccountKey("venue", "main")
OTHER = AccountKey("venue", "other")
LIVE = AccountKey("venue", "live")
EURUSD = InstrumentId("EURUSD", "VENUE")

CAPABILITIES = BrokerCapabilities(
    order_types=(OrderType.MARKET, OrderType.LIMIT),
    times_in_force=tuple(TimeInForce),
    amend=True,
    cancel_all=True,
    close_position=True,
    protection=True,
    order_lists=(ListContingency.OCO,),
    events=True,
    absence_proof=AbsenceProof.SCAN,
)


def limit(client_order_id: str, quantity: str = "10", price: str = "1.1", **fields: Any) -> OrderRequest:
    defaults = {"account": MAIN, "instrument_id": EURUSD, "side": Side.BUY, "type": OrderType.LIMIT}
    return OrderRequest(
        client_order_id=client_order_id,
        quantity=quantity,
        price=price,
        quantity_unit=QuantityUnit.BASE,
        **(defaults | fields),
    )


class Venue:
    """The truth: orders by client order id, fills, and how often each method was called."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.positions: list[Position] = []
        self.calls: list[str] = []
        self.events: list[Any] = []
        #: So many of them the desk is done with.
        self.taken = 0
        self.news = anyio.Event()
        #: What each method answers instead, where a test says so; an exception is raised.
        self.instead: dict[str, Any] = {}
        self.mode = PositionMode.NETTING
        #: The accounts that anything was asked of.
        self.asked: set[AccountKey] = set()

    def held(self, account: AccountKey) -> list[Position]:
        """Return the positions that follow from the fills, and those that a test put there."""
        sums: dict[tuple[InstrumentId, str], Decimal] = {}
        for fill in self.fills:
            if fill.account == account:
                key = fill.instrument_id, fill.position_id or "net"
                sums[key] = sums.get(key, 0) + (fill.quantity if fill.side is Side.BUY else -fill.quantity)
        found = [position(quantity, account=account, position_id=key[1]) for key, quantity in sums.items() if quantity]
        return found + [one for one in self.positions if one.account == account]

    def answer(self, what: str, honest: Any) -> Any:
        """Count a call and answer it, honestly unless a test says otherwise."""
        self.calls.append(what)
        answer = self.instead.get(what, honest)
        if callable(answer):
            answer = answer(honest)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def accept(self, request: OrderRequest) -> Order:
        assert request.client_order_id not in self.orders, "the venue got one order twice"
        number = len(self.orders) + 1
        order = Order.of(request, OrderStatus.ACCEPTED, venue_order_id=f"V{number}", ts_accepted=number, ts_last=number)
        self.orders[request.client_order_id] = order
        return order

    def fill(
        self, client_order_id: str, quantity: str, trade_id: str, *, named: bool = True, position_id: str | None = None
    ) -> Fill:
        """Trade a part of an order, and keep both reports for ``tell``."""
        order = self.orders[client_order_id]
        request = order.request
        filled = order.filled + Decimal(quantity)
        done = filled == request.quantity
        fill = Fill(
            trade_id=trade_id,
            account=request.account,
            instrument_id=request.instrument_id,
            venue_order_id=order.venue_order_id,
            client_order_id=client_order_id if named else None,
            side=request.side,
            quantity=quantity,
            quantity_unit=request.quantity_unit,
            price=request.price,
            position_id=position_id,
            ts_event=100 + len(self.fills),
        )
        self.fills.append(fill)
        self.orders[client_order_id] = attrs.evolve(
            order,
            status=OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED,
            filled=filled,
            leaves=request.quantity - filled,
            cost=order.cost + fill.quantity * fill.price,
            ts_last=fill.ts_event,
        )
        return fill

    def cancel(self, client_order_id: str) -> Order:
        order = self.orders[client_order_id]
        if order.status.is_final:
            raise OrderNotCancellable(f"order is {order.status}")
        order = attrs.evolve(order, status=OrderStatus.CANCELED, leaves=0, canceled=order.leaves)
        self.orders[client_order_id] = order
        return order

    def tell(self, *events: Any) -> None:
        self.events.extend(events)
        self.news.set()
        self.news = anyio.Event()


class VenueBroker(Broker):
    """``on_submit`` and ``on_cancel`` take the place of the honest way where a test sets them."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.on_submit: Callable[[OrderRequest], Awaitable[Any]] | None = None
        self.on_cancel: Callable[[str], Awaitable[Any]] | None = None
        self.on_lookup: Callable[[Any], Awaitable[OrderLookup]] | None = None

    async def list_accounts(self):
        refs = [
            AccountRef(account=key, name=key.account_id, mode=mode, venue="VENUE")
            for key, mode in ((MAIN, Mode.PAPER), (OTHER, Mode.PAPER), (LIVE, Mode.LIVE))
        ]
        return self.venue.answer("list_accounts", refs)

    async def get_account(self, account):
        self.venue.asked.add(account)
        return self.venue.answer("get_account", attrs.evolve(state_of(account), position_mode=self.venue.mode))

    async def list_instruments(self, *, query=None):
        self.venue.calls.append("list_instruments")
        return [
            Instrument(
                id=EURUSD,
                native_symbol="EURUSD",
                base="EUR",
                quote="USD",
                price_increment="0.0001",
                size_increment="1",
                settle_currency="USD",
                min_quantity="1",
                max_quantity="1000",
            )
        ]

    async def submit_order(self, request):
        self.venue.calls.append("submit_order")
        if self.on_submit is not None:
            return await self.on_submit(request)
        return self.venue.accept(request)

    async def submit_order_list(self, orders):
        self.venue.calls.append("submit_order_list")
        return [self.venue.accept(one) for one in orders.orders]

    async def cancel_order(self, ref, *, command_id):
        self.venue.calls.append("cancel_order")
        if self.on_cancel is not None:
            return await self.on_cancel(ref.client_order_id)
        return self.venue.cancel(ref.client_order_id)

    async def amend_order(self, ref, change, *, command_id):
        self.venue.calls.append("amend_order")
        order = self.venue.orders[ref.client_order_id]
        request = attrs.evolve(order.request, price=change.price or order.request.price)
        self.venue.orders[ref.client_order_id] = attrs.evolve(order, request=request)
        return self.venue.orders[ref.client_order_id]

    async def cancel_all(self, account, *, instrument_id=None, command_id):
        self.venue.calls.append("cancel_all")
        return [self.venue.cancel(name) for name, order in self.venue.orders.items() if not order.status.is_final]

    async def close_position(self, ref, *, quantity=None, command_id):
        self.venue.calls.append("close_position")
        [position] = self.venue.positions
        request = limit(
            command_id,
            quantity=str(quantity or position.quantity),
            side=position.side.opposite,
            type=OrderType.MARKET,
            price=None,
            reduce_only=True,
        )
        return self.venue.accept(request)

    async def modify_position(self, ref, protection, *, command_id):
        self.venue.calls.append("modify_position")
        return PositionReport(account=ref.account, positions=self.venue.positions, complete=True, as_of=1)

    async def get_order(self, ref):
        self.venue.calls.append("get_order")
        if self.on_lookup is not None:
            return await self.on_lookup(ref)
        for order in self.venue.orders.values():
            if ref.client_order_id == order.request.client_order_id or ref.venue_order_id == order.venue_order_id:
                return OrderLookup(evidence=Evidence.FOUND, order=order, complete=True, as_of=1)
        return OrderLookup(evidence=Evidence.ABSENT, complete=True, as_of=1)

    async def list_orders(self, account, *, open_only=True, since=None, cursor=None):
        self.venue.asked.add(account)
        found = [one for one in self.venue.orders.values() if not (open_only and one.status.is_final)]
        return self.venue.answer("list_orders", Page(items=[one for one in found if one.request.account == account]))

    async def list_fills(self, account, *, since=None, cursor=None):
        self.venue.asked.add(account)
        found = [one for one in self.venue.fills if one.account == account and one.ts_event >= (since or 0)]
        return self.venue.answer("list_fills", Page(items=found))

    async def list_positions(self, account):
        self.venue.asked.add(account)
        if account not in (MAIN, OTHER, LIVE):
            raise NotFound("no such account")
        report = PositionReport(account=account, positions=self.venue.held(account), complete=True, as_of=1)
        return self.venue.answer("list_positions", report)

    async def run_events(self, sink, after):
        told = int(after or 0)
        while True:
            news = self.venue.news
            while told < len(self.venue.events):
                told += 1
                sink.put(self.venue.events[told - 1], str(told))
            await sink.drained()
            self.venue.taken = told
            await news.wait()


def position(quantity: Any, *, account: AccountKey = MAIN, position_id: str = "P") -> Position:
    """Make a position of a signed quantity."""
    return Position(
        account=account,
        position_id=position_id,
        instrument_id=EURUSD,
        side=Side.BUY if Decimal(quantity) > 0 else Side.SELL,
        quantity=abs(Decimal(quantity)),
        quantity_unit=QuantityUnit.BASE,
        cost=0,
        ts_opened=1,
        ts_last=1,
    )


def state_of(account: AccountKey) -> AccountState:
    return AccountState(
        account=account,
        mode=Mode.PAPER,
        account_type=AccountType.MARGIN,
        position_mode=PositionMode.NETTING,
        currency="USD",
        complete=True,
        ts_event=1,
    )


class Access:
    """The host's guard, as small as it can be: one deadline for everything."""

    def __init__(
        self,
        provider: Broker,
        *,
        capabilities: BrokerCapabilities = CAPABILITIES,
        allowed_accounts: frozenset[str] | None = None,
        deadline: float = 5.0,
        reconcile_every: float = 60.0,
        reduce_only: bool = False,
    ) -> None:
        self.entry_id = "venue"
        self.provider = provider
        self.capabilities = attrs.evolve(capabilities, reduce_only=reduce_only)
        self.allowed_accounts = allowed_accounts
        self.timeout = deadline
        self.reconcile_every = reconcile_every

    def events(self, after: str | None):
        return self.provider.events(after=after)

    async def call(self, kind: CallKind, what: str, function: Callable[[], Awaitable[Any]], timeout=None) -> Any:
        with anyio.fail_after(timeout or self.timeout):
            return await function()
