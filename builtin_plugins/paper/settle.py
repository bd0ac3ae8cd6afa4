"""What a fill does: it makes a trade, changes the position, and moves the money."""

from __future__ import annotations

from decimal import Decimal

from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.amounts import Money
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Liquidity
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns

from .arithmetic import ZERO
from .arithmetic import add
from .arithmetic import mul
from .arithmetic import sub
from .book import Working
from .holdings import Holding
from .ledger import Account
from .life import cancel_reducing
from .life import change
from .life import traded
from .state import State


def fill(state: State, working: Working, quantity: Decimal, price: Decimal, liquidity: Liquidity, ts: Ns) -> None:
    """Book one trade of an order. ``quantity`` was checked against size, position and money."""
    account, instrument = state.account_of(working), state.instrument_of(working)
    order, request = working.order, working.order.request
    state.marks[instrument.id].take(request.side, quantity)
    commission = _commission(state, account, instrument, quantity, price)
    if account.settings.account_type is AccountType.CASH:
        position_id: str | None = None
        closed: list[str] = []
        _exchange(account, instrument, request.side, quantity, price)
    else:
        position_id, closed = _move_position(state, working, account, instrument, quantity, price, ts)
    state.touch_account(account)
    state.counters.trade += 1
    state.changes.events.append(
        Fill(
            trade_id=f"T{state.counters.trade}",
            account=account.key,
            instrument_id=instrument.id,
            venue_order_id=working.id,
            client_order_id=request.client_order_id,
            side=request.side,
            quantity=quantity,
            quantity_unit=instrument.quantity_unit,
            price=price,
            commission=commission,
            liquidity=liquidity,
            position_id=position_id,
            ts_event=ts,
            ts_init=ts,
        )
    )
    leaves = sub(order.leaves, quantity)
    change(
        state,
        working,
        ts,
        status=OrderStatus.PARTIALLY_FILLED if leaves else OrderStatus.FILLED,
        filled=add(order.filled, quantity),
        leaves=leaves,
        cost=add(order.cost, mul(quantity, price)),
    )
    traded(state, working, ts)
    for gone in closed:
        cancel_reducing(state, account.key, instrument.id, gone, ts, but=working)


def _commission(
    state: State, account: Account, instrument: Instrument, quantity: Decimal, price: Decimal
) -> Money | None:
    if not state.settings.commission_rate:
        return None
    worth = mul(mul(mul(quantity, instrument.contract_size), price), state.settings.commission_rate)
    currency = instrument.quote
    if account.settings.account_type is AccountType.MARGIN:
        worth = mul(worth, state.rate(currency, account.settings.currency))
        currency = account.settings.currency
    return Money(-account.post(currency, -worth), currency)


def _exchange(account: Account, instrument: Instrument, side: Side, quantity: Decimal, price: Decimal) -> None:
    base = mul(quantity, instrument.contract_size)
    sign = 1 if side is Side.BUY else -1
    account.post(instrument.base, base * sign)
    account.post(instrument.quote, mul(base, price) * -sign)


def _move_position(
    state: State,
    working: Working,
    account: Account,
    instrument: Instrument,
    quantity: Decimal,
    price: Decimal,
    ts: Ns,
) -> tuple[str, list[str]]:
    target = position_for(state, working)
    if target is not None and target.side is not working.side:
        closing = min(quantity, target.quantity)
        gain = mul(mul(target.reduce(closing, price, ts), instrument.contract_size), _rate(state, account, instrument))
        target.realized = add(target.realized, account.post(account.settings.currency, gain))
        state.touch_holding(target)
        rest = sub(quantity, closing)
        if target.quantity:
            return target.position_id, []
        del state.holdings[target.position_id]
        if not rest:
            return target.position_id, [target.position_id]
        return _open(state, working, rest, price, ts).position_id, [target.position_id]
    if target is None:
        return _open(state, working, quantity, price, ts).position_id, []
    target.increase(quantity, price, ts)
    protect(working, target, ts)
    state.touch_holding(target)
    return target.position_id, []


def _rate(state: State, account: Account, instrument: Instrument) -> Decimal:
    return state.rate(instrument.quote, account.settings.currency)


def position_for(state: State, working: Working) -> Holding | None:
    """Return the position an order's fill would go to; ``None`` where it opens one."""
    account, request = state.account_of(working), working.order.request
    if account.settings.position_mode is PositionMode.HEDGING:
        return None if working.position_id is None else state.holdings.get(working.position_id)
    held = state.held(account.key.account_id, request.instrument_id)
    return held[0] if held else None


def _open(state: State, working: Working, quantity: Decimal, price: Decimal, ts: Ns) -> Holding:
    request = working.order.request
    state.counters.position += 1
    holding = Holding(
        position_id=f"N{state.counters.position}",
        account_id=request.account.account_id,
        instrument_id=request.instrument_id,
        side=request.side,
        quantity=quantity,
        cost=mul(quantity, price),
        ts_opened=ts,
        ts_last=ts,
    )
    state.holdings[holding.position_id] = holding
    if state.account_of(working).settings.position_mode is PositionMode.HEDGING:
        working.position_id = holding.position_id  # what is still to come of this order adds to it
    protect(working, holding, ts)
    state.touch_holding(holding)
    return holding


def protect(working: Working, holding: Holding, ts: Ns) -> None:
    """Give a position the stop-loss and take-profit that an order which opened it or added to it carries."""
    request = working.order.request
    if request.stop_loss is not None or request.take_profit is not None:
        holding.stop_loss, holding.take_profit = request.stop_loss, request.take_profit
        holding.protected_since = ts


def reducible(state: State, working: Working) -> Decimal:
    """Return how much of a position an order that only reduces may close now."""
    target = position_for(state, working)
    return ZERO if target is None or target.side is working.side else target.quantity
