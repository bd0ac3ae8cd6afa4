"""A venue in the test's process that does one thing at a time, when it is told to, and watches who breaks its rules.

It is a netting account that fills market orders at once and the others when the test says so. What it tells by itself
waits until the test delivers it, in any order. Each command can be bent once: refused before anything is sent, refused,
held before or after it takes effect, or its reply lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any

import anyio
import attrs

from gatehook import hookimpl
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
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import NotConnected
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
from gatehook.kinds.provider import Page

MAIN = AccountKey("venue", "main")
EURUSD = InstrumentId("EURUSD", "VENUE")
PRICE = Decimal("1.1")
MAX_POSITION = Decimal(40)
MAX_OPEN = 4

MANIFEST = {
    "id": "venue",
    "name": "A venue in the test's process",
    "version": "1.0.0",
    "kinds": ["connector.broker"],
    "capabilities": {
        "orderTypes": ["market", "limit"],
        "timesInForce": ["gtc", "ioc"],
        "supportsAmend": True,
        "supportsCancelAll": True,
        "supportsClosePosition": True,
        "supportsReduceOnly": True,
        "supportsProtection": True,
        "supportsEvents": True,
        "absenceProof": "scan",
    },
    "configSchema": {"type": "object"},
}


class Bend(StrEnum):
    """What becomes of a command on its way."""

    UNSENT = "nothing is sent"
    REFUSED = "the venue refuses"
    LOST = "the reply is lost"
    HELD_BEFORE = "it arrives late"
    HELD_AFTER = "the reply is late"


class Twist(StrEnum):
    """How news are told."""

    STRAIGHT = "in order"
    REVERSED = "the last first"
    TWICE = "each twice"
    WITHOUT_FILLS = "without the fills"


class Venue:
    """The truth."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.position = Decimal(0)
        self.stop_loss: Decimal | None = None
        self.arrived: list[str] = []
        self.news: list[Any] = []
        self.told: list[Any] = []
        self.more = anyio.Event()
        self.connected = True
        self.bends: list[Bend] = []
        self.gates: list[anyio.Event] = []
        self.closing: dict[str, Decimal] = {}
        #: The largest position of each side since the commands under way began.
        self.largest = {Side.BUY: Decimal(0), Side.SELL: Decimal(0)}
        #: What somebody did that nobody may.
        self.wrong: list[str] = []
        #: Set by the test: whether trading is halted, and which ids wait for a person.
        self.halted = False
        self.unapproved: set[str] = set()
        self._time = 0

    def now(self) -> int:
        """Venue time: it goes on with every look at it."""
        self._time = max(self._time + 1, time.time_ns())
        return self._time

    # --- what the test does

    def hold(self) -> anyio.Event:
        gate = anyio.Event()
        self.gates.append(gate)
        return gate

    def release(self) -> None:
        while self.gates:
            self.gates.pop(0).set()

    def deliver(self, twist: Twist) -> None:
        news, self.news = self.news, []
        if twist is Twist.WITHOUT_FILLS:
            news = [one for one in news if not isinstance(one, Fill)]
        if twist is Twist.REVERSED:
            news.reverse()
        if twist is Twist.TWICE:
            news = [one for one in news for _ in range(2)]
        self.told.extend(news)
        self.wake()

    def wake(self) -> None:
        self.more.set()
        self.more = anyio.Event()

    def begin(self) -> None:
        """Commands begin, and none is under way."""
        self.largest = dict.fromkeys(self.largest, Decimal(0))
        self._measure()

    def _measure(self) -> None:
        side = Side.BUY if self.position > 0 else Side.SELL
        self.largest[side] = max(self.largest[side], abs(self.position))

    def disconnect(self) -> None:
        self.connected = False
        self.wake()

    def connect(self) -> None:
        self.connected = True

    # --- the rules

    def leave(self, what: str, identity: str, *, reduces: bool) -> None:
        """A command leaves the gateway. What left before a halt may arrive after it."""
        if self.halted and not reduces:
            self.wrong.append(f"{what} {identity} was sent while trading was halted")

    def arrive(self, what: str, identity: str) -> None:
        if identity in self.arrived:
            self.wrong.append(f"{what} {identity} arrived twice")
        if identity in self.unapproved:
            self.wrong.append(f"{what} {identity} arrived and nobody approved it")
        self.arrived.append(identity)

    def judge(self, what: str) -> None:
        """Hold the account to its limits, after something that can add risk."""
        working = [one for one in self.orders.values() if not one.status.is_final]
        if len(working) > MAX_OPEN:
            self.wrong.append(f"{len(working)} orders work after {what}")
        for side, sign in ((Side.BUY, 1), (Side.SELL, -1)):
            most = sign * self.position + sum((one.leaves for one in working if one.request.side is side), Decimal(0))
            if most > MAX_POSITION:
                self.wrong.append(f"the position can become {sign * most} after {what}")

    # --- the book

    def accept(self, request: OrderRequest) -> Order:
        name, now = f"V{len(self.orders) + 1}", self.now()
        order = Order.of(request, OrderStatus.ACCEPTED, venue_order_id=name, ts_accepted=now, ts_last=now)
        self._keep(order)
        self.judge(f"order {request.client_order_id}")
        if request.type is OrderType.MARKET:
            order = self.trade(request.client_order_id, request.quantity)
        return order

    def trade(self, client_order_id: str, quantity: Decimal) -> Order:
        order = self.orders[client_order_id]
        request, filled = order.request, order.filled + quantity
        fill = Fill(
            trade_id=f"T{len(self.fills) + 1}",
            account=MAIN,
            instrument_id=EURUSD,
            venue_order_id=order.venue_order_id or "",
            client_order_id=client_order_id,
            side=request.side,
            quantity=quantity,
            quantity_unit=QuantityUnit.BASE,
            price=PRICE,
            ts_event=self.now(),
        )
        self.fills.append(fill)
        self.position += quantity if request.side is Side.BUY else -quantity
        self._measure()
        status = OrderStatus.FILLED if filled == request.quantity else OrderStatus.PARTIALLY_FILLED
        cost, leaves = order.cost + quantity * PRICE, request.quantity - filled
        done = attrs.evolve(order, status=status, filled=filled, leaves=leaves, cost=cost, ts_last=fill.ts_event)
        self.news.append(fill)
        self._keep(done)
        self.news.append(self.positions())
        return done

    def cancel(self, client_order_id: str | None) -> Order:
        order = self.orders.get(client_order_id or "")
        if order is None:
            raise NotFound("there is no such order")
        if order.status.is_final:
            raise OrderNotCancellable(f"the order is {order.status}")
        status, left = OrderStatus.CANCELED, order.leaves
        done = attrs.evolve(order, status=status, leaves=0, canceled=left, ts_last=self.now())
        return self._keep(done)

    def amend(self, client_order_id: str | None, quantity: Decimal | None, price: Decimal | None) -> Order:
        order = self.orders.get(client_order_id or "")
        if order is None or order.status.is_final:
            raise OrderNotCancellable("the order does not work")
        total = order.request.quantity if quantity is None else quantity
        if total <= order.filled:
            raise OrderNotCancellable("more than that has filled")
        request = attrs.evolve(order.request, quantity=total, price=price or order.request.price)
        done = self._keep(attrs.evolve(order, request=request, leaves=total - order.filled, ts_last=self.now()))
        self.judge(f"amending {client_order_id}")
        return done

    def _keep(self, order: Order) -> Order:
        self.orders[order.request.client_order_id] = order
        self.news.append(order)
        return order

    def positions(self) -> PositionReport:
        side = Side.BUY if self.position > 0 else Side.SELL
        size = abs(self.position)
        held = Position(
            account=MAIN,
            position_id="P1",
            instrument_id=EURUSD,
            side=side,
            quantity=size,
            quantity_unit=QuantityUnit.BASE,
            cost=size * PRICE,
            stop_loss=self.stop_loss,
            ts_opened=1,
            ts_last=self.now(),
        )
        return PositionReport(account=MAIN, positions=[held] if size else [], complete=True, as_of=self.now())


