"""What takes rows away, and what builds their vectors again. Every function runs inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psycopg

from gatehook.kinds.memory import Namespace
from gatehook.kinds.times import Ns
from gatehook.memory.postgres import neighbours
from gatehook.memory.postgres.texts import write_text
from gatehook.memory.postgres.writing import lock
from gatehook.memory.scope import write_namespace

#: So many expired documents are deleted at once.
SWEEP: Final = 500
_EXPIRED: Final = "SELECT ns, id FROM docs WHERE expires_at <= %s::bigint AND past = 0 ORDER BY expires_at LIMIT %s"
_DELETE: Final = """
DELETE FROM docs d USING unnest(%s::text[], %s::text[]) AS w(ns, id) WHERE d.ns = w.ns AND d.id = w.id
RETURNING d.ns, d.id, d.prev_id
"""
_STILL: Final = """
SELECT d.ns, d.id FROM unnest(%s::text[], %s::text[]) AS w(ns, id)
JOIN docs d ON d.ns = w.ns AND d.id = w.id AND d.past = 0 WHERE d.expires_at <= %s::bigint
"""


def delete(connection: psycopg.Connection, namespace: Namespace, ids: Sequence[str], class_: int) -> int:
    """Delete documents with all their revisions; return how many there were."""
    ns = write_namespace(namespace)
    lock(connection, class_, [ns])
    return _delete(connection, [(ns, write_text(id_)) for id_ in ids])


def _delete(connection: psycopg.Connection, keys: Sequence[tuple[str, str]]) -> int:
    columns = ([ns for ns, _ in keys], [id_ for _, id_ in keys])
    rows = connection.execute(_DELETE, columns).fetchall()
    places = neighbours.Places()
    for ns, id_, previous in rows:
        places.add(ns, id_, *([previous] if previous else []))
    if rows:
        neighbours.refresh(connection, places)
    return len(places.changed)


def sweep(connection: psycopg.Connection, now: Ns, class_: int) -> int:
    """Delete a bounded number of documents that have expired; reads do not show them in the meantime."""
    seen = connection.execute(_EXPIRED, (now, SWEEP)).fetchall()
    if not seen:
        return 0
    lock(connection, class_, [ns for ns, _ in seen])
    # Another gateway may have written one of them before the lock was ours.
    expired = connection.execute(_STILL, ([ns for ns, _ in seen], [id_ for _, id_ in seen], now)).fetchall()
    return _delete(connection, expired)
