"""What makes searches faster and files smaller, in steps short enough for writes to go between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable
from collections.abc import Callable
from functools import partial
from typing import Final
from typing import Protocol
from typing import TypeVar

from gatehook.kinds.times import Ns
from gatehook.memory.sqlite import removing
from gatehook.memory.sqlite.schema import has_words

T = TypeVar("T")

#: So many pages of the index are written by a step; a step takes some milliseconds.
_PAGES: Final = 64
#: So many documents are swept by a step.
_SWEEP: Final = 100
#: What changes by a merge that found nothing to do.
_IDLE: Final = 2


class Run(Protocol):
    """Runs work in the writer's thread and says what it returned."""

    def __call__(self, work: Callable[[sqlite3.Connection], T], /) -> Awaitable[T]:
        """Run it."""


async def maintain(write: Run, alone: Run, *, now: Ns, has_time: Callable[[], bool]) -> None:
    """Sweep what expired, merge the index into one segment, let the planner learn, empty the log; while there is time.

    ``write`` runs in a transaction, ``alone`` outside of one.
    """
    while has_time() and await write(partial(removing.sweep, now=now, limit=_SWEEP)) == _SWEEP:
        pass
    pages = -_PAGES
    while has_time() and await write(partial(_merge, pages=pages)):
        pages = _PAGES
    if has_time():
        await alone(_learn)
    await alone(empty_log)


def _merge(connection: sqlite3.Connection, pages: int) -> bool:
    """Merge segments a little; say whether there is more to do. Negative ``pages`` begin with all segments."""
    if not has_words(connection):
        return False
    before = connection.total_changes
    connection.execute("INSERT INTO fts(fts, rank) VALUES ('merge', ?)", (pages,))
    return connection.total_changes - before >= _IDLE


def _learn(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA analysis_limit = 400")
    connection.execute("PRAGMA optimize")


def empty_log(connection: sqlite3.Connection) -> None:
    """Bring the log into the database, on disk; shorten it if no reader is in it."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {patience}")


def sync(connection: sqlite3.Connection) -> None:
    """Bring what is committed to the disk: a commit survives the process, this the power cut."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
