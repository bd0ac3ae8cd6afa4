"""The proof over a whole run: what was sent has one intent in the audit, and the approval that it needed.

The journal is asked first and the audit is read after it: an intent is in the audit before it is in the journal, so
whatever the journal had by then must be there. What is only in the audit is looked up in the journal once more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from collections.abc import Iterator
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

#: Sent, or being sent; an order that was denied may or may not have come so far.
_SENT: Final = """SELECT seq, client_order_id, digest FROM orders
    WHERE status NOT IN ('initialized', 'denied') AND coalesce(json_extract(body, '$.origin'), 'gateway') = 'gateway'
    ORDER BY seq"""
_COMMANDS: Final = "SELECT command_id, digest, wall_ns FROM commands ORDER BY wall_ns"


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
    orders, commands = db.execute(_SENT).fetchall(), db.execute(_COMMANDS).fetchall()
    book = _Book()
    for entry in entries:
        book.take(entry)
    audited_orders = [row for row in orders if row[0] >= book.first_row]
    audited_commands = [row for row in commands if row[2] >= book.since]
    found = [
        *_unmatched(book, ((seq, digest, f"order {name} (row {seq})") for seq, name, digest in audited_orders)),
        *_unmatched(book, ((name, digest, f"command {name}") for name, digest, _ in audited_commands)),
        *_rowless(db, book),
        *book.approvals_of(intent for standing in book.standing.all() for intent in standing),
    ]
    return Findings(len(audited_orders), len(audited_commands), book.approved, tuple(found))


class _Book:
    """What the audit says."""

    def __init__(self) -> None:
        self.standing = Standing()
        self.first_row: float = float("inf")
        self.since: float = float("inf")
        self.approved = 0
        self._answers: dict[str, list[tuple[int, str]]] = {}

    def take(self, entry: Entry) -> None:
        """Take the next record."""
        self.standing.take(entry)
        if entry.kind == kinds.APPROVAL_ANSWERED and entry.subject.get("answer") == "approved":
            answer = (entry.seq, str(entry.subject.get("digest")))
            self._answers.setdefault(str(entry.subject.get("approval")), []).append(answer)
        elif entry.kind in (kinds.ORDER_INTENT, kinds.COMMAND_INTENT):
            self.since = min(self.since, entry.ts)
            row = entry.subject.get("row")
            if isinstance(row, int):
                self.first_row = min(self.first_row, row)

    def approvals_of(self, intents: Iterable[Intent]) -> Iterator[Finding]:
        """Look for the answer that permitted each intent."""
        used: dict[str, str] = {}
        for intent in intents:
            approval = intent.approval
            if approval is None:
                continue
            if used.setdefault(approval, intent.use) != intent.use:
                text = f"approval {approval} permits record {intent.record} and another"
                yield Finding(Flaw.APPROVAL_REUSED, text, intent.record, intent.row)
            problem = self._problem_of(approval, intent)
            if problem:
                yield Finding(Flaw.NO_APPROVAL, f"record {intent.record}: {problem}", intent.record, intent.row)
            else:
                self.approved += 1

    def _problem_of(self, approval: str, intent: Intent) -> str:
        answers = self._answers.get(approval, [])
        if len(answers) != 1:
            return f"approval {approval} was approved {len(answers)} times"
        [(seq, digest)] = answers
        if seq > intent.record:
            return f"approval {approval} was approved after it, in record {seq}"
        return "" if digest == intent.approved else f"approval {approval} was for other parameters"


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
