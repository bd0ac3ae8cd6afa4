"""Everything the venue knows, as data, and what of it changed since it was last stored."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.errors import NotFound
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.times import Ns

from .book import Book
from .book import Working
from .holdings import Holding
from .ledger import Account
from .ledger import opened
from .marks import Mark
from .marks import rate
from .settings import Settings


@attrs.define
class Counters:
    """The last numbers given out; ids are made of them, so the same flow gives the same ids."""

    order: int = 0
    trade: int = 0
    position: int = 0
    seq: int = 0
    event: int = 0


@attrs.define
class Changes:
    """What is not stored yet: ids of orders, positions, accounts and marks, and the events in their order."""

    orders: set[str] = attrs.field(factory=set)
    holdings: set[str] = attrs.field(factory=set)
    accounts: set[str] = attrs.field(factory=set)
    events: list[BrokerEvent] = attrs.field(factory=list)

    def __bool__(self) -> bool:
        return bool(self.orders or self.holdings or self.accounts or self.events)


@attrs.define
class State:
    """The venue.

    Attributes:
        swapped: up to when swap was booked, by instrument.
        changes: what is not stored yet.
    """

    settings: Settings
    instruments: dict[InstrumentId, Instrument] = attrs.field(factory=dict)
    marks: dict[InstrumentId, Mark] = attrs.field(factory=dict)
    book: Book = attrs.field(factory=Book)
    accounts: dict[str, Account] = attrs.field(factory=dict)
    holdings: dict[str, Holding] = attrs.field(factory=dict)
    counters: Counters = attrs.field(factory=Counters)
    swapped: dict[InstrumentId, Ns] = attrs.field(factory=dict)
    changes: Changes = attrs.field(factory=Changes)

    def account_of(self, working: Working) -> Account:
        """Return the account an order is for."""
        return self.accounts[working.order.request.account.account_id]

    def instrument_of(self, working: Working) -> Instrument:
        """Return the instrument an order trades."""
        return self.instruments[working.order.request.instrument_id]

    def held(self, account_id: str, instrument_id: InstrumentId) -> list[Holding]:
        """Return an account's positions in an instrument, oldest first."""
        return [
            one for one in self.holdings.values() if one.instrument_id == instrument_id and one.account_id == account_id
        ]

    def held_in(self, instrument_id: InstrumentId) -> Iterator[Holding]:
        """Yield all positions in an instrument, oldest first."""
        return (one for one in tuple(self.holdings.values()) if one.instrument_id == instrument_id)

    def touch(self, working: Working) -> None:
        """Remember that an order is to be stored."""
        self.changes.orders.add(working.id)

    def touch_holding(self, holding: Holding) -> None:
        """Remember that a position is to be stored, or its end."""
        self.changes.holdings.add(holding.position_id)

    def touch_account(self, account: Account) -> None:
        """Remember that an account's books are to be stored."""
        self.changes.accounts.add(account.key.account_id)

    def rate(self, source: str, target: str) -> Decimal:
        """Return how much of ``target`` one unit of ``source`` is.

        Raises:
            Denied: where it cannot be valued.
        """
        return rate(self.instruments.values(), self.marks, source, target)

    def next_seq(self) -> int:
        """Return the next place in time."""
        self.counters.seq += 1
        return self.counters.seq

    def account(self, key: AccountKey) -> Account:
        """Return an account by its key.

        Raises:
            NotFound: for an account this venue does not have.
        """
        account = self.accounts.get(key.account_id)
        if account is None or key != account.key:
            raise NotFound(f"there is no paper account {key}; there are {', '.join(sorted(self.accounts))}")
        return account

    def open_accounts(self) -> None:
        """Open the configured accounts that are not open yet, and take over changed settings of the others."""
        for settings in self.settings.accounts:
            known = self.accounts.get(settings.account_id)
            if known is None:
                key = AccountKey(self.settings.entry_id, settings.account_id)
                self.accounts[settings.account_id] = opened(key, settings)
                self.changes.accounts.add(settings.account_id)
            else:
                known.settings = settings
