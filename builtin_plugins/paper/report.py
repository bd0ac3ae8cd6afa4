"""What the venue says about an account: its money and its positions."""

from __future__ import annotations

from decimal import Decimal

from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import Balance
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import Position
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.errors import Denied
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.times import Ns

from .arithmetic import ZERO
from .arithmetic import add
from .arithmetic import mul
from .arithmetic import sub
from .holdings import Holding
from .ledger import Account
from .margin import equity
from .margin import locked
from .margin import profit
from .margin import used
from .state import State


def account_state(state: State, key: AccountKey, now: Ns) -> AccountState:
    """Return an account's money.

    Raises:
        NotFound: for an account this venue does not have.
    """
    account = state.account(key)
    settings = account.settings
    margin = settings.account_type is AccountType.MARGIN
    worth = equity(state, account) if margin else _cash_worth(state, account)
    bound = used(state, account) if margin else None
    return AccountState(
        account=key,
        mode=Mode.PAPER,
        account_type=settings.account_type,
        position_mode=settings.position_mode,
        currency=settings.currency,
        balances=tuple(_balance(state, account, asset, total) for asset, total in sorted(account.balances.items())),
        equity=worth,
        net_deposits=ZERO,  # an account begins with its first balance; nothing is ever paid in or out after it
        margin_used=bound,
        margin_free=None if worth is None or bound is None else sub(worth, bound),
        leverage=settings.leverage if margin else None,
        complete=True,
        ts_event=now,
    )


def _balance(state: State, account: Account, asset: str, total: Decimal) -> Balance:
    aside = locked(state, account, asset) if account.settings.account_type is AccountType.CASH else ZERO
    return Balance(asset=asset, total=total, free=sub(total, aside), locked=aside)


def _cash_worth(state: State, account: Account) -> Decimal | None:
    """Return what all assets are worth together; ``None`` where one of them cannot be valued."""
    worth = ZERO
    for asset, amount in account.balances.items():
        try:
            worth = add(worth, mul(amount, state.rate(asset, account.settings.currency)))
        except Denied:
            return None
    return worth


def position_report(state: State, key: AccountKey, now: Ns) -> PositionReport:
    """Return an account's open positions.

    Raises:
        NotFound: for an account this venue does not have.
    """
    account = state.account(key)
    held = [one for one in state.holdings.values() if one.account_id == account.key.account_id]
    return PositionReport(
        account=key, positions=tuple(_position(state, key, one) for one in held), complete=True, as_of=now
    )


def _position(state: State, key: AccountKey, holding: Holding) -> Position:
    return Position(
        account=key,
        position_id=holding.position_id,
        instrument_id=holding.instrument_id,
        side=holding.side,
        quantity=holding.quantity,
        quantity_unit=state.instruments[holding.instrument_id].quantity_unit,
        cost=holding.cost,
        mark_price=state.marks[holding.instrument_id].price(holding.side.opposite),
        unrealized_pnl=profit(state, holding),
        realized_pnl=holding.realized,
        swap=holding.swap,
        stop_loss=holding.stop,
        take_profit=holding.take_profit,
        ts_opened=holding.ts_opened,
        ts_last=holding.ts_last,
    )
