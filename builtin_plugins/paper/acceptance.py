"""What an order must fulfil to be taken: refusals before anything is booked."""

from __future__ import annotations

from decimal import Decimal

import attrs

from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.checks import check_notional
from gatehook.kinds.checks import check_shape
from gatehook.kinds.checks import default_time_in_force
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import InvalidStops
from gatehook.kinds.errors import MarketClosed
from gatehook.kinds.errors import NoQuote
from gatehook.kinds.errors import PostOnlyWouldTake
from gatehook.kinds.errors import ReduceOnlyRejected
from gatehook.kinds.errors import UnitMismatch
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import InstrumentStatus
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.instruments import Settlement
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.times import Ns

from .arithmetic import mul
from .book import Working
from .ledger import Account
from .life import started
from .margin import opening_part
from .margin import unit_margin
from .marks import Mark
from .path import reached
from .sessions import session_end
from .settle import reducible
from .state import State
from .trailing import Trail


def prepare(state: State, request: OrderRequest, now: Ns, *, held: bool = False, reduces: bool = False) -> Working:
    """Check an order and make it ready to be taken. An order that is ``held`` for its parent meets the market later, so
    what depends on the market is not asked yet.

    Raises:
        NotFound: for an account this venue does not have.
        Denied: where the order breaks a rule that needs no market, or there is no price.
        Rejected: where market or position do not admit it.
    """
    account = state.account(request.account)
    check_shape(request)
    instrument = tradable(state, request)
    request = attrs.evolve(request, time_in_force=request.time_in_force or default_time_in_force(request.type))
    reduces = reduces or request.reduce_only
    _check_account_rules(account, request, in_list=held)
    mark = fresh_mark(state, request.instrument_id, now)
    working = _working(state, request, instrument, now, held=held, reduces=reduces or _closes(state, request))
    _check_worth(request, instrument, mark)
    if not held:
        check_market(working, mark)
        if working.reduces and not reducible(state, working):
            raise ReduceOnlyRejected(f"there is no position in {request.instrument_id} that a {request.side} reduces")
    _check_protection(request, mark)
    bind(state, working, mark)
    return working


def check_same(known: OrderRequest, request: OrderRequest) -> None:
    """Check that a request is the one its id was used for.

    Raises:
        DuplicateClientOrderId: if it is another.
    """
    written = request.time_in_force or default_time_in_force(request.type)
    if attrs.evolve(request, time_in_force=written) != known:
        raise DuplicateClientOrderId(f"client order id {request.client_order_id} was used for another order")


def check_unused(request: OrderRequest, used: bool) -> None:
    """Check that an id is free.

    Raises:
        DuplicateClientOrderId: if it is not.
    """
    if used:
        raise DuplicateClientOrderId(f"client order id {request.client_order_id} belongs to an order outside this list")


def tradable(state: State, request: OrderRequest) -> Instrument:
    """Return the instrument of an order that keeps its rules.

    Raises:
        InvalidOrder, UnitMismatch, UnsupportedCapability, MarketClosed: naming the rule.
    """
    instrument = state.instruments.get(request.instrument_id)
    if instrument is None:
        raise InvalidOrder(f"{request.instrument_id} is no instrument of this venue's price source")
    if request.quantity_unit is QuantityUnit.QUOTE:
        raise UnitMismatch(f"{instrument.id} is traded in {instrument.quantity_unit}, not in its quote currency")
    check_instrument(request, instrument)
    if instrument.settlement is not Settlement.LINEAR:
        raise UnsupportedCapability(f"{instrument.id} settles {instrument.settlement}; the paper broker settles linear")
    if instrument.status in (InstrumentStatus.HALTED, InstrumentStatus.CLOSED, InstrumentStatus.CANCEL_ONLY):
        raise MarketClosed(f"{instrument.id} is {instrument.status}")
    return instrument


def fresh_mark(state: State, instrument_id: InstrumentId, now: Ns) -> Mark:
    """Return an instrument's price.

    Raises:
        NoQuote: where there is none, or it is older than ``max_quote_age``.
    """
    mark = state.marks.get(instrument_id)
    if mark is None:
        raise NoQuote(f"there is no price of {instrument_id} yet")
    if not mark.fresh(now, state.settings.max_quote_age):
        seconds = state.settings.max_quote_age // 1_000_000_000
        raise NoQuote(f"the price of {instrument_id} is older than max_quote_age, {seconds} s")
    return mark


