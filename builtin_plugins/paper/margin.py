"""What an account is worth, what of it is bound, and what an order would bind."""

from __future__ import annotations

from decimal import Decimal

from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.amounts import RATIO
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Side

from .arithmetic import FINER
from .arithmetic import ZERO
from .arithmetic import add
from .arithmetic import mul
from .arithmetic import sub
from .book import Working
from .holdings import Holding
from .ledger import Account
from .state import State

Bound = dict[tuple[InstrumentId, Side], Decimal]


def unit_margin(state: State, account: Account, instrument_id: InstrumentId, side: Side, price: Decimal) -> Decimal:
    """Return what one unit binds at a price, in the account's currency; for a cash account in what it pays with.

    Raises:
        Denied: where the price cannot be valued in the account's currency.
    """
    instrument = state.instruments[instrument_id]
    if account.settings.account_type is AccountType.CASH:
        with_fee = add(Decimal(1), state.settings.commission_rate)
        return mul(mul(instrument.contract_size, price), with_fee) if side is Side.BUY else instrument.contract_size
    worth = mul(mul(instrument.contract_size, price), state.rate(instrument.quote, account.settings.currency))
    return RATIO.divide(worth, account.settings.leverage).quantize(FINER, context=RATIO)


def profit(state: State, holding: Holding) -> Decimal:
    """Return what closing a position now would bring, in the account's currency."""
    instrument = state.instruments[holding.instrument_id]
    gain = holding.profit(state.marks[holding.instrument_id].price(holding.side.opposite))
    return mul(mul(gain, instrument.contract_size), _rate(state, holding))


def _rate(state: State, holding: Holding) -> Decimal:
    quote = state.instruments[holding.instrument_id].quote
    return state.rate(quote, state.accounts[holding.account_id].settings.currency)


def equity(state: State, account: Account) -> Decimal:
    """Return balance and floating profit of a margin account."""
    total = account.balance
    for holding in state.holdings.values():
        if holding.account_id == account.key.account_id:
            total = add(total, profit(state, holding))
    return total


def position_margin(state: State, account: Account) -> Bound:
    """Return what open positions bind, at the prices they were opened at, by instrument and side."""
    bound: Bound = {}
    for holding in state.holdings.values():
        if holding.account_id == account.key.account_id:
            key = (holding.instrument_id, holding.side)
            instrument = state.instruments[holding.instrument_id]
            worth = mul(mul(holding.cost, instrument.contract_size), _rate(state, holding))
            amount = RATIO.divide(worth, account.settings.leverage).quantize(FINER, context=RATIO)
            bound[key] = add(bound.get(key, ZERO), amount)
    return bound


def total(account: Account, *parts: Bound) -> Decimal:
    """Add up what is bound: where an account hedges, the larger of both sides of an instrument."""
    merged: Bound = {}
    for part in parts:
        for key, amount in part.items():
            merged[key] = add(merged.get(key, ZERO), amount)
    if account.settings.position_mode is not PositionMode.HEDGING:
        return sum(merged.values(), ZERO)
    instruments = {instrument_id for instrument_id, _ in merged}
    return sum((max(merged.get((one, side), ZERO) for side in Side) for one in instruments), ZERO)


def used(state: State, account: Account) -> Decimal:
    """Return the margin that positions and working orders bind."""
    return total(account, position_margin(state, account), account.reserved)


def affordable(state: State, account: Account, extra: Bound) -> bool:
    """Say whether so much more can be bound."""
    if account.settings.account_type is AccountType.CASH:
        return all(_has(state, account, asset, extra) for asset in {paying_asset(state, *key) for key in extra})
    positions = position_margin(state, account)
    after = total(account, positions, account.reserved, extra)
    return after <= total(account, positions, account.reserved) or after <= equity(state, account)


def _has(state: State, account: Account, asset: str, extra: Bound) -> bool:
    wanted = sum((amount for key, amount in extra.items() if paying_asset(state, *key) == asset), ZERO)
    return sub(account.balances.get(asset, ZERO), locked(state, account, asset)) >= wanted


def paying_asset(state: State, instrument_id: InstrumentId, side: Side) -> str:
    """Return what a cash account pays with: a buy with the quote currency, a sell with the base."""
    instrument = state.instruments[instrument_id]
    return instrument.quote if side is Side.BUY else instrument.base


def locked(state: State, account: Account, asset: str) -> Decimal:
    """Return what working orders of a cash account put aside of an asset."""
    return sum(
        (amount for (one, side), amount in account.reserved.items() if paying_asset(state, one, side) == asset), ZERO
    )


def reserve(state: State, working: Working) -> None:
    """Bring what an order puts aside in line with what is left of it."""
    wanted = mul(working.reserve_rate, min(working.opening, working.order.leaves))
    account = state.account_of(working)
    account.reserve(working.order.request.instrument_id, working.side, sub(wanted, working.reserved))
    working.reserved = wanted


def opening_part(state: State, working: Working) -> Decimal:
    """Return how much of what is left of an order does not reduce a position, other orders before it counted first."""
    if working.reduces:
        return ZERO
    account, request = state.account_of(working), working.order.request
    leaves = working.order.leaves
    if account.settings.position_mode is not PositionMode.NETTING:
        return leaves
    against = sum(
        (
            one.quantity
            for one in state.held(account.key.account_id, request.instrument_id)
            if one.side is not request.side
        ),
        ZERO,
    )
    if not against:
        return leaves
    for other in state.book.of(request.instrument_id):
        if other.seq < working.seq and other.side is working.side and state.account_of(other) is account:
            against = sub(against, sub(other.order.leaves, min(other.opening, other.order.leaves)))
    return max(ZERO, sub(leaves, max(ZERO, against)))
