"""What must hold after any number of kills, by the venue's own record."""

from __future__ import annotations

import json
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio

from gatehook.audit import read
from gatehook.audit import verify
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.orders.proving import prove
from tests.crash.trading import MAX_OPEN
from tests.crash.trading import MAX_POSITION
from tests.crash.trading import Life
from tests.hostile.venue.book import Book
from tests.hostile.venue.holdings import left

#: Seconds until the journal says what the venue says, where the venue can prove what is not known, and where it cannot.
PATIENCE, IMPATIENCE = 20.0, 3.0
#: How many moments beyond a limit are named.
NAMED = 3
#: What the venue calls a state, and what the journal calls it.
STATES = {
    "working": {OrderStatus.ACCEPTED},
    "partly": {OrderStatus.PARTIALLY_FILLED},
    "done": {OrderStatus.FILLED},
    "canceled": {OrderStatus.CANCELED},
}


class Findings:
    """What was counted, and what was wrong."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def to_json(self) -> str:
        return json.dumps({"counts": self.counts, "wrong": self.wrong})


async def check(life: Life) -> Findings:
    """Start the gateway once more, let it find out what it can, and hold everything to the venue's log."""
    found = Findings()
    events = [json.loads(line) for line in (life.folder / "venue" / "venue.log").read_bytes().splitlines()]
    book = check_limits(events, found, limited=life.limited)
    async with life.host() as host:
        end = time.monotonic() + (PATIENCE if life.variant.proof != "none" else IMPATIENCE)
        while True:
            ours = await _ours(host)
            listed = {one.request.client_order_id for one in host.desk.unknown_orders()}
            verdict = Findings()
            _check_orders(book, ours, listed, life.variant.proof, verdict)
            settled = not verdict.wrong and not listed
            if settled or time.monotonic() > end:
                break
            await anyio.sleep(0.05)
    found.counts.update(verdict.counts)
    found.wrong += verdict.wrong
    _check_answers(life.folder / "answers", ours, found)
    _check_audit(life.folder / "data", found)
    return found


async def _ours(host: Any) -> dict[str, Order]:
    orders = await host.desk.journal.orders(limit=-1)
    return {
        one.request.client_order_id: one
        for one in orders
        if one.origin is OrderOrigin.GATEWAY and one.status is not OrderStatus.DENIED
    }


def _check_orders(book: Book, ours: dict[str, Order], listed: set[str], proof: str, found: Findings) -> None:
    for name, order in ours.items():
        at_venue = book.by_client.get(name, [])
        if len(at_venue) > 1:
            found.wrong.append(f"{name} is {len(at_venue)} orders at the venue")
        elif order.status is OrderStatus.UNKNOWN:
            _check_unknown(name, at_venue, found, is_listed=name in listed, provable=proof != "none")
        elif at_venue:
            _compare(name, order, book.orders[at_venue[0]], found)
        else:
            found.counts["proven absent"] += 1
            if order.status is not OrderStatus.REJECTED:
                found.wrong.append(f"{name} is {order.status} and not at the venue")
    found.wrong += [f"the venue has {one}, the journal does not" for one in book.by_client if one and one not in ours]


def _check_unknown(name: str, at_venue: list[str], found: Findings, *, is_listed: bool, provable: bool) -> None:
    found.counts["listed as unknown"] += 1
    if not is_listed:
        found.wrong.append(f"{name} is unknown and not listed")
    if provable or at_venue:
        found.wrong.append(f"{name} is unknown, and the venue could say what it is: {at_venue}")


def _compare(name: str, order: Order, truth: dict, found: Findings) -> None:
    found.counts["at the venue once"] += 1
    if order.status not in STATES[truth["state"]] or order.filled != Decimal(truth["filled"]):
        found.wrong.append(
            f"{name} is {order.status} with {order.filled}; at the venue {truth['state']} with {truth['filled']}"
        )


def _check_answers(path: Path, ours: dict[str, Order], found: Findings) -> None:
    """No order that a caller was told of is missing."""
    for line in path.read_bytes().split(b"\n")[:-1]:
        kind, name, outcome = line.decode().split(" ")
        found.counts[f"{kind}: {outcome}"] += 1
        if outcome in set(OrderStatus) and kind in ("submit", "again", "close"):
            found.counts["acknowledged"] += 1
            if name not in ours:
                found.wrong.append(f"{name} was acknowledged as {outcome}, and the journal does not have it")


def _check_audit(data: Path, found: Findings) -> None:
    verified = verify(data)
    found.counts["audit records"] += verified.records
    found.wrong += [f"audit: {one}" for one in verified.problems]
    proven = prove(data / "journal.sqlite", read(data))
    found.counts["orders proven"] += proven.orders
    found.counts["commands proven"] += proven.commands
    found.wrong += [f"proof: {one.text}" for one in proven.findings]


def check_limits(events: list[dict], found: Findings, *, limited: bool) -> Book:
    """Let everything happen once more, and look at the account after each event: what it holds, and what it would if
    all orders of a side filled.
    """
    book = Book(events[0]["settings"])
    start = book.accounts["main"].base
    broken = 0
    for number, event in enumerate(events[1:]):
        book.apply(event)
        found.counts["events at the venue"] += 1
        if limited and broken < NAMED and (problem := _beyond(book, start)):
            broken += 1
            found.wrong.append(f"event {number}: {event['do']} {event.get('client')}: {problem}")
    return book


def _beyond(book: Book, start: Decimal) -> str:
    working = [one for one in book.open.values() if one["account"] == "main" and not one["reduce_only"]]
    if len(working) > MAX_OPEN:
        return f"{len(working)} orders work"
    contract = Decimal(book.instrument["contract"])
    for side, held in _held(book, start).items():
        waiting = sum((left(one) for one in working if one["side"] == side), Decimal(0))
        if (held + waiting) * contract > MAX_POSITION:
            return f"{held} held and {waiting} waiting, to {side}"
    return ""


def _held(book: Book, start: Decimal) -> dict[str, Decimal]:
    """What each side holds; a cash account can only buy beyond what it had."""
    account = book.accounts["main"]
    if account.kind == "cash":
        return {"buy": account.base - start}
    held = {"buy": Decimal(0), "sell": Decimal(0)}
    for one in account.positions.values():
        held[one["side"]] += Decimal(one["quantity"])
    return held
