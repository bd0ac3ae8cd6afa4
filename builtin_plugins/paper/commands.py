"""Commands that change what is there: amend an order, protect a position."""

from __future__ import annotations

from decimal import Decimal

import attrs

from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.amounts import on_step
from gatehook.kinds.amounts import plain
from gatehook.kinds.checks import check_shape
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotFound
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.times import Ns

from .acceptance import bind
from .acceptance import check_levels
from .acceptance import check_market
from .acceptance import fresh_mark
from .acceptance import tradable
from .arithmetic import mul
from .arithmetic import sub
from .book import Working
from .holdings import Holding
from .life import change as change_order
from .life import started
from .margin import Bound
from .margin import affordable
from .state import State
from .trailing import Trail


def check_money(state: State, workings: list[Working]) -> None:
    """Check that what orders put aside is there.

    Raises:
        InsufficientFunds: if it is not.
    """
    extra: Bound = {}
    for one in workings:
        key = (one.order.request.instrument_id, one.side)
        extra[key] = extra.get(key, one.reserved * 0) + mul(one.reserve_rate, one.opening)
    account = state.account_of(workings[0])
    if any(extra.values()) and not affordable(state, account, extra):
        raise InsufficientFunds(f"account {account.key} has too little free for this order")


def amend(state: State, working: Working, wanted: OrderChange, now: Ns) -> None:
    """Change a working order. It keeps its place in time only if nothing but its quantity becomes less.

    Raises:
        InvalidOrder, NoQuote, InvalidStops, PostOnlyWouldTake, InsufficientFunds: then nothing changed.
    """
    order = working.order
    fields = {name: value for name, value in attrs.asdict(wanted, recurse=False).items() if value is not None}
    request = attrs.evolve(order.request, **fields)
    if wanted.trigger_price is not None and working.active:
        raise InvalidOrder("the order has no trigger, or was triggered already")
    if request.quantity <= order.filled:
        raise InvalidOrder(f"{plain(order.filled)} of the order is filled, the quantity must be above that")
    check_shape(request)
    tradable(state, request)
    mark = fresh_mark(state, request.instrument_id, now)
    leaves = sub(request.quantity, order.filled)
    moved = fields.keys() != {"quantity"}
    after = attrs.evolve(working, order=attrs.evolve(order, request=request, leaves=leaves))
    if not working.held and moved:
        check_market(after, mark)
    account = state.account_of(working)
    account.reserve(request.instrument_id, request.side, -working.reserved)
    try:
        bind(state, after, mark)
        check_money(state, [after])
    finally:
        account.reserve(request.instrument_id, request.side, working.reserved)
    working.reserve_rate, working.opening = after.reserve_rate, after.opening
    if moved or request.quantity > order.request.quantity:
        working.seq = state.next_seq()
    if moved:
        working.seen, working.since = False, now
    change_order(state, working, now, request=request, leaves=leaves)


def position(state: State, ref: PositionRef) -> Holding:
    """Return the position that is named.

    Raises:
        InvalidOrder: in a hedging account without a position id.
        NotFound: if there is none.
    """
    account = state.account(ref.account)
    if account.settings.position_mode is PositionMode.HEDGING and ref.position_id is None:
        raise InvalidOrder("a hedging account can have several positions in an instrument: position_id is needed")
    for holding in state.held(ref.account.account_id, ref.instrument_id):
        if ref.position_id in (None, holding.position_id):
            return holding
    raise NotFound(f"account {ref.account} has no such position in {ref.instrument_id}")


def protect(state: State, ref: PositionRef, protection: Protection, now: Ns) -> Holding:
    """Set a position's protection; what is ``None`` is removed.

    Raises:
        InvalidOrder, NotFound, NoQuote: as they say.
        InvalidStops: for a level that the market is at, or beyond.
    """
    holding = position(state, ref)
    mark = fresh_mark(state, holding.instrument_id, now)
    step = state.instruments[holding.instrument_id].price_increment
    for name in ("stop_loss", "take_profit"):
        value = getattr(protection, name)
        if value is not None and not on_step(value, step):
            raise InvalidOrder(f"{name} {plain(value)} is off the price_increment {plain(step)}")
    check_levels(holding.side, mark.price(holding.side.opposite), protection.stop_loss, protection.take_profit)
    trail = None
    if protection.trailing is not None:
        if protection.trailing.offset <= 0:
            raise InvalidOrder("trailing.offset is above zero")
        trail = started(state, Trail(holding.side.opposite, protection.trailing, step), holding.instrument_id, now)
    holding.stop_loss, holding.take_profit, holding.trail = protection.stop_loss, protection.take_profit, trail
    holding.protected_since = now
    state.touch_holding(holding)
    return holding


def closing_order(state: State, ref: PositionRef, quantity: Decimal | None, command_id: str) -> OrderRequest:
    """Return the market order that closes a position, or ``quantity`` of it."""
    holding = position(state, ref)
    instrument = state.instruments[holding.instrument_id]
    return OrderRequest(
        client_order_id=command_id,
        account=ref.account,
        instrument_id=ref.instrument_id,
        side=holding.side.opposite,
        type=OrderType.MARKET,
        quantity=holding.quantity if quantity is None else quantity,
        quantity_unit=instrument.quantity_unit,
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
        position_id=holding.position_id,
    )
