"""Work for when nothing else is to do: vectors built again, indices put in order."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import errors

from gatehook.memory.postgres import neighbours
from gatehook.memory.postgres.connections import transaction
from gatehook.memory.postgres.lexemes import vector_of
from gatehook.memory.postgres.rows import DOCUMENT
from gatehook.memory.postgres.rows import read_document
from gatehook.memory.postgres.writing import lock

_AT_ONCE: Final = 200
_NEXT: Final = "SELECT rid, ns FROM docs WHERE rid > %s::bigint ORDER BY rid LIMIT %s"
_CURRENT: Final = "SELECT ns, id FROM docs WHERE rid = ANY(%s::bigint[]) AND past = 0"
_PAST: Final = f"SELECT d.rid, {DOCUMENT} FROM docs d WHERE d.rid = ANY(%s::bigint[]) AND d.past > 0"  # noqa: S608  constants only
_MERGE: Final = "SELECT gin_clean_pending_list('docs_by_lexemes'), gin_clean_pending_list('docs_by_facts')"
_WRITE: Final = "UPDATE docs SET lexemes = %s::tsvector, words = %s WHERE rid = %s"


def count(connection: psycopg.Connection) -> int:
    """Return how many rows there are, past revisions included."""
    row = connection.execute("SELECT count(*) FROM docs").fetchone()
    assert row is not None
    return int(row[0])


def rebuild(connection: psycopg.Connection, after: int, class_: int) -> tuple[int, int] | None:
    """Build the vectors of the next rows; return the last one's number and how many there were, ``None`` at the end."""
    rows = connection.execute(_NEXT, (after, _AT_ONCE)).fetchall()
    if not rows:
        return None
    rids = [rid for rid, _ in rows]
    lock(connection, class_, {ns for _, ns in rows})
    current = connection.execute(_CURRENT, (rids,)).fetchall()
    neighbours.rewrite(connection, [ns for ns, _ in current], [id_ for _, id_ in current])
    for rid, *row in connection.execute(_PAST, (rids,)).fetchall():
        vector = vector_of(read_document(row).doc, "", past=True)
        connection.execute(_WRITE, (vector.text, vector.words, rid))
    return rids[-1], len(rids)


def tidy(connection: psycopg.Connection, seconds: float) -> None:
    """Merge what the indices put off, and count values for the planner, as far as it can be done in this time."""
    try:
        with transaction(connection):
            limit = str(max(1, round(seconds * 1_000)))
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (limit,))
            connection.execute(_MERGE)
            connection.execute("ANALYZE docs")
    except errors.QueryCanceled:
        # What was merged stays merged; the next time goes on from there.
        return
