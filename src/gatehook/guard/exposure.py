"""What is at risk now: orders that work or may work, what is held for orders to come, and positions.

Quantities are in the instrument's own unit, except those of orders in ``quote``. Everything is in memory and
synchronous; the desk feeds it with every change of the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from decimal import Decimal

from gatehook.guard.at_risk import Hold
from gatehook.guard.at_risk import OpenOrder
from gatehook.guard.at_risk import Working
from gatehook.guard.at_risk import key_of
from gatehook.guard.holdings import Holdings
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Side


class Exposure:
    """The board. An order counts with all that it may still trade, one of unknown outcome too."""

    def __init__(self) -> None:
        self._working: dict[AccountKey, dict[str, Working]] = {}
        self._venue_keys: dict[AccountKey, dict[str, str]] = {}
        self._holdings: dict[AccountKey, Holdings] = {}
        self._held: dict[str, set[tuple[AccountKey, str]]] = {}

    # --- what the desk tells

    def load(self, orders: Iterable[Order]) -> None:
        """Take the open orders of the journal, when the gateway starts."""
        for order in orders:
            self.apply_order(order)

    def apply_order(self, order: Order) -> None:
        """Take an order's newer state. It replaces what was held for a new order, and ends what was held for an amend
        only when the order ends; a final one leaves the board as soon as its fills are in the position.
        """
        account, key = order.request.account, key_of(order)
        board = self._working.setdefault(account, {})
        if key not in board and order.status is OrderStatus.DENIED:
            return
        working = board.setdefault(key, Working())
        for command_id in working.apply(order, self._of(account).known_at):
            self._forget(command_id, account, key)
        if order.venue_order_id is not None:
            self._venue_keys.setdefault(account, {})[order.venue_order_id] = key
        self._tidy(account, key)

    def apply_fill(self, fill: Fill) -> None:
        """Count a fill in the position, once; one that the last complete report holds already changes nothing."""
        if not self._of(fill.account).apply_fill(fill):
            return
        key = fill.client_order_id or ""
        if key not in self._working.get(fill.account, {}):
            key = self._venue_keys.get(fill.account, {}).get(fill.venue_order_id, key)
        working = self._working.get(fill.account, {}).get(key)
        if working is not None:
            working.count(fill.quantity)
            self._tidy(fill.account, key)

    def apply_positions(self, report: PositionReport) -> None:
        """Take a report of positions; an incomplete one says nothing."""
        if self._of(report.account).apply_positions(report):
            self._settle(report.account)

    def apply_state(self, state: AccountState) -> None:
        """Take a report of money: the balances of an account without positions, and what kind of account it is."""
        if self._of(state.account).apply_state(state):
            self._settle(state.account)

    # --- reservations

    def hold(
        self,
        key: str,
        account: AccountKey,
        instrument_id: InstrumentId,
        side: Side,
        quantity: Decimal,
        *,
        unit: QuantityUnit,
        command_id: str,
        base_each: Decimal | None = None,
        reduce_only: bool = False,
        position_id: str | None = None,
        owner: str = "",
        amends: bool = False,
    ) -> None:
        """Count an order before it is there, under the key that it will have; with ``amends``, beside the one that is.

        It stays until the order is there (for an amend: until the order ends), or ``release(command_id)``.
        """
        order = OpenOrder(
            key=key,
            account=account,
            instrument_id=instrument_id,
            side=side,
            quantity=quantity,
            unit=unit,
            base_each=base_each,
            reduce_only=reduce_only,
            position_id=position_id,
            owner=owner,
        )
        working = self._working.setdefault(account, {}).setdefault(key, Working())
        working.hold(command_id, Hold(order=order, amends=amends))
        self._held.setdefault(command_id, set()).add((account, key))

    def release(self, command_id: str) -> None:
        """Hold nothing more for a command: nothing was sent, or the journal has what came of it."""
        for account, key in self._held.pop(command_id, ()):
            self._working[account][key].release(command_id)
            self._tidy(account, key)

    # --- what is at risk

    def has(self, account: AccountKey, key: str) -> bool:
        """Say whether anything is counted under a key."""
        return key in self._working.get(account, ())

    def find(self, account: AccountKey, key: str) -> OpenOrder | None:
        """What an order can still do; ``None`` for one that is not on the board."""
        working = self._working.get(account, {}).get(key)
        return None if working is None else working.view(key)

    def position(
        self, account: AccountKey, instrument_id: InstrumentId, *, position_id: str | None = None, asset: str = ""
    ) -> Decimal | None:
        """The position now, below zero where it is short: all of the instrument, or the one of ``position_id``.

        Of an account without positions it is what there is of ``asset``, the instrument's base. ``None`` before the
        first complete report: not known is not flat.
        """
        holdings = self._holdings.get(account)
        return None if holdings is None else holdings.net(instrument_id, position_id=position_id, asset=asset)

    def sides(self, account: AccountKey, instrument_id: InstrumentId, asset: str) -> dict[Side, Decimal] | None:
        """The position as each side adds to it: net, or in a hedging account what is long and what is short."""
        holdings = self._holdings.get(account)
        gross = None if holdings is None else holdings.gross(instrument_id, asset)
        return None if gross is None else {Side.BUY: gross[0], Side.SELL: gross[1]}

    def open_orders(self, scope: AccountKey | str) -> tuple[OpenOrder, ...]:
        """What works, may work or is held for, on an account, or on all accounts of an entry."""
        return tuple(
            working.view(key) for account in self._within(scope) for key, working in self._working[account].items()
        )

    def open_quantity(
        self, account: AccountKey, instrument_id: InstrumentId, side: Side, *, without: str | None = None
    ) -> Decimal:
        """What orders of a side may still add to the position, in the instrument's unit: not those that only reduce,
        not those in ``quote``, not the order of the key ``without``.
        """
        return self._sum(
            one.quantity
            for one in self._at(account, instrument_id)
            if one.side is side and not one.reduce_only and one.unit is not QuantityUnit.QUOTE and one.key != without
        )

    def closing_quantity(
        self,
        account: AccountKey,
        instrument_id: InstrumentId,
        position_id: str | None = None,
        *,
        without: str | None = None,
    ) -> Decimal:
        """What closes may still take from a position: reduce-only orders, those held for and of unknown outcome
        included. One that rests at the venue protects the position; there it cannot do more than reduce.

        An order that names no position counts for each of the instrument's, and all of them for no position named.
        """
        return self._sum(
            one.quantity
            for one in self._at(account, instrument_id)
            if one.reduce_only
            and not one.rests
            and one.key != without
            and (position_id is None or one.position_id in (None, position_id))
        )

    def accounts(self, entry_id: str) -> tuple[AccountKey, ...]:
        """The accounts of an entry that anything is known of."""
        known = {*self._working, *self._holdings}
        return tuple(sorted(account for account in known if account.entry_id == entry_id))

    def instruments(self, scope: AccountKey | str) -> tuple[InstrumentId, ...]:
        """The instruments of a scope in which there are orders, or positions that are not flat."""
        accounts = (scope,) if isinstance(scope, AccountKey) else self.accounts(scope)
        held = {
            one for account in accounts if account in self._holdings for one in self._holdings[account].instruments()
        }
        return tuple(sorted(held | {one.instrument_id for one in self.open_orders(scope)}))

    # --- within

    def _of(self, account: AccountKey) -> Holdings:
        return self._holdings.setdefault(account, Holdings())

    def _within(self, scope: AccountKey | str) -> list[AccountKey]:
        if isinstance(scope, AccountKey):
            return [scope] if scope in self._working else []
        return [account for account in self._working if account.entry_id == scope]

    def _at(self, account: AccountKey, instrument_id: InstrumentId) -> Iterator[OpenOrder]:
        return (one for one in self.open_orders(account) if one.instrument_id == instrument_id)

    @staticmethod
    def _sum(quantities: Iterable[Decimal]) -> Decimal:
        total = Decimal(0)
        for one in quantities:
            total = LEDGER.add(total, one)
        return total

    def _settle(self, account: AccountKey) -> None:
        known_at = self._of(account).known_at
        assert known_at is not None, "a report was taken"
        for key, working in list(self._working.get(account, {}).items()):
            working.settle(known_at)
            self._tidy(account, key)

    def _forget(self, command_id: str, account: AccountKey, key: str) -> None:
        held = self._held[command_id]
        held.discard((account, key))
        if not held:
            del self._held[command_id]

    def _tidy(self, account: AccountKey, key: str) -> None:
        """Forget an order of which nothing matters any more."""
        working = self._working[account][key]
        if working.is_over:
            del self._working[account][key]
            for name in working.names:
                self._venue_keys[account].pop(name, None)
