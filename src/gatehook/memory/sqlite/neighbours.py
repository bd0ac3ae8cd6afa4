"""The context column: a turn of a conversation is also found, at a lower weight, by the words of its neighbours."""

from __future__ import annotations

import sqlite3
from typing import Final

from gatehook.kinds.memory import MemoryDoc
from gatehook.memory.sqlite.scope import write_namespace

_PART: Final = 500


def refresh(connection: sqlite3.Connection, doc: MemoryDoc, before: MemoryDoc | None) -> None:
    """Write the context of a document that changed and of those beside it, before and after the change."""
    ns = write_namespace(doc.namespace)
    refresh_around(connection, ns, doc.id, doc.prev_id)
    if before is not None and before.prev_id not in (None, doc.prev_id):
        _refresh(connection, ns, before.prev_id)


def refresh_around(connection: sqlite3.Connection, ns: str, id_: str, previous: str | None) -> None:
    """Write the context of a document's place, of the turn before it and of those after it."""
    after = _after(connection, ns, id_)
    if previous is None and not after:
        return
    for beside in dict.fromkeys((id_, previous, *(row[0] for row in after))):
        _refresh(connection, ns, beside)


def _after(connection: sqlite3.Connection, ns: str, id_: str) -> list[tuple[str, str]]:
    return connection.execute(
        # Left to itself the planner walks the whole namespace in the order of ids.
        "SELECT id, substr(text, 1, ?) FROM docs INDEXED BY docs_by_previous"
        " WHERE ns = ? AND prev_id = ? AND past = 0 AND prev_id IS NOT NULL ORDER BY id LIMIT 2",
        (_PART, ns, id_),
    ).fetchall()


def _refresh(connection: sqlite3.Connection, ns: str, id_: str | None) -> None:
    row = connection.execute(
        "SELECT rid, ctx,"
        " (SELECT substr(p.text, 1, ?) FROM docs p WHERE p.ns = d.ns AND p.id = d.prev_id AND p.past = 0)"
        " FROM docs d WHERE d.ns = ? AND d.id = ? AND d.past = 0",
        (_PART, ns, id_),
    ).fetchone()
    if row is None:
        return
    parts = [row[2] or "", *(text for _, text in _after(connection, ns, str(id_)))]
    context = " ".join(part for part in parts if part)
    if context != row[1]:
        connection.execute("UPDATE docs SET ctx = ? WHERE rid = ?", (context, row[0]))