class VenueBroker(Broker):
    """One generation of the broker; the venue outlives it."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    async def _command(self, what: str, identity: str, effect: Callable[[], Any], *, reduces: bool = False) -> Any:
        venue = self.venue
        bend = venue.bends.pop(0) if venue.bends else None
        self._reach()
        if bend is Bend.UNSENT:
            raise NotConnected("nothing was sent")
        venue.leave(what, identity, reduces=reduces)
        if bend is Bend.HELD_BEFORE:
            await venue.hold().wait()
        venue.arrive(what, identity)
        if bend is Bend.REFUSED:
            raise InsufficientFunds("no money")
        result = effect()
        if bend is Bend.HELD_AFTER:
            await venue.hold().wait()
        if bend is Bend.LOST:
            raise Ambiguous("the reply was lost")
        return result

    def _reach(self) -> None:
        if not self.venue.connected:
            raise NotConnected("the venue is away")

    async def list_accounts(self):
        self._reach()
        return [AccountRef(account=MAIN, name="main", mode=Mode.PAPER, venue="VENUE")]

    async def get_account(self, account):
        self._reach()
        return AccountState(
            account=account,
            mode=Mode.PAPER,
            account_type=AccountType.MARGIN,
            position_mode=PositionMode.NETTING,
            currency="USD",
            equity="1000000",
            complete=True,
            ts_event=self.venue.now(),
        )

    async def list_instruments(self, *, query=None):
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
        identity = request.client_order_id
        return await self._command("an order", identity, lambda: self.venue.accept(request))

    async def cancel_order(self, ref, *, command_id):
        cancel = lambda: self.venue.cancel(ref.client_order_id)  # noqa: E731
        return await self._command("a cancel", command_id, cancel, reduces=True)

    async def amend_order(self, ref, change, *, command_id):
        amend = lambda: self.venue.amend(ref.client_order_id, change.quantity, change.price)  # noqa: E731
        return await self._command("an amend", command_id, amend)

    async def cancel_all(self, account, *, instrument_id=None, command_id):
        def cancel():
            working = [name for name, order in self.venue.orders.items() if not order.status.is_final]
            return [self.venue.cancel(name) for name in working]

        return await self._command("a cancel of all", command_id, cancel, reduces=True)

    async def close_position(self, ref, *, quantity=None, command_id):
        venue = self.venue
        asked = abs(venue.position) if quantity is None else quantity
        venue.closing[command_id] = asked.copy_sign(venue.position)
        # Those that were sent for a position of the other side are not counted with these. And an order that is no
        # close may have made the position smaller since this close was measured: that race is its sender's.
        same = sum(abs(one) for one in venue.closing.values() if one * venue.position > 0)
        if same > venue.largest[Side.BUY if venue.position > 0 else Side.SELL]:
            venue.wrong.append(f"closes of {venue.closing} for a position of {venue.position}")

        def close():
            size = min(asked, abs(venue.position))
            if not size:
                raise NotFound("there is no position")
            request = OrderRequest(
                client_order_id=command_id,
                account=MAIN,
                instrument_id=EURUSD,
                side=Side.SELL if venue.position > 0 else Side.BUY,
                type=OrderType.MARKET,
                quantity=size,
                quantity_unit=QuantityUnit.BASE,
                reduce_only=True,
                position_id=ref.position_id,
            )
            return venue.accept(request)

        try:
            return await self._command("a close", command_id, close, reduces=True)
        finally:
            del venue.closing[command_id]

    async def modify_position(self, ref, protection, *, command_id):
        def protect():
            self.venue.stop_loss = protection.stop_loss
            return self.venue.positions()

        return await self._command("protection", command_id, protect)

    async def get_order(self, ref):
        self._reach()
        order = next(
            (
                one
                for one in self.venue.orders.values()
                if one.request.client_order_id == ref.client_order_id or one.venue_order_id == ref.venue_order_id
            ),
            None,
        )
        evidence = Evidence.ABSENT if order is None else Evidence.FOUND
        return OrderLookup(evidence=evidence, order=order, complete=True, as_of=self.venue.now())

    async def list_orders(self, account, *, open_only=True, since=None, cursor=None):
        self._reach()
        return Page(items=[one for one in self.venue.orders.values() if not (open_only and one.status.is_final)])

    async def list_fills(self, account, *, since=None, cursor=None):
        self._reach()
        return Page(items=list(self.venue.fills))

    async def list_positions(self, account):
        self._reach()
        return self.venue.positions()

    async def run_events(self, sink, after):
        told = int(after or 0)
        while True:
            self._reach()
            more = self.venue.more
            while told < len(self.venue.told):
                told += 1
                sink.put(self.venue.told[told - 1], str(told))
            await more.wait()


class Plugin:
    """The venue's plugin; each start of its entry is a new broker over the same venue."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    @hookimpl
    def provide_broker(self, context):
        return VenueBroker(self.venue)
