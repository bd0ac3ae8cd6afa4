"""The proof over a whole run: what was sent has one intent in the audit, and the approval that it needed.

The journal is asked first and the audit is read after it: an intent is in the audit before it is in the journal, so
whatever the journal had by then must be there. What is only in the audit is looked up in the journal once more.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Final

import attrs

from gatehook.audit import kinds
from gatehook.audit.intents import Intent
from gatehook.audit.intents import Standing
from gatehook.audit.records import Entry
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes.orders import JOURNAL_CORRUPT
from gatehook.orders.database import open_reader
from gatehook.orders.digest import content_digest

#: What a list of orders is digested as: an approval of it is for the digest of its orders' digests.
LIST: Final = "order_list"

#: Sent, or being sent; an order that was denied may or may not have come so far.
_ORDERS: Final = """SELECT seq, digest, 'order ' || client_order_id || ' (row ' || seq || ')' FROM orders
    WHERE seq >= ? AND status NOT IN ('initialized', 'denied')
    AND coalesce(json_extract(body, '$.origin'), 'gateway') = 'gateway' ORDER BY seq"""
_COMMANDS: Final = "SELECT command_id, digest, 'command ' || command_id FROM commands WHERE wall_ns >= ?"


class Flaw(StrEnum):
    """What the audit and the journal do not agree on."""

    NO_INTENT = "no-intent"
    TWO_INTENTS = "two-intents"
    NO_ROW = "no-row"
    NO_APPROVAL = "no-approval"
    APPROVAL_REUSED = "approval-reused"


@attrs.frozen
class Finding:
    """One thing that is not proven.

    Attributes:
        what: which.
        text: the same in a sentence.
        record: the number of the record of the audit, where one is meant.
        row: the number of the order's row in the journal, or the command's id.
    """

    what: Flaw
    text: str
    record: int | None = None
    row: int | str | None = None


@attrs.frozen
class Findings:
    """How many orders, commands and approvals were proven, and what was not."""

    orders: int
    commands: int
    approvals: int
    findings: tuple[Finding, ...]


def prove(journal_path: Path, entries: Iterable[Entry]) -> Findings:
    """Prove that what the journal says was sent is what the audit says was meant to be sent, and nothing else.

    Rows older than the first intent in the audit are of a time without an audit, and are not asked about.

    Args:
        journal_path: the journal; it is only read, and a gateway may be running.
        entries: the audit's records from the first on; they are read once, when the journal's rows are known.

    Raises:
        GatehookError: when the journal cannot be read.
    """
    try:
        with closing(open_reader(journal_path)) as db:
            return _prove(db, entries)
    except sqlite3.Error as error:
        raise GatehookError(JOURNAL_CORRUPT(path=journal_path, problem=error)) from error


def _prove(db: sqlite3.Connection, entries: Iterable[Entry]) -> Findings:
    db.execute("BEGIN")
    db.execute("SELECT 1 FROM orders LIMIT 1").fetchone()  # from here on the journal stands still for this reader
    book = _Book()
    for entry in entries:
        book.take(entry)
    found = [
        *_unmatched(book, _rows(db, _ORDERS, book.first_row, "orders", book.counts)),
        *_unmatched(book, _rows(db, _COMMANDS, book.since, "commands", book.counts)),
    ]
    db.execute("COMMIT")
    found += [*_rowless(db, book), *book.approvals_of(one for standing in book.standing.all() for one in standing)]
    counts = book.counts
    return Findings(counts["orders"], counts["commands"], counts["approvals"], tuple(found))


def _rows(
    db: sqlite3.Connection, sql: str, least: int | None, what: str, counts: Counter[str]
) -> Iterator[tuple[int | str, str, str]]:
    """Yield the row, its digest and its name in words, of all that was sent since the audit's first intent."""
    for row, digest, name in db.execute(sql, (least,)):  # without an intent there is no time with an audit: none
        counts[what] += 1
        yield row, digest, name


