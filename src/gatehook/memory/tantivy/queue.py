"""What the index lacks, as rows: triggers on ``docs`` write it in the transaction of the change itself."""

from __future__ import annotations

import sqlite3
from typing import Final

import attrs

from gatehook.memory.sqlite.schema import STORAGE
from gatehook.memory.sqlite.schema import Part

_INDEXED: Final = "text, tags, ctx, scope, kind, ts, visible_at, superseded_at"
_OLD: Final = ", ".join(f"old.{name}" for name in _INDEXED.split(", "))
_NEW: Final = _OLD.replace("old.", "new.")

# ``grown`` is how many documents more there are: 1 of a new row, -1 of a deleted one, 0 of a changed one.
_QUEUE: Final = """
CREATE TABLE tantivy_queue (seq INTEGER PRIMARY KEY AUTOINCREMENT, rid INTEGER NOT NULL, grown INTEGER NOT NULL)
"""
_STATE: Final = """
CREATE TABLE tantivy_state (id INTEGER PRIMARY KEY CHECK (id = 1), build TEXT NOT NULL, upto INTEGER NOT NULL)
"""
_CHANGED: Final = f"UPDATE OF {_INDEXED} ON docs WHEN ({_OLD}) IS NOT ({_NEW})"


def _trigger(name: str, when: str, row: str) -> str:
    put = f"INSERT INTO tantivy_queue(rid, grown) VALUES ({row})"  # noqa: S608  constants only
    return f"CREATE TRIGGER {name} AFTER {when} BEGIN {put}; END"


QUEUE: Final = Part(
    "tantivy",
    (
        (
            _QUEUE,
            _STATE,
            "INSERT INTO tantivy_state VALUES (1, '', 0)",
            _trigger("tantivy_added", "INSERT ON docs", "new.rid, 1"),
            _trigger("tantivy_dropped", "DELETE ON docs", "old.rid, -1"),
            _trigger("tantivy_changed", _CHANGED, "new.rid, 0"),
        ),
    ),
)
#: What the file of this memory has; no full-text index of SQLite's.
PARTS: Final = (STORAGE, QUEUE)


@attrs.frozen
class State:
    """Which build of the index belongs to the file, and up to which change the file knows it to be.

    Attributes:
        build: the name of the build, empty before there was one.
        upto: changes up to this number are in the index for sure; they are no longer in the queue.
    """

    build: str
    upto: int


def state_of(connection: sqlite3.Connection) -> State:
    """Return what the file says."""
    build, upto = connection.execute("SELECT build, upto FROM tantivy_state").fetchone()
    return State(build, upto)


def last_change(connection: sqlite3.Connection) -> int:
    """Return the number of the last change there ever was; 0 before the first."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tantivy_queue'").fetchone()
    return 0 if row is None else int(row[0])


def settle(connection: sqlite3.Connection, state: State) -> None:
    """Note, within a transaction, what a build has on disk; what is in it leaves the queue."""
    connection.execute("UPDATE tantivy_state SET build = ?, upto = ?", (state.build, state.upto))
    connection.execute("DELETE FROM tantivy_queue WHERE seq <= ?", (state.upto,))


def changes(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, int, int]]:
    """Return (seq, rid, grown) of the oldest changes after a number."""
    sql = "SELECT seq, rid, grown FROM tantivy_queue WHERE seq > ? ORDER BY seq LIMIT ?"
    return connection.execute(sql, (after, limit)).fetchall()


def newest_changes(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, int, int]]:
    """Return (seq, rid, grown) of the newest changes after a number, the oldest of them first."""
    sql = "SELECT seq, rid, grown FROM tantivy_queue WHERE seq > ? ORDER BY seq DESC LIMIT ?"
    return connection.execute(sql, (after, limit)).fetchall()[::-1]
