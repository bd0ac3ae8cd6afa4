"""The venue's state as rows of text, and back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TypeVar

import attrs

from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.codec import from_json
from gatehook.kinds.codec import to_json
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.json_text import to_text
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.times import Ns

from .book import Working
from .holdings import Holding
from .ledger import Account
from .marks import Mark
from .settings import Settings
from .state import Changes
from .state import Counters
from .state import State

T = TypeVar("T")


@attrs.frozen
class OrderRow:
    """An order: what it is, and the venue's own notes while it works."""

    number: int
    account_id: str
    client_order_id: str
    ts_last: Ns
    order: str
    notes: str | None


@attrs.frozen
class EventRow:
    """An event with its durable place; only orders and fills are kept, reports follow from the state."""

    seq: int
    kind: str
    account_id: str
    ts: Ns
    body: str


@attrs.frozen
class Batch:
    """What is written together. A value of ``None`` is the row's end."""

    counters: str
    orders: tuple[OrderRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    holdings: tuple[tuple[str, str | None], ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()
    marks: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class Books:
    """An account's balances as stored."""

    balances: dict[str, Decimal]
    residuals: dict[str, Decimal]


@attrs.frozen(kw_only=True)
class Price:
    """A mark as stored, and up to when swap was booked."""

    mark: Mark
    swapped: Ns | None


def number(venue_order_id: str) -> int:
    """Return the number that an order's id is made of; 0, which no order has, for text that is no such id."""
    digits = venue_order_id.removeprefix("P")
    return int(digits) if digits.isdecimal() and digits.isascii() and venue_order_id == f"P{digits}" else 0


def parse(cls: type[T], body: str) -> T:
    """Read an object from JSON text."""
    return from_json(cls, json.loads(body))


def batch(state: State, ended: dict[str, Order], *, all_marks: bool = False) -> Batch:
    """Write down what has changed; ``ended`` are the orders that are at work no more, by id."""
    changes = state.changes
    concerned = _instruments(state, changes, ended)
    events = _event_rows(state, changes.events)
    told = zip(changes.events, events, strict=True)
    newest = {str(one.venue_order_id): row.body for one, row in told if isinstance(one, Order)}
    return Batch(
        counters=to_text(state.counters),
        orders=tuple(_order_row(state, one, ended, newest) for one in sorted(changes.orders, key=number)),
        events=tuple(events),
        holdings=tuple((one, _maybe(state.holdings.get(one))) for one in sorted(changes.holdings)),
        accounts=tuple((one, _books(state.accounts[one])) for one in sorted(changes.accounts)),
        marks=tuple(
            (str(one), to_text(Price(mark=mark, swapped=state.swapped.get(one))))
            for one, mark in state.marks.items()
            if all_marks or one in concerned
        ),
    )


def _instruments(state: State, changes: Changes, ended: dict[str, Order]) -> set[InstrumentId]:
    working = [state.book.get(one) for one in changes.orders]
    ids = {one.order.request.instrument_id for one in working if one is not None}
    ids |= {ended[one].request.instrument_id for one in changes.orders if one in ended}
    return ids | {state.holdings[one].instrument_id for one in changes.holdings if one in state.holdings}


def _order_row(state: State, venue_order_id: str, ended: dict[str, Order], newest: dict[str, str]) -> OrderRow:
    working = state.book.get(venue_order_id)
    order = ended[venue_order_id] if working is None else working.order
    return OrderRow(
        number(venue_order_id),
        order.request.account.account_id,
        order.request.client_order_id,
        order.ts_last,
        newest.get(venue_order_id) or to_text(order),
        None if working is None else _notes(working),
    )


def _notes(working: Working) -> str:
    notes = to_json(working)
    del notes["order"]
    return to_text(notes)


def _event_rows(state: State, events: list[BrokerEvent]) -> list[EventRow]:
    rows = []
    for place, event in enumerate(events, state.counters.event - len(events) + 1):
        assert isinstance(event, (Order, Fill)), "reports are no events of the engine"
        order = isinstance(event, Order)
        account = event.request.account if isinstance(event, Order) else event.account
        ts = event.ts_last if isinstance(event, Order) else event.ts_event
        rows.append(EventRow(place, "order" if order else "fill", account.account_id, ts, to_text(event)))
    return rows


def event_from(kind: str, body: str) -> Order | Fill:
    """Read an event."""
    return parse(Order, body) if kind == "order" else parse(Fill, body)


def _maybe(holding: Holding | None) -> str | None:
    return None if holding is None else to_text(holding)


def _books(account: Account) -> str:
    return to_text(Books(balances=account.balances, residuals=account.residuals))


@attrs.frozen(kw_only=True)
class Stored:
    """All rows that make a state."""

    counters: str | None
    orders: list[tuple[str, str]]
    holdings: list[str]
    accounts: list[tuple[str, str]]
    marks: list[tuple[str, str]]
    instruments: list[str]


def restore(settings: Settings, stored: Stored) -> State:
    """Build the state that was stored, and open the configured accounts that are new."""
    state = State(settings)
    if stored.counters is not None:
        state.counters = parse(Counters, stored.counters)
    for body in stored.instruments:
        instrument = parse(Instrument, body)
        state.instruments[instrument.id] = instrument
    for key, body in stored.marks:
        price = parse(Price, body)
        state.marks[InstrumentId.parse(key)] = price.mark
        if price.swapped is not None:
            state.swapped[InstrumentId.parse(key)] = price.swapped
    known = {one.account_id: one for one in settings.accounts}
    for account_id, body in stored.accounts:
        if account_id in known:
            books = parse(Books, body)
            key_ = AccountKey(settings.entry_id, account_id)
            state.accounts[account_id] = Account(key_, known[account_id], books.balances, books.residuals)
    _restore_trading(state, stored)
    state.open_accounts()
    return state


def _restore_trading(state: State, stored: Stored) -> None:
    """Bring back orders and positions; those of an account that the configuration has no more stay in the store."""
    for body in stored.holdings:
        holding = parse(Holding, body)
        if holding.account_id in state.accounts:
            state.holdings[holding.position_id] = holding
    for order, notes in stored.orders:
        working = from_json(Working, {**json.loads(notes), "order": json.loads(order)})
        account = state.accounts.get(working.order.request.account.account_id)
        if account is not None:
            state.book.add(working)
            account.reserve(working.order.request.instrument_id, working.side, working.reserved)
