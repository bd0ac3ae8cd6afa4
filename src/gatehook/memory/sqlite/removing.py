"""What takes away from the tables. Every function runs inside a transaction of the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gatehook.kinds.memory import Namespace
from gatehook.kinds.times import Ns
from gatehook.memory.scope import write_namespace
from gatehook.memory.sqlite import neighbours


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


def sweep(connection: sqlite3.Connection, now: Ns, limit: int) -> int:
    """Delete at most ``limit`` documents that have expired, and return how many; reads show none of them before."""
    expired = connection.execute(
        "SELECT ns, id FROM docs WHERE expires_at <= ? AND past = 0 LIMIT ?", (now, limit)
    ).fetchall()
    return sum(_delete(connection, ns, id_) for ns, id_ in expired)
