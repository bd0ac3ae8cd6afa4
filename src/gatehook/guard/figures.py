"""The figures that limits compare: orders of the last minute, the worst position, the loss of the day."""

from __future__ import annotations

from collections import Counter
from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import attrs

from gatehook.guard.at_risk import OpenOrder
from gatehook.guard.days import Days
from gatehook.guard.exposure import Exposure
from gatehook.guard.facts import OrderFacts
from gatehook.guard.worth import UP
from gatehook.guard.worth import base_each
from gatehook.guard.worth import unit_size
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.instruments import Settlement
from gatehook.kinds.orders import Side

_WINDOW: Final = 60.0

#: An account, or all accounts of the entry with this id.
Scope = AccountKey | str


class NotKnown(Exception):
    """A figure is not known; the text says why."""


@attrs.frozen
class _Ticket:
    """So many orders and amends of one command, at a time of the monotonic clock."""

    at: float
    count: int


@attrs.frozen
class Measure:
    """How a position in an instrument is counted: base units of one of its units, and the asset it is of."""

    each: Decimal
    asset: str


class Figures:
    """What is in use now. Quantities are in base units, the loss in the valuation currency."""

    def __init__(self, exposure: Exposure, days: Days, monotonic: Callable[[], float]) -> None:
        self._exposure = exposure
        self._days = days
        self._monotonic = monotonic
        #: By command, the oldest first, and how many orders all of them count for.
        self._tickets: dict[AccountKey, OrderedDict[str, _Ticket]] = {}
        self._sent: Counter[AccountKey] = Counter()

    def count(self, account: AccountKey, command_id: str, orders: int) -> None:
        """Count so many orders and amends of a command in the minute that begins now."""
        self.uncount(command_id)
        self._tickets.setdefault(account, OrderedDict())[command_id] = _Ticket(self._monotonic(), orders)
        self._sent[account] += orders
        self._drop_old()

    def uncount(self, command_id: str) -> None:
        """Count a command no more."""
        for account, tickets in self._tickets.items():
            ticket = tickets.pop(command_id, None)
            if ticket is not None:
                self._sent[account] -= ticket.count

    def sent(self, scope: Scope, *, without: str = "") -> int:
        """How many orders and amends of the last minute count, those of one command left out."""
        self._drop_old()
        found = 0
        for account, tickets in self._tickets.items():
            if scope in (account, account.entry_id):
                own = tickets.get(without)
                found += self._sent[account] - (0 if own is None else own.count)
        return found

    def working(self, scope: Scope, own: frozenset[str] = frozenset()) -> int:
        """How many orders work, may work or are held for, those of the keys ``own`` left out."""
        return sum(1 for one in self._exposure.open_orders(scope) if one.works and one.key not in own)

    def worst(
        self,
        scope: Scope,
        instrument_id: InstrumentId,
        side: Side,
        measure: Measure,
        own: frozenset[str] = frozenset(),
    ) -> Decimal:
        """The position if every order of a side fills and none of the other does. Orders of the keys ``own`` are left
        out, and of orders that only reduce all but what has traded and is in no position yet.

        A position on the other side makes no room: it may be closed at any time, by what no limit holds up, and the
        orders that were let through on its account would then be too many.

        Raises:
            NotKnown: an account was not reported yet; an order's base units are not known.
        """
        accounts = (scope,) if isinstance(scope, AccountKey) else self._exposure.accounts(scope)
        held = (self._held(account, instrument_id, side, measure) for account in accounts)
        waiting = (
            _base_of(one, measure.each)
            for one in self._exposure.open_orders(scope)
            if one.instrument_id == instrument_id and one.side is side and not one.reduce_only and one.key not in own
        )
        return total((*held, *waiting))

    def _held(self, account: AccountKey, instrument_id: InstrumentId, side: Side, measure: Measure) -> Decimal:
        sides = self._exposure.sides(account, instrument_id, measure.asset)
        if sides is None:
            raise NotKnown(f"account {account} has no complete report of its positions yet")
        reduced = total(
            one.uncounted
            for one in self._exposure.open_orders(account)
            if one.instrument_id == instrument_id and one.side is side and one.reduce_only
        )
        return LEDGER.multiply(max(LEDGER.add(sides[side], reduced), Decimal(0)), measure.each)

    def added(self, order: OrderFacts) -> Decimal:
        """What an order can add to a position; of an amend, only what is not in the position yet.

        Raises:
            NotKnown: its base units are not known.
        """
        each = base_each(order)
        if each is None:
            raise NotKnown(order.problem or "the order's base units are not known")
        quantity = order.request.quantity
        old = None if order.replaces is None else self._exposure.find(order.request.account, order.replaces)
        return LEDGER.multiply(quantity if old is None else LEDGER.subtract(quantity, old.counted), each)

    def loss(self, scope: Scope) -> Decimal:
        """What was lost in this trading day; what one account of an entry gained does not hide another's loss.

        Raises:
            NotKnown: an account's loss is not known.
        """
        accounts = (scope,) if isinstance(scope, AccountKey) else self._days.accounts(scope)
        return total(self._loss(account) for account in accounts)

    def _loss(self, account: AccountKey) -> Decimal:
        loss = self._days.loss(account)
        if loss is None:
            raise NotKnown(self._days.problem(account))
        return loss

    def _drop_old(self) -> None:
        oldest = self._monotonic() - _WINDOW
        for account, tickets in self._tickets.items():
            while tickets and next(iter(tickets.values())).at <= oldest:
                self._sent[account] -= tickets.popitem(last=False)[1].count


def measure_of(orders: list[OrderFacts]) -> Measure:
    """Return how positions in the orders' instrument are counted, at the most.

    Raises:
        NotKnown: it depends on a price, and there is none.
    """
    instrument = orders[0].instrument
    if instrument.settlement is not Settlement.INVERSE:
        return Measure(unit_size(instrument), instrument.base)
    own = [base_each(one) for one in orders if one.request.quantity_unit is not QuantityUnit.QUOTE]
    market = [UP.divide(unit_size(instrument), one.quote.bid) for one in orders if one.quote is not None]
    known = [*market, *(each for each in own if each is not None)]
    if not known:
        raise NotKnown(orders[0].problem or "there is no quote")
    return Measure(max(known), instrument.base)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add amounts exactly."""
    found = Decimal(0)
    for one in amounts:
        found = LEDGER.add(found, one)
    return found


def _base_of(order: OpenOrder, each: Decimal) -> Decimal:
    if order.unit is not QuantityUnit.QUOTE:
        return LEDGER.multiply(order.quantity, each)
    if order.base_each is None:
        raise NotKnown(f"order {order.key} is in the quote currency, and was not valued")
    return UP.multiply(order.quantity, order.base_each)
