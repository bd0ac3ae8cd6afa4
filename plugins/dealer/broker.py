"""The dealer: fills market orders at the source's price, and limit orders when the price reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any
from typing import Self

import anyio
import attrs

from gatehook import AccountKey
from gatehook import AccountRef
from gatehook import AccountState
from gatehook import AccountType
from gatehook import Broker
from gatehook import BrokerEvent
from gatehook import Evidence
from gatehook import Fill
from gatehook import Instrument
from gatehook import Mode
from gatehook import NotFound
from gatehook import Order
from gatehook import OrderLookup
from gatehook import OrderRef
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import Page
from gatehook import PluginContext
from gatehook import PositionMode
from gatehook import PositionReport
from gatehook import Side
from gatehook import Sink
from gatehook import Subscription
from gatehook import Tick
from gatehook.kinds.checks import check_capabilities
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.checks import check_shape
from gatehook.kinds.errors import NoQuote
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.market_data import Channel

from .book import Book


class Dealer(Broker):
    """A broker that is its own venue. Its book survives restarts in ``context.state``."""

    def __init__(self, context: PluginContext) -> None:
        self._context = context
        self._declared = context.manifest.capabilities.broker
        self._prices: Any = context.use(context.config["prices"])
        self._book = Book(context.state)
        self._quotes: dict[Any, Tick] = {}
        self._sinks: list[Sink[BrokerEvent]] = []

    async def __aenter__(self) -> Self:
        await self._book.load()
        instruments = await self._prices.list_instruments()
        self._instruments = {one.id: one for one in instruments}
        wanted = [Subscription(instrument_id=one.id, channel=Channel.QUOTES) for one in instruments]
        self._context.task_group.start_soon(self._follow, wanted)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for sink in self._sinks:
            sink.end()

    async def _follow(self, wanted: Sequence[Subscription]) -> None:
        async with self._prices.stream(wanted) as items:
            async for item in items:
                if isinstance(item, Tick):
                    self._quotes[item.instrument_id] = item
                    for order in self._book.working(item.instrument_id):
                        await self._deal(order, item)
                    for sink in self._sinks:
                        await sink.drained()

    async def _deal(self, order: Order, quote: Tick) -> Order:
        request = order.request
        price = quote.ask if request.side is Side.BUY else quote.bid
        assert price is not None, "a quote has both sides"
        limit = request.price
        if limit is not None and (price > limit if request.side is Side.BUY else price < limit):
            return order
        fill = Fill(
            trade_id=str(len(self._book.fills) + 1),
            account=request.account,
            instrument_id=request.instrument_id,
            venue_order_id=order.venue_order_id or "",
            client_order_id=request.client_order_id,
            side=request.side,
            quantity=request.quantity,
            quantity_unit=request.quantity_unit,
            price=price,
            ts_event=max(quote.ts_event, order.ts_last),
        )
        cost = fill.quantity * price
        filled = attrs.evolve(
            order, status=OrderStatus.FILLED, filled=fill.quantity, leaves=0, cost=cost, ts_last=fill.ts_event
        )
        await self._book.write(filled, fill)
        self._tell(fill, filled)
        return filled

    def _tell(self, *events: BrokerEvent) -> None:
        for sink in self._sinks:
            for event in events:
                sink.put(event)

    async def run_events(self, sink: Sink[BrokerEvent], after: str | None) -> None:
        self._sinks.append(sink)
        try:
            await anyio.sleep_forever()
        finally:
            self._sinks.remove(sink)

    async def submit_order(self, request: OrderRequest) -> Order:
        known = self._book.find(request.ref)
        if known is not None:
            return known
        check_shape(request)
        check_capabilities(request, self._declared)
        check_instrument(request, self._instrument(request))
        quote = self._quotes.get(request.instrument_id)
        if quote is None and request.type is OrderType.MARKET:
            raise NoQuote(f"there is no price for {request.instrument_id} yet")
        now = self._context.clock.now()
        number = str(len(self._book.orders) + 1)
        order = Order.of(
            request, OrderStatus.ACCEPTED, venue_order_id=number, ts_submitted=now, ts_accepted=now, ts_last=now
        )
        await self._book.write(order)
        self._tell(order)
        return order if quote is None else await self._deal(order, quote)

    def _instrument(self, request: OrderRequest) -> Instrument:
        if request.instrument_id not in self._instruments:
            raise NotFound(f"{request.instrument_id} is not dealt here")
        instrument: Instrument = self._instruments[request.instrument_id]
        return instrument

    async def cancel_order(self, ref: OrderRef, *, command_id: str) -> Order:
        order = self._book.find(ref)
        if order is None:
            raise NotFound(f"no order {ref.client_order_id or ref.venue_order_id}")
        if order.status.is_final:
            raise OrderNotCancellable(f"the order is {order.status}")
        canceled = attrs.evolve(
            order, status=OrderStatus.CANCELED, leaves=0, canceled=order.leaves, ts_last=self._context.clock.now()
        )
        await self._book.write(canceled)
        self._tell(canceled)
        return canceled

    async def get_order(self, ref: OrderRef) -> OrderLookup:
        order = self._book.find(ref)
        evidence = Evidence.ABSENT if order is None else Evidence.FOUND
        return OrderLookup(evidence=evidence, order=order, complete=True, as_of=self._context.clock.now())

    async def list_accounts(self) -> Sequence[AccountRef]:
        return [
            AccountRef(account=AccountKey(self._context.entry_id, one), name=one, mode=Mode.PAPER, venue="dealer")
            for one in self._context.config["accounts"]
        ]

    async def get_account(self, account: AccountKey) -> AccountState:
        return AccountState(
            account=account,
            mode=Mode.PAPER,
            account_type=AccountType.MARGIN,
            position_mode=PositionMode.NETTING,
            currency="USD",
            complete=True,
            ts_event=self._context.clock.now(),
        )

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        instruments: Sequence[Instrument] = await self._prices.list_instruments(query=query)
        return instruments

    async def list_orders(
        self, account: AccountKey, *, open_only: bool = True, since: int | None = None, cursor: str | None = None
    ) -> Page[Order]:
        orders = [one for one in self._book.orders.values() if one.request.account == account]
        return Page(
            items=[one for one in orders if not (open_only and one.status.is_final) and one.ts_last >= (since or 0)]
        )

    async def list_fills(
        self, account: AccountKey, *, since: int | None = None, cursor: str | None = None
    ) -> Page[Fill]:
        return Page(items=[one for one in self._book.fills if one.account == account and one.ts_event >= (since or 0)])

    async def list_positions(self, account: AccountKey) -> PositionReport:
        positions = self._book.positions(account)
        return PositionReport(account=account, positions=positions, complete=True, as_of=self._context.clock.now())