class _Book:
    """What the audit says."""

    def __init__(self) -> None:
        self.standing = Standing()
        self.first_row: int | None = None
        self.since: int | None = None
        self.counts: Counter[str] = Counter()
        self._answers: dict[str, list[tuple[int, str]]] = {}

    def take(self, entry: Entry) -> None:
        """Take the next record."""
        self.standing.take(entry)
        if entry.kind == kinds.APPROVAL_ANSWERED and entry.subject.get("answer") == "approved":
            answer = (entry.seq, str(entry.subject.get("digest")))
            self._answers.setdefault(str(entry.subject.get("approval")), []).append(answer)
        elif entry.kind in (kinds.ORDER_INTENT, kinds.COMMAND_INTENT):
            self.since = entry.ts if self.since is None else min(self.since, entry.ts)
            row = entry.subject.get("row")
            if isinstance(row, int):
                self.first_row = row if self.first_row is None else min(self.first_row, row)

    def approvals_of(self, intents: Iterable[Intent]) -> Iterator[Finding]:
        """Look for the answer that permitted each intent; one of a list permits all its orders."""
        permitted: dict[str, list[Intent]] = {}
        for intent in intents:
            if intent.approval is not None:
                permitted.setdefault(intent.approval, []).append(intent)
        for approval, served in permitted.items():
            served.sort(key=lambda one: one.record)
            found = list(self._problems_of(approval, served))
            yield from found
            self.counts["approvals"] += not found

    def _problems_of(self, approval: str, served: Sequence[Intent]) -> Iterator[Finding]:
        first, *others = served
        answers = self._answers.get(approval, [])
        problem = ""
        if len(answers) != 1:
            problem = f"was approved {len(answers)} times"
        elif answers[0][0] > first.record:
            problem = f"was approved after it, in record {answers[0][0]}"
        elif answers[0][1] == content_digest(LIST, [one.digest for one in served]):
            return
        elif answers[0][1] != first.digest:
            problem = "was for other parameters"
        if problem:
            text = f"approval {approval} of the intent in record {first.record} {problem}"
            yield Finding(Flaw.NO_APPROVAL, text, first.record, first.row)
        for one in others:
            text = f"approval {approval} permits record {first.record} and also record {one.record}"
            yield Finding(Flaw.APPROVAL_REUSED, text, one.record, one.row)


def _unmatched(book: _Book, rows: Iterable[tuple[int | str, str, str]]) -> Iterator[Finding]:
    for row, digest, name in rows:
        intents = book.standing.of(row, digest)
        if not intents:
            yield Finding(Flaw.NO_INTENT, f"{name} has no intent in the audit", None, row)
        elif len(intents) > 1:
            records = ", ".join(str(one.record) for one in intents)
            yield Finding(
                Flaw.TWO_INTENTS, f"{name} has {len(intents)} intents: records {records}", intents[1].record, row
            )


def _rowless(db: sqlite3.Connection, book: _Book) -> Iterator[Finding]:
    for intents in book.standing.all():
        intent = intents[0]
        if not _has_row(db, intent):
            text = f"record {intent.record} is an intent that the journal does not have, and it was not voided"
            yield Finding(Flaw.NO_ROW, text, intent.record, intent.row)


def _has_row(db: sqlite3.Connection, intent: Intent) -> bool:
    """Whether the intent was committed: an order that still waits for its approval was not."""
    sql = "SELECT 1 FROM orders WHERE seq = ? AND digest = ? AND status <> 'initialized'"
    if isinstance(intent.row, str):
        sql = "SELECT 1 FROM commands WHERE command_id = ? AND digest = ?"
    return db.execute(sql, (intent.row, intent.digest)).fetchone() is not None


def orphaned_intents(db: sqlite3.Connection, entries: Iterable[Entry]) -> list[Entry]:
    """Return the intents that were recorded and then not committed, because the process ended between the two.

    Each wants an ``intent.void`` (``gatehook.audit.intents.void_of``) before anything is sent.

    Args:
        db: the journal, before this run writes to it.
        entries: the end of the audit: what may have been under way at once, and more.
    """
    standing, by_record = Standing(), {}
    for entry in entries:
        standing.take(entry)
        if entry.kind in (kinds.ORDER_INTENT, kinds.COMMAND_INTENT):
            by_record[entry.seq] = entry
    orphans: list[Intent] = []
    for intents in standing.all():
        orphans += intents[:-1] if _has_row(db, intents[-1]) else intents
    return [by_record[one.record] for one in sorted(orphans, key=lambda one: one.record)]
