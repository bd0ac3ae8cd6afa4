"""One order meets one price: how much of it trades there, and what becomes of the rest."""

from __future__ import annotations

from decimal import Decimal

from gatehook.kinds.accounts import AccountType
from gatehook.kinds.orders import Liquidity
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.times import Ns

from .arithmetic import ZERO
from .arithmetic import mul
from .arithmetic import sub
from .book import Working
from .holdings import Holding
from .life import accept
from .life import cancel
from .life import change
from .margin import Bound
from .margin import affordable
from .margin import position_margin
from .margin import unit_margin
from .path import reached
from .settle import fill
from .settle import position_for
from .settle import reducible
from .state import State


def trade(state: State, working: Working, price: Decimal, ts: Ns) -> None:
    """Let an active order trade at a price as far as size, position and money allow."""
    quantity = _quantity(state, working, price)
    if working.reduces and not reducible(state, working):
        cancel(state, working, ts, "reduce_only", "there is no position to reduce")
    elif working.order.request.time_in_force is TimeInForce.FOK and quantity < working.order.leaves:
        cancel(state, working, ts, "fok", "not all of it could be filled at once")
    elif quantity and not _affords(state, working, quantity, price):
        cancel(state, working, ts, "insufficient_margin", "the account's free margin does not cover the fill")
    else:
        _fill(state, working, quantity, price, ts)


def _fill(state: State, working: Working, quantity: Decimal, price: Decimal, ts: Ns) -> None:
    if quantity:
        rested = working.seen and working.limit is not None
        fill(state, working, quantity, price, Liquidity.MAKER if rested else Liquidity.TAKER, ts)
    if working.reduces and not reducible(state, working):
        cancel(state, working, ts, "reduce_only", "the position is closed")
    if working.immediate:
        cancel(state, working, ts, "ioc", "what could not be filled at once is canceled")


def _quantity(state: State, working: Working, price: Decimal) -> Decimal:
    limit, side = working.limit, working.side
    if limit is not None and reached(price, price, limit, rising=side is Side.SELL) is None:
        return ZERO
    quantity = working.order.leaves
    left = state.marks[working.order.request.instrument_id].left(side)
    if left is not None:
        quantity = min(quantity, left)
    return min(quantity, reducible(state, working)) if working.reduces else quantity


def _affords(state: State, working: Working, quantity: Decimal, price: Decimal) -> bool:
    account, request = state.account_of(working), working.order.request
    amount = mul(quantity, unit_margin(state, account, request.instrument_id, request.side, price))
    freed: Bound = {}
    target = None if account.settings.account_type is AccountType.CASH else position_for(state, working)
    if target is not None and target.side is not request.side:
        if quantity <= target.quantity:
            return True
        amount = mul(sub(quantity, target.quantity), amount / quantity)
        key = (request.instrument_id, target.side)
        freed = {key: -position_margin(state, account)[key]}
    account.reserve(request.instrument_id, request.side, -working.reserved)
    try:
        return affordable(state, account, {(request.instrument_id, request.side): amount, **freed})
    finally:
        account.reserve(request.instrument_id, request.side, working.reserved)


def triggered(state: State, working: Working, price: Decimal, ts: Ns) -> None:
    """Make a stop active: from here on it is a market order, or a limit order that first meets the market now."""
    working.active, working.seen = True, False
    change(state, working, ts, status=OrderStatus.TRIGGERED)
    limit = working.limit
    if (
        working.order.request.post_only
        and limit is not None
        and reached(price, price, limit, rising=working.side is Side.SELL) is not None
    ):
        cancel(state, working, ts, "post_only_would_take", "its limit would have traded at once when it was triggered")


def fire_protection(state: State, holding: Holding, price: Decimal, ts: Ns, *, stop: bool) -> None:
    """Close a position by its stop-loss, at the market, or by its take-profit, at that limit."""
    if stop:
        close(state, holding, price, ts, OrderType.STOP, holding.stop, "stop_loss")
    else:
        level, holding.take_profit = holding.take_profit, None
        close(state, holding, price, ts, OrderType.LIMIT, level, "take_profit")


def close(
    state: State, holding: Holding, price: Decimal, ts: Ns, kind: OrderType, level: Decimal | None, cause: str
) -> None:
    """Close a position by an order of the venue's own, tagged with its cause; what finds no size works on."""
    state.counters.order += 1
    venue_order_id = f"P{state.counters.order}"
    request = OrderRequest(
        client_order_id=f"{state.settings.entry_id}-{venue_order_id}",
        account=state.accounts[holding.account_id].key,
        instrument_id=holding.instrument_id,
        side=holding.side.opposite,
        type=kind,
        quantity=holding.quantity,
        quantity_unit=state.instruments[holding.instrument_id].quantity_unit,
        price=level if kind is OrderType.LIMIT else None,
        trigger_price=level if kind is OrderType.STOP else None,
        time_in_force=TimeInForce.GTC,
        reduce_only=True,
        position_id=holding.position_id,
        tags=(cause,),
    )
    order = Order.of(
        request,
        OrderStatus.SUBMITTED,
        venue_order_id=venue_order_id,
        origin=OrderOrigin.VENUE,
        ts_submitted=ts,
    )
    working = Working(
        order=order, seq=state.next_seq(), since=ts, reduces=True, seen=True, position_id=holding.position_id
    )
    if kind is not OrderType.LIMIT:
        holding.closing = venue_order_id
        holding.stop_loss = holding.take_profit = holding.trail = None
    state.touch_holding(holding)
    accept(state, working, ts)
    trade(state, working, price, ts)
