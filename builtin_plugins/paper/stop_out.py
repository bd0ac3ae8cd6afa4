"""Positions are closed when an account's equity no longer covers its margin."""

from __future__ import annotations

from gatehook.kinds.accounts import AccountType
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderType
from gatehook.kinds.times import Ns

from .arithmetic import mul
from .execution import close
from .holdings import Holding
from .ledger import Account
from .margin import equity
from .margin import position_margin
from .margin import profit
from .margin import total
from .state import State


def stop_out(state: State, instrument_id: InstrumentId, ts: Ns) -> None:
    """Close positions, largest loss first, of every account with a position in an instrument whose price has moved."""
    names = {holding.account_id for holding in state.held_in(instrument_id)}
    for account in (state.accounts[name] for name in sorted(names)):
        if account.settings.account_type is AccountType.MARGIN:
            _close_largest_losses(state, account, ts)


def _close_largest_losses(state: State, account: Account, ts: Ns) -> None:
    while _short(state, account):
        holding = _largest_loss(state, account)
        if holding is None:
            return
        price = state.marks[holding.instrument_id].price(holding.side.opposite)
        close(state, holding, price, ts, OrderType.MARKET, None, "stop_out")


def _short(state: State, account: Account) -> bool:
    bound = total(account, position_margin(state, account))
    return bound > 0 and equity(state, account) <= mul(bound, state.settings.stop_out)


def _largest_loss(state: State, account: Account) -> Holding | None:
    """Return the position that loses most and is not being closed already."""
    held = [one for one in state.holdings.values() if one.account_id == account.key.account_id and one.closing is None]
    return min(held, key=lambda one: profit(state, one), default=None)