def _check_worth(request: OrderRequest, instrument: Instrument, mark: Mark) -> None:
    if request.price is None and request.trigger_price is None:
        price = mark.price(request.side)
        check_notional(mul(mul(request.quantity, instrument.contract_size), price), instrument)


def _check_account_rules(account: Account, request: OrderRequest, *, in_list: bool) -> None:
    protected = request.stop_loss is not None or request.take_profit is not None
    mode = account.settings.position_mode
    if account.settings.account_type is AccountType.CASH:
        if protected or request.reduce_only or request.position_id is not None:
            raise UnsupportedCapability("a cash account has no positions to protect or to reduce")
    elif mode is PositionMode.HEDGING and request.reduce_only and request.position_id is None and not in_list:
        raise InvalidOrder("reduce_only in a hedging account needs position_id")


def _closes(state: State, request: OrderRequest) -> bool:
    """Say whether an order names a position of the other side: it may close it and never open the reverse.

    Raises:
        InvalidOrder: for a position that is not there.
    """
    if request.position_id is None:
        return False
    holding = state.holdings.get(request.position_id)
    place = (request.account.account_id, request.instrument_id)
    if holding is None or (holding.account_id, holding.instrument_id) != place:
        if request.reduce_only:
            raise ReduceOnlyRejected(f"there is no position {request.position_id} in {request.instrument_id}")
        raise InvalidOrder(f"there is no position {request.position_id} in {request.instrument_id}")
    return holding.side is not request.side and state.accounts[place[0]].settings.position_mode is PositionMode.HEDGING


def _working(
    state: State, request: OrderRequest, instrument: Instrument, now: Ns, *, held: bool, reduces: bool
) -> Working:
    trail = None
    if request.trailing is not None:
        trail = Trail(request.side, request.trailing, instrument.price_increment)
        trail = trail if held else started(state, trail, instrument.id, now)
    return Working(
        order=Order.of(request, OrderStatus.SUBMITTED, ts_submitted=now, ts_last=now),
        seq=state.counters.seq + 1,
        since=now,
        expires=_expires(state, request, now),
        active=request.type in (OrderType.MARKET, OrderType.LIMIT),
        held=held,
        reduces=reduces,
        position_id=request.position_id,
        trail=trail,
    )


def _expires(state: State, request: OrderRequest, now: Ns) -> Ns | None:
    if request.time_in_force is TimeInForce.DAY:
        return session_end(now, state.settings.session_end)
    if request.expire_at is not None and request.expire_at <= now:
        raise InvalidOrder("expire_at is not after now")
    return request.expire_at


def check_market(working: Working, mark: Mark) -> None:
    """Check an order against the market.

    Raises:
        InvalidStops: for a trigger that the market is at, or beyond.
        PostOnlyWouldTake: for a post-only limit that the market is at, or beyond.
    """
    request, price = working.order.request, mark.price(working.side)
    rising = working.side is Side.BUY
    trigger = working.trigger
    if trigger is not None and reached(price, price, trigger, rising=rising) is not None:
        raise InvalidStops(f"the market is at {price}, so the trigger {trigger} is reached already")
    limit = request.price if request.post_only and working.active else None
    if limit is not None and reached(price, price, limit, rising=not rising) is not None:
        raise PostOnlyWouldTake(f"the market is at {price}, so a limit of {limit} would take")


def _check_protection(request: OrderRequest, mark: Mark) -> None:
    entry = request.price or request.trigger_price
    check_levels(request.side, entry or mark.price(request.side.opposite), request.stop_loss, request.take_profit)


def check_levels(side: Side, price: Decimal, stop_loss: Decimal | None, take_profit: Decimal | None) -> None:
    """Check protection of a position of ``side`` against a price.

    Raises:
        InvalidStops: for a level at the price or on its wrong side.
    """
    sign = 1 if side is Side.BUY else -1
    if stop_loss is not None and (price - stop_loss) * sign <= 0:
        raise InvalidStops(f"the stop-loss {stop_loss} of a {side} is not on the losing side of {price}")
    if take_profit is not None and (take_profit - price) * sign <= 0:
        raise InvalidStops(f"the take-profit {take_profit} of a {side} is not on the winning side of {price}")


def bind(state: State, working: Working, mark: Mark) -> None:
    """Determine what an order puts aside: its price, or else what it is triggered at, or else the market."""
    request = working.order.request
    price = request.price or working.trigger or mark.price(request.side)
    working.reserve_rate = unit_margin(
        state, state.accounts[request.account.account_id], request.instrument_id, request.side, price
    )
    working.opening = opening_part(state, working)
