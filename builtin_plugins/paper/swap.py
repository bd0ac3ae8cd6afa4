"""What holding a position over night costs or brings; nothing, unless it is configured."""

from __future__ import annotations

from decimal import Decimal

from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns

from .arithmetic import add
from .arithmetic import mul
from .holdings import Holding
from .sessions import SWAP_TIME
from .sessions import nights
from .sessions import session_end
from .state import State


def book_swap(state: State, instrument_id: InstrumentId, ts: Ns) -> None:
    """Book the nights that have passed in an instrument up to a time; it precedes every price of that time."""
    last = state.swapped.get(instrument_id, ts)
    state.swapped[instrument_id] = max(last, ts)
    rates = state.settings.swaps.get(instrument_id)
    if rates is None or ts <= last:
        return
    for holding in state.held_in(instrument_id):
        if count := nights(last, ts):
            _book(state, holding, rates[0] if holding.side is Side.BUY else rates[1], count)


def _book(state: State, holding: Holding, rate: Decimal, count: int) -> None:
    instrument, account = state.instruments[holding.instrument_id], state.accounts[holding.account_id]
    units = mul(holding.quantity, instrument.contract_size)
    amount = mul(mul(units, rate * count), state.rate(instrument.quote, account.settings.currency))
    holding.swap = add(holding.swap, account.post(account.settings.currency, amount))
    state.touch_holding(holding)
    state.touch_account(account)


def swap_times(state: State, instrument_id: InstrumentId, start: Ns, end: Ns) -> list[Ns]:
    """Return when swap is booked inside (start, end), where the instrument has any."""
    if instrument_id not in state.settings.swaps:
        return []
    times, at = [], session_end(start, SWAP_TIME)
    while at < end:
        times.append(at)
        at = session_end(at, SWAP_TIME)
    return times
