"""The context column: a turn of a conversation is also found, at a lower weight, by the words of its neighbours."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.memory.scope import write_namespace
from gatehook.memory.text import spaced

_PART: Final = 500
_FOLLOWERS: Final = 2


class Contexts:
    """The contexts of documents that are written together, so that each is indexed once. One that has a neighbour
    elsewhere may lack it here; ``refresh`` sets it right.
    """

    def __init__(self, connection: sqlite3.Connection, docs: Sequence[MemoryDoc]) -> None:
        self._connection = connection
        self._turns: dict[tuple[Namespace, str], str] = {}
        self._after: dict[tuple[Namespace, str], list[tuple[str, str]]] = {}
        if all(doc.prev_id is None for doc in docs):
            return
        for doc in docs:
            part = spaced(doc.text)[:_PART]
            self._turns[doc.namespace, doc.id] = part
            if doc.prev_id is not None:
                self._after.setdefault((doc.namespace, doc.prev_id), []).append((doc.id, part))

    def of(self, doc: MemoryDoc) -> str:
        """Return the context of one of the documents."""
        after = sorted(self._after.get((doc.namespace, doc.id), ()))[:_FOLLOWERS]
        return _joined(self._before(doc), [part for _, part in after])

    def _before(self, doc: MemoryDoc) -> str | None:
        if doc.prev_id is None:
            return None
        known = self._turns.get((doc.namespace, doc.prev_id))
        if known is not None:
            return known
        sql = "SELECT substr(text, 1, ?) FROM docs WHERE ns = ? AND id = ? AND past = 0"
        row = self._connection.execute(sql, (_PART, write_namespace(doc.namespace), doc.prev_id)).fetchone()
        return None if row is None else str(row[0])


def _joined(before: str | None, after: Sequence[str]) -> str:
    return " ".join(part for part in (before, *after) if part)


def refresh(connection: sqlite3.Connection, doc: MemoryDoc, previous: str | None) -> None:
    """Write the context of a document that changed and of those beside it; ``previous`` is its ``prev_id`` before."""
    ns = write_namespace(doc.namespace)
    refresh_around(connection, ns, doc.id, doc.prev_id)
    if previous not in (None, doc.prev_id):
        _refresh(connection, ns, previous)


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
        " WHERE ns = ? AND prev_id = ? AND past = 0 AND prev_id IS NOT NULL ORDER BY id LIMIT ?",
        (_PART, ns, id_, _FOLLOWERS),
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
    context = _joined(row[2], [text for _, text in _after(connection, ns, str(id_))])
    if context != row[1]:
        connection.execute("UPDATE docs SET ctx = ? WHERE rid = ?", (context, row[0]))
