"""What changes the tables. Every function runs inside a transaction of the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.errors import Conflict
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.memory import UpsertReport
from gatehook.kinds.times import Ns
from gatehook.memory.rules import available_at
from gatehook.memory.rules import digest_of
from gatehook.memory.rules import fault_of
from gatehook.memory.rules import visible_from
from gatehook.memory.sqlite import neighbours
from gatehook.memory.sqlite.rows import DOCUMENT
from gatehook.memory.sqlite.rows import INSERT
from gatehook.memory.sqlite.rows import UPDATE
from gatehook.memory.sqlite.rows import Revision
from gatehook.memory.sqlite.rows import facts_of
from gatehook.memory.sqlite.rows import read_document
from gatehook.memory.sqlite.rows import write_revision
from gatehook.memory.sqlite.scope import write_namespace

_SWEEP: Final = 500


@attrs.frozen
class _Current:
    """The current row of a document, before it is changed."""

    rid: int
    digest: str
    visible_at: Ns
    stored: StoredDoc


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
    faults = [(doc, fault_of(doc, max_bytes)) for doc in docs]
    rejected = tuple((str(doc.id), fault) for doc, fault in faults if fault is not None)
    latest = {(doc.namespace, doc.id): doc for doc, fault in faults if fault is None}
    current = {key: _current(connection, doc) for key, doc in latest.items()}
    _check_revisions(current, if_revision or {})
    done: dict[str, list[str]] = {"inserted": [], "updated": [], "unchanged": []}
    for key, doc in latest.items():
        done[_store(connection, doc, current[key], now)].append(doc.id)
    return UpsertReport(rejected=rejected, **{name: tuple(ids) for name, ids in done.items()})


def _current(connection: sqlite3.Connection, doc: MemoryDoc) -> _Current | None:
    row = connection.execute(
        f"SELECT d.rid, d.digest, d.visible_at, {DOCUMENT} FROM docs d WHERE d.ns = ? AND d.id = ? AND d.past = 0",  # noqa: S608  constants only
        (write_namespace(doc.namespace), doc.id),
    ).fetchone()
    return None if row is None else _Current(row[0], row[1], row[2], read_document(row[3:]))


def _check_revisions(current: Mapping[tuple[Namespace, str], _Current | None], expected: Mapping[str, int]) -> None:
    for (_, id_), row in current.items():
        found = 0 if row is None else row.stored.revision
        if expected.get(id_, found) != found:
            raise Conflict(f"document {id_!r} has revision {found}, not {expected[id_]}; nothing was written")


def _store(connection: sqlite3.Connection, doc: MemoryDoc, current: _Current | None, now: Ns) -> str:
    if current is None:
        _insert(connection, _next_revision(doc, None, now))
        neighbours.refresh(connection, doc, None)
        return "inserted"
    before = current.stored.doc
    same_time = doc.available_at is None or doc.available_at == before.available_at
    if same_time and digest_of(doc) == current.digest:
        return "unchanged"
    revision = _next_revision(doc, current, now)
    connection.execute(
        "UPDATE docs SET superseded_at = min(superseded_at, ?) WHERE ns = ? AND id = ? AND past > 0",
        (revision.visible_at, write_namespace(doc.namespace), doc.id),
    )
    connection.execute("DELETE FROM facts WHERE rid = ?", (current.rid,))
    connection.execute(UPDATE, (*write_revision(revision), current.rid))
    _add_facts(connection, current.rid, doc)
    past = Revision(
        stored=current.stored,
        visible_at=current.visible_at,
        superseded_at=revision.visible_at,
        past=current.stored.revision,
    )
    _insert(connection, past)
    neighbours.refresh(connection, doc, before)
    return "updated"


def _next_revision(doc: MemoryDoc, current: _Current | None, now: Ns) -> Revision:
    known = available_at(doc, now)
    stored = StoredDoc(
        doc=attrs.evolve(doc, available_at=known),
        revision=1 if current is None else current.stored.revision + 1,
        created_at=now if current is None else current.stored.created_at,
        ingested_at=now,
    )
    return Revision(stored=stored, visible_at=visible_from(known, now, current.visible_at if current else None))


def _insert(connection: sqlite3.Connection, revision: Revision) -> None:
    rid = connection.execute(INSERT, write_revision(revision)).lastrowid
    assert rid is not None
    _add_facts(connection, rid, revision.stored.doc)


def _add_facts(connection: sqlite3.Connection, rid: int, doc: MemoryDoc) -> None:
    rows: list[tuple[Any, ...]] = [(rid, *fact) for fact in facts_of(doc)]
    if rows:
        connection.executemany("INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?)", rows)


def delete(connection: sqlite3.Connection, namespace: Namespace, ids: Sequence[str]) -> int:
    """Delete documents with all their revisions; return how many there were."""
    key = write_namespace(namespace)
    return sum(_delete(connection, key, id_) for id_ in dict.fromkeys(ids))


def _delete(connection: sqlite3.Connection, ns: str, id_: str) -> bool:
    rows = connection.execute("SELECT rid, prev_id FROM docs WHERE ns = ? AND id = ?", (ns, id_)).fetchall()
    for rid, _ in rows:
        connection.execute("DELETE FROM facts WHERE rid = ?", (rid,))
        connection.execute("DELETE FROM docs WHERE rid = ?", (rid,))
    for previous in {row[1] for row in rows}:
        neighbours.refresh_around(connection, ns, id_, previous)
    return bool(rows)


def sweep(connection: sqlite3.Connection, now: Ns) -> None:
    """Delete a bounded number of documents that have expired; reads do not show them in the meantime."""
    expired = connection.execute(
        "SELECT ns, id FROM docs WHERE expires_at <= ? AND past = 0 LIMIT ?", (now, _SWEEP)
    ).fetchall()
    for ns, id_ in expired:
        _delete(connection, ns, id_)
