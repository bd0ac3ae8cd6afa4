"""The broker: it checks before it sends, sends once, and says of the outcome only what the venue proved."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Self

import attrs

from gatehook import AccountKey
from gatehook import AccountRef
from gatehook import AccountState
from gatehook import AccountType
from gatehook import Ambiguous
from gatehook import Broker
from gatehook import Fill
from gatehook import Instrument
from gatehook import Money
from gatehook import NotFound
from gatehook import Order
from gatehook import OrderChange
from gatehook import OrderLookup
from gatehook import OrderRef
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import Page
from gatehook import PositionMode
from gatehook import PositionRef
from gatehook import PositionReport
from gatehook import Side
from gatehook import UnsupportedCapability
from gatehook.kinds.accounts import Balance
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.checks import check_capabilities
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.checks import check_shape
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.provider import Health

from .commands import direction
from .commands import placing
from .plugin import Plugin
from .positions import Positions
from .session import DONE
from .session import PARTIAL
from .session import TradeReply


class MetaApiBroker(Broker):
    """MetaTrader accounts behind the server."""

    def __init__(self, plugin: Plugin, declared: BrokerCapabilities) -> None:
        self.plugin = plugin
        self._declared = declared
        self._session, self._links, self._words = plugin.session, plugin.links, plugin.words
        self._history, self._lookup, self._closes = plugin.history, plugin.lookup, plugin.closes
        self._positions = Positions(plugin)

    async def __aenter__(self) -> Self:
        await self.plugin.open()
        return self

    def health(self) -> Health:
        return self.plugin.health()

    def capabilities(self) -> BrokerCapabilities:
        return self.plugin.broker_capabilities(self._declared)

    # --- accounts

    async def list_accounts(self) -> Sequence[AccountRef]:
        return await self._links.refs()

    async def get_account(self, account: AccountKey) -> AccountState:
        account_id = self._links.check(account)
        link = await self._links.ready(account_id)
        answer = await self._session.ask("get_account_information", account_id)
        balance, margin = answer["balance"].number(), answer["margin"].number()
        currency = answer["currency"].text()
        if currency != link.currency:
            answer["currency"].wrong("the currency of the account that was asked for")
        free = LEDGER.subtract(balance, margin)
        return AccountState(
            account=account,
            mode=link.mode,
            account_type=AccountType.MARGIN,
            position_mode=link.position_mode,
            currency=currency,
            balances=(Balance(asset=currency, total=balance, free=free, locked=margin),),
            equity=answer["equity"].number(),
            margin_used=margin,
            margin_free=answer["freeMargin"].number(),
            leverage=answer["leverage"].number(),
            trade_allowed=answer["tradeAllowed"].flag(),
            complete=await self._history.is_complete(account_id),
            ts_event=self.plugin.now(),
            raw=answer.value,
        )

    async def list_positions(self, account: AccountKey) -> PositionReport:
        return await self._positions.report(account)

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        return await self.plugin.instruments.matching(query)

    # --- orders

    async def submit_order(self, request: OrderRequest) -> Order:
        account_id = self._links.check(request.account)
        check_shape(request)
        check_capabilities(request, self._declared)
        instrument = await self.plugin.instruments.of(request.instrument_id, account_id)
        check_instrument(request, instrument)
        tool, arguments = placing(request, instrument)
        await self._links.ready(account_id)
        started = self.plugin.now()
        reply = await self._session.trade(tool, account_id, **arguments)
        if reply.order_id is None:
            raise Ambiguous(f"{tool} answered {reply.word} without the order's id")
        self.plugin.heed_id(tool, request.client_order_id, reply)
        order = Order.of(
            request,
            OrderStatus.ACCEPTED,
            venue_order_id=reply.order_id,
            ts_submitted=started,
            ts_accepted=started,
            ts_last=started,
        )
        return order if request.type is not OrderType.MARKET else await self._traded(order, reply)

    async def _traded(self, order: Order, reply: TradeReply) -> Order:
        """Return a market order with what it filled, as soon as its deals are seen; till then nothing is said of it.

        ``DONE_PARTIAL`` is not a full fill, and only the deals say how much it is.
        """
        ref = OrderRef(account=order.request.account, venue_order_id=order.venue_order_id)
        found = await self._lookup.seen(ref, lambda seen: seen.status.is_final)
        if found is None or not found.status.is_final:
            return order
        if reply.word == PARTIAL and found.filled >= order.request.quantity:
            raise Ambiguous(f"the answer is {PARTIAL}, and the history has the order as filled whole")
        return attrs.evolve(found, request=order.request, ts_submitted=order.ts_submitted, origin=OrderOrigin.GATEWAY)

    async def cancel_order(self, ref: OrderRef, *, command_id: str) -> Order:
        account_id = self._links.check(ref.account)
        order = await self._workable(ref)
        assert order.venue_order_id is not None, "an order that was found has a ticket"
        named = attrs.evolve(order.ref, venue_order_id=order.venue_order_id)
        try:
            reply = await self._session.trade("cancel_order", account_id, orderId=order.venue_order_id)
        except Ambiguous as error:
            await self._refuse_if_ended(error, named)
            raise
        after = await self._lookup.seen(named, lambda seen: seen.status.is_final)
        if after is None and reply.word == DONE:  # it rests no more, and the history does not show it yet
            return attrs.evolve(order, status=OrderStatus.CANCELED, leaves=0, canceled=order.leaves)
        if after is None or not after.status.is_final:
            return attrs.evolve(order, status=OrderStatus.PENDING_CANCEL)
        if after.status is not OrderStatus.CANCELED:
            raise OrderNotCancellable(f"the order is {after.status}")
        return after

    async def _refuse_if_ended(self, error: Ambiguous, ref: OrderRef) -> None:
        """Where the server answered a cancel with words that prove nothing, the history may prove the refusal.

        Raises:
            OrderNotCancellable: when the order came to another end.
        """
        if error.venue_code is None:  # no answer at all: the cancel may still be on its way
            return
        after = await self._lookup.seen(ref, lambda seen: seen.status.is_final)
        if after is not None and after.status.is_final and after.status is not OrderStatus.CANCELED:
            raise OrderNotCancellable(f"the order is {after.status}", venue_code=error.venue_code) from error

    async def _workable(self, ref: OrderRef) -> Order:
        """Return a working order.

        Raises:
            NotFound: when it is not found; nothing was sent.
            OrderNotCancellable: when it came to its end; nothing was sent.
        """
        await self._links.ready(ref.account.account_id)
        order = (await self._lookup.order(ref, self.plugin.now())).order
        if order is None:
            raise NotFound("the account shows no such order; nothing was sent")
        if order.status.is_final:
            raise OrderNotCancellable(f"the order is {order.status}; nothing was sent")
        return order

    async def amend_order(self, ref: OrderRef, change: OrderChange, *, command_id: str) -> Order:
        """Move a working order. Its stop-loss and take-profit go with the call: the server may drop what it lacks."""
        account_id = self._links.check(ref.account)
        order = await self._workable(ref)
        request = order.request
        if change.quantity is not None and change.quantity != request.quantity:
            raise UnsupportedCapability("this server changes no quantities; cancel and place another; nothing was sent")
        changed = attrs.evolve(
            request,
            price=request.price if change.price is None else change.price,
            trigger_price=request.trigger_price if change.trigger_price is None else change.trigger_price,
        )
        check_shape(attrs.evolve(changed, client_order_id=command_id))
        if request.type not in (OrderType.LIMIT, OrderType.STOP):
            raise UnsupportedCapability(f"this server moves no {request.type} orders; nothing was sent")
        check_instrument(changed, await self.plugin.instruments.of(request.instrument_id, account_id))
        price = changed.price if request.type is OrderType.LIMIT else changed.trigger_price
        await self._session.trade(
            "modify_order",
            account_id,
            orderId=order.venue_order_id,
            openPrice=price,
            stopLoss=request.stop_loss,
            takeProfit=request.take_profit,
        )

        def moved(seen: Order) -> bool:
            now = seen.request
            return seen.status.is_final or (now.price, now.trigger_price) == (changed.price, changed.trigger_price)

        after = await self._lookup.seen(order.ref, moved)
        if after is None or not moved(after):
            raise Ambiguous("the move of the order was answered, and is not seen yet")
        return after

    async def get_order(self, ref: OrderRef) -> OrderLookup:
        await self._links.ready(self._links.check(ref.account))
        return await self._lookup.order(ref, self.plugin.now())

    async def list_orders(
        self, account: AccountKey, *, open_only: bool = True, since: int | None = None, cursor: str | None = None
    ) -> Page[Order]:
        """Return the orders that ended, span by span, and then the working ones."""
        account_id = self._links.check(account)
        await self._links.ready(account_id)
        if open_only:
            working = await self._lookup.working(account)
            complete = await self._history.is_complete(account_id)
            return Page(items=self._of_ours(account_id, working), complete=complete)
        orders, part = await self._history.orders(account, since, cursor)
        if part.cursor is None:
            ended = {one.venue_order_id for one in orders}
            orders += [one for one in await self._lookup.working(account) if one.venue_order_id not in ended]
        return Page(items=self._of_ours(account_id, orders), cursor=part.cursor, complete=part.complete)

    def _of_ours(self, account_id: str, orders: list[Order]) -> tuple[Order, ...]:
        """Give the closes among orders their ids."""
        return tuple(self._with_id(one, self._closes.id_of(account_id, one.venue_order_id or "")) for one in orders)

    def _with_id(self, order: Order, client_order_id: str | None) -> Order:
        if client_order_id is None:
            return order
        return attrs.evolve(order, request=attrs.evolve(order.request, client_order_id=client_order_id))

    async def list_fills(
        self, account: AccountKey, *, since: int | None = None, cursor: str | None = None
    ) -> Page[Fill]:
        account_id = self._links.check(account)
        link = await self._links.ready(account_id)
        hedging = link.position_mode is PositionMode.HEDGING
        deals, part = await self._history.deals(account, since, cursor)
        fills = []
        for deal in deals:
            own = self._closes.id_of(account_id, deal.order_id)
            # What closes a hedged position has no name of its own; one on it would be that of the opening order.
            name = None if hedging and deal.closing else deal.client_id
            fills.append(attrs.evolve(deal.fill, client_order_id=own or name))
        return Page(items=tuple(fills), cursor=part.cursor, complete=part.complete)

    # --- positions

    async def close_position(self, ref: PositionRef, *, quantity: Decimal | None = None, command_id: str) -> Order:
        return await self._positions.close(ref, quantity, command_id)

    async def modify_position(self, ref: PositionRef, protection: Protection, *, command_id: str) -> PositionReport:
        return await self._positions.protect(ref, protection)

    async def estimate_margin(self, request: OrderRequest) -> Money:
        account_id = self._links.check(request.account)
        instrument = await self.plugin.instruments.of(request.instrument_id, account_id)
        link = await self._links.ready(account_id)
        price = request.price if request.price is not None else request.trigger_price
        if price is None:
            quote = await self.plugin.quote(request.instrument_id, account_id)
            price = quote.ask if request.side is Side.BUY else quote.bid
        answer = await self._session.ask(
            "calculate_margin",
            account_id,
            symbol=instrument.native_symbol,
            type=direction(request.side),
            volume=request.quantity,
            openPrice=price,
        )
        return Money(answer["margin"].number(), link.currency)
