"""What was indexed of each folder, for each memory that was filled: a SQLite file of the gateway's own. Blocking."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import attrs

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import documents as codes

STATE_FILE: Final = "indexed.sqlite"
#: Bytes "GHix" in the file's header: this says what was indexed.
APPLICATION_ID: Final = 0x47486978
VERSION: Final = 1
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS files (entry TEXT NOT NULL, namespace TEXT NOT NULL, path TEXT NOT NULL,"
    " stamp TEXT NOT NULL, device INTEGER NOT NULL, digest TEXT NOT NULL, ids TEXT NOT NULL,"
    " PRIMARY KEY (entry, namespace, path)) WITHOUT ROWID"
)


@attrs.frozen(kw_only=True)
class Indexed:
    """A file as it was indexed.

    Attributes:
        stamp: what the system said of it; empty when it has to be read again.
        device: where it was.
        digest: of its bytes and of how they were indexed; empty while its documents are being written.
        ids: of all documents that may be there because of it.
    """

    stamp: str = ""
    device: int = 0
    digest: str = ""
    ids: tuple[str, ...] = ()


class IndexState:
    """Every method blocks; one thread at a time calls them. An instance is of one memory (entry) and one namespace."""

    def __init__(self, connection: sqlite3.Connection, entry_id: str, namespace: Sequence[str]) -> None:
        self._connection = connection
        self._key = (entry_id, json.dumps(list(namespace)))

    def files(self) -> dict[str, Indexed]:
        """Return what was indexed, by path."""
        query = "SELECT path, stamp, device, digest, ids FROM files WHERE entry = ? AND namespace = ?"
        with closing(self._connection.execute(query, self._key)) as rows:
            return {
                path: Indexed(stamp=stamp, device=device, digest=digest, ids=tuple(json.loads(ids)))
                for path, stamp, device, digest, ids in rows
            }

    def write(self, files: Mapping[str, Indexed], gone: Iterable[str] = ()) -> None:
        """Write files and forget others, durably: all of it or nothing."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (*self._key, path, one.stamp, one.device, one.digest, json.dumps(one.ids))
                    for path, one in files.items()
                ],
            )
            connection.executemany(
                "DELETE FROM files WHERE entry = ? AND namespace = ? AND path = ?",
                [(*self._key, path) for path in gone],
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def open_state(path: Path, report: Callable[[Diagnostic], object]) -> sqlite3.Connection:
    """Open or make the file. One that is damaged or not ours is begun anew: it only saves work.

    Raises:
        sqlite3.OperationalError: the disk is full, or the file cannot be opened.
        OSError: the file cannot be removed.
    """
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        report(codes.STATE_LOST(path=path, why=str(error)))
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        _check(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    names = ("application_id", "user_version")
    found = tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    if found not in ((0, 0), (APPLICATION_ID, VERSION)):
        raise sqlite3.DatabaseError("it is another program's, or another version's")
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise sqlite3.DatabaseError(problem)
