"""The full-text index built again beside the one in use, then put in its place.

How far the new one is stands in the file, changed in the transactions that fill it; triggers bring later changes of
rows that it has into it. So a process may die at any step, and whoever asks next goes on.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from gatehook.kinds.memory import Progress
from gatehook.memory.sqlite.schema import FOLLOWING
from gatehook.memory.sqlite.schema import following
from gatehook.memory.sqlite.schema import index_named

#: So many rows are brought in by a step, some twenty milliseconds' work.
_ROWS: Final = 250
_NEXT: Final = "SELECT count(*), max(rid) FROM (SELECT rid FROM docs WHERE rid > ? ORDER BY rid LIMIT ?)"
_COUNTS: Final = "SELECT (SELECT count(*) FROM docs WHERE rid <= ?), (SELECT count(*) FROM docs)"
_COPY: Final = (
    "INSERT INTO fts_next(rowid, text, tags, ctx, scope) SELECT rid, text, tags, ctx, scope FROM docs WHERE rid > ?"
    " ORDER BY rid LIMIT ?"
)


def step(connection: sqlite3.Connection) -> tuple[Progress, bool]:
    """Bring some rows into the new index, with the last ones put it in place; return how far it is, and whether done.

    Runs inside a transaction of the writer.
    """
    upto = _reached(connection)
    if upto is None:
        _begin(connection)
        upto = 0
    brought, last = connection.execute(_NEXT, (upto, _ROWS)).fetchone()
    last = upto if last is None else last
    connection.execute(_COPY, (upto, _ROWS))
    connection.execute("UPDATE reindexing SET upto = ?", (last,))
    done, total = connection.execute(_COUNTS, (last,)).fetchone()
    # In this transaction: where rows are added all the time, there is none in which nothing is left.
    if brought < _ROWS:
        _replace(connection)
    return Progress(done=done, total=total), brought < _ROWS


def indices_of(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the full-text indices that the file has."""
    known = "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('fts', 'fts_next') ORDER BY name"
    return [name for (name,) in connection.execute(known)]


def _reached(connection: sqlite3.Connection) -> int | None:
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'reindexing'").fetchone() is None:
        return None
    return int(connection.execute("SELECT upto FROM reindexing").fetchone()[0])


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE reindexing (upto INTEGER NOT NULL)")
    connection.execute("INSERT INTO reindexing VALUES (0)")
    has_row = "{}.rid <= (SELECT upto FROM reindexing)"
    for statement in (*index_named("fts_next"), *following("fts_next", "next", has_row)):
        connection.execute(statement)


def _replace(connection: sqlite3.Connection) -> None:
    for what in FOLLOWING:
        connection.execute(f"DROP TRIGGER next_{what}")
        connection.execute(f"DROP TRIGGER IF EXISTS docs_{what}")
    connection.execute("DROP TABLE reindexing")
    connection.execute("DROP TABLE IF EXISTS fts")
    connection.execute("ALTER TABLE fts_next RENAME TO fts")
    for statement in following("fts", "docs"):
        connection.execute(statement)
