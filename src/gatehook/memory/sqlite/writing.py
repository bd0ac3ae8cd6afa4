"""What adds to the tables. Every function runs inside a transaction of the writer.

Documents go in slices: a slice is looked up, its rows are made, then they are written at once. Making rows holds the
interpreter's lock, so a slice is short; to write one document at a time costs a third more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from itertools import islice
from operator import itemgetter
from typing import Any
from typing import Final
from typing import NamedTuple

from gatehook.kinds.errors import Conflict
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import UpsertReport
from gatehook.kinds.times import Ns
from gatehook.memory.giving_way import giving_way
from gatehook.memory.rules import available_at
from gatehook.memory.rules import digest_of
from gatehook.memory.rules import fault_of
from gatehook.memory.rules import visible_from
from gatehook.memory.scope import read_namespace
from gatehook.memory.scope import write_namespace
from gatehook.memory.sqlite import neighbours
from gatehook.memory.sqlite.blocks import Numbers
from gatehook.memory.sqlite.rows import DOCUMENT
from gatehook.memory.sqlite.rows import FACT
from gatehook.memory.sqlite.rows import INSERT
from gatehook.memory.sqlite.rows import UPDATE
from gatehook.memory.sqlite.rows import Assigned
from gatehook.memory.sqlite.rows import facts_of
from gatehook.memory.sqlite.rows import read_document
from gatehook.memory.sqlite.rows import write_row

_SLICE: Final = 32
# Joined to a list of keys a slice is one statement, whatever namespaces it is of.
_WANTED: Final = f"WITH wanted(ns, id) AS (VALUES {', '.join(['(?, ?)'] * _SLICE)})"
_CURRENT: Final = (
    f"{_WANTED} SELECT w.ns, w.id, d.rid, d.digest, d.revision, d.created_at, d.available_at, d.visible_at, d.prev_id"  # noqa: S608  constants only
    " FROM wanted w CROSS JOIN docs d ON d.ns = w.ns AND d.id = w.id AND d.past = 0"
)
# Left to itself the planner walks the whole namespace in the order of ids.
_FOLLOWED: Final = (
    f"{_WANTED} SELECT DISTINCT w.ns, w.id FROM wanted w"  # noqa: S608  constants only
    " CROSS JOIN docs d INDEXED BY docs_by_previous ON d.ns = w.ns AND d.prev_id = w.id AND d.past = 0"
)
_WHOLE: Final = f"SELECT {DOCUMENT} FROM docs d WHERE d.rid = ?"  # noqa: S608  constants only

Key = tuple[Namespace, str]


class _Current(NamedTuple):
    """The current row of a document, before it is changed."""

    rid: int
    digest: str
    revision: int
    created_at: Ns
    available_at: Ns
    visible_at: Ns
    prev_id: str | None


def upsert(
    connection: sqlite3.Connection,
    docs: Sequence[MemoryDoc],
    *,
    if_revision: Mapping[str, int] | None,
    now: Ns,
    max_bytes: int,
) -> UpsertReport:
    """Write documents.

    Raises:
        Conflict: before anything was written.
    """
    latest: dict[Key, MemoryDoc] = {}
    rejected: list[tuple[str, str]] = []
    for doc in giving_way(docs):
        fault = fault_of(doc, max_bytes)
        if fault is None:
            latest[doc.namespace, doc.id] = doc
        else:
            rejected.append((str(doc.id), fault))
    if if_revision:
        _check_revisions(connection, [key for key in latest if key[1] in if_revision], if_revision)
    done = _write(connection, latest, now)
    named = {
        what: tuple(key[1] for key in latest if done[key] == what) for what in ("inserted", "updated", "unchanged")
    }
    return UpsertReport(rejected=tuple(rejected), **named)


def _write(connection: sqlite3.Connection, docs: Mapping[Key, MemoryDoc], now: Ns) -> Mapping[Key, str]:
    """Write documents and return what was done with each."""
    numbers = Numbers(connection)
    done: dict[Key, str] = {}
    # The index begins a new segment wherever a row's number is less than the one before.
    for some in _slices(sorted(docs.values(), key=lambda doc: numbers.place(doc.namespace)), _SLICE):
        _Slice(connection, numbers, now).write(some, done)
    numbers.save()
    return done


def _slices(docs: Collection[MemoryDoc], size: int) -> Iterator[list[MemoryDoc]]:
    left = iter(docs)
    while some := list(islice(left, size)):
        yield some


def _check_revisions(connection: sqlite3.Connection, keys: Sequence[Key], expected: Mapping[str, int]) -> None:
    current = _look_up(connection, keys)
    for key in keys:
        found = current[key].revision if key in current else 0
        if expected[key[1]] != found:
            raise Conflict(f"document {key[1]!r} has revision {found}, not {expected[key[1]]}; nothing was written")


def _look_up(connection: sqlite3.Connection, keys: Sequence[Key]) -> dict[Key, _Current]:
    """Return the current rows of those documents that have one."""
    return {(namespace, id_): _Current(*row) for namespace, id_, *row in _rows(connection, _CURRENT, keys)}


def _followed(connection: sqlite3.Connection, keys: Sequence[Key]) -> set[Key]:
    """Return those documents that another one has for its turn before."""
    return {(namespace, id_) for namespace, id_ in _rows(connection, _FOLLOWED, keys)}


def _rows(connection: sqlite3.Connection, sql: str, keys: Sequence[Key]) -> Iterator[tuple[Any, ...]]:
    """Run a statement for a slice of keys, as often as it takes for all; each row begins with a key."""
    for at in range(0, len(keys), _SLICE):
        some = keys[at : at + _SLICE]
        flat = [part for namespace, id_ in some for part in (write_namespace(namespace), id_)]
        for ns, id_, *row in connection.execute(sql, flat + [None] * (2 * (_SLICE - len(some)))):
            yield read_namespace(ns), id_, *row


class _Slice:
    """Some documents that are written together."""

    def __init__(self, connection: sqlite3.Connection, numbers: Numbers, now: Ns) -> None:
        self._connection = connection
        self._numbers = numbers
        self._now = now
        self._rows: list[tuple[Any, ...]] = []
        self._facts: list[tuple[Any, ...]] = []

    def write(self, docs: Sequence[MemoryDoc], done: dict[Key, str]) -> None:
        """Write documents, and note what was done with each."""
        current = _look_up(self._connection, [(doc.namespace, doc.id) for doc in docs])
        changed: dict[Key, tuple[MemoryDoc, str | None]] = {}
        contexts = neighbours.Contexts(self._connection, docs)
        for doc in docs:
            before = current.get((doc.namespace, doc.id))
            what = self._take(doc, before, contexts)
            done[doc.namespace, doc.id] = what
            if what != "unchanged":
                changed[doc.namespace, doc.id] = doc, before.prev_id if before else None
        self._connection.executemany(INSERT, sorted(self._rows, key=itemgetter(-1)))
        self._connection.executemany(FACT, self._facts)
        followed = _followed(self._connection, [*changed])
        for key, (doc, previous) in changed.items():
            if key in followed or doc.prev_id is not None or previous is not None:
                neighbours.refresh(self._connection, doc, previous)

    def _take(self, doc: MemoryDoc, before: _Current | None, contexts: neighbours.Contexts) -> str:
        digest, known = digest_of(doc), available_at(doc, self._now)
        if before is None:
            assigned = Assigned(1, known, visible_from(known, self._now, None), self._now, self._now, digest)
            self._insert(doc, assigned, contexts.of(doc))
            return "inserted"
        if digest == before.digest and doc.available_at in (None, before.available_at):
            return "unchanged"
        visible = visible_from(known, self._now, before.visible_at)
        assigned = Assigned(before.revision + 1, known, visible, before.created_at, self._now, digest)
        self._replace(doc, before, assigned, contexts.of(doc))
        return "updated"

    def _insert(self, doc: MemoryDoc, assigned: Assigned, context: str = "") -> None:
        number = self._numbers.give(doc.namespace)
        self._rows.append((*write_row(doc, assigned, context), number))
        self._facts += facts_of(number, doc)

    def _replace(self, doc: MemoryDoc, before: _Current, assigned: Assigned, context: str) -> None:
        """Keep the row for the new revision, and a new row for the one that is past now."""
        run = self._connection.execute
        run(
            "UPDATE docs SET superseded_at = min(superseded_at, ?) WHERE ns = ? AND id = ? AND past > 0",
            (assigned.visible_at, write_namespace(doc.namespace), doc.id),
        )
        was = read_document(run(_WHOLE, (before.rid,)).fetchone())
        run("DELETE FROM facts WHERE rid = ?", (before.rid,))
        run(UPDATE, (*write_row(doc, assigned, context), before.rid))
        self._facts += facts_of(before.rid, doc)
        past = Assigned(
            revision=was.revision,
            available_at=before.available_at,
            visible_at=before.visible_at,
            created_at=was.created_at,
            ingested_at=was.ingested_at,
            digest=before.digest,
            superseded_at=assigned.visible_at,
            past=was.revision,
        )
        self._insert(was.doc, past)
