"""The SQLite file behind ``context.state``: opened whatever is there, read and written an entry at a time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import state as codes

VERSION: Final = 1
#: "GHst": what marks a SQLite file as ours.
APPLICATION: Final = 0x47487374

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS state (entry TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (entry, key)) WITHOUT ROWID"
)


class StateFile:
    """Every method blocks; one thread at a time calls them."""

    def __init__(self, path: Path, report: Callable[[Diagnostic], object]) -> None:
        self._path = path
        self._report = report
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open or make the file. A damaged or foreign one is put aside; a newer one is left alone.

        Raises:
            GatehookError: when there can be no state: the file is from a newer Gatehook, a link, or not ours to write.
        """
        if self._path.is_symlink() or (self._path.exists() and not self._path.is_file()):
            raise GatehookError(codes.UNUSABLE(path=self._path, error="it is a link, or no file"))
        try:
            try:
                self._connection = self._connect()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self._put_aside(str(error))
                self._connection = self._connect()
        except (sqlite3.Error, OSError) as error:
            raise GatehookError(codes.UNUSABLE(path=self._path, error=str(error))) from error

    def _connect(self) -> sqlite3.Connection:
        if self._path.exists() and self._path.stat().st_size == 0:
            raise sqlite3.DatabaseError("it is empty")
        is_new = not self._path.exists()
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        try:
            if not is_new:
                self._check(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute(_TABLE)
            self._path.chmod(0o600)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
        if application != APPLICATION:
            raise sqlite3.DatabaseError("it is some other program's database")
        if isinstance(version, int) and version > VERSION:
            raise GatehookError(codes.NEWER(path=self._path, found=version, known=VERSION))
        found = _pragma(connection, "quick_check")
        if found != "ok":
            raise sqlite3.DatabaseError(str(found))

    def _put_aside(self, error: str) -> None:
        copy = self._path.with_name(f"{self._path.name}.damaged-{time.time_ns()}")
        self._path.rename(copy)
        for suffix in ("-wal", "-shm"):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.rename(copy.with_name(copy.name + suffix))
        self._report(codes.DAMAGED(path=self._path, error=error, copy=copy.name))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def read(self, entry: str) -> dict[str, str]:
        """Return an entry's values as JSON text, by key."""
        with closing(self._open.execute("SELECT key, value FROM state WHERE entry = ?", (entry,))) as rows:
            return dict(rows)

    def write(self, entry: str, changes: Mapping[str, str | None]) -> None:
        """Write values, ``None`` for those to delete: all of them, durably, or none."""
        connection = self._open
        connection.execute("BEGIN IMMEDIATE")
        try:
            for key, value in changes.items():
                if value is None:
                    connection.execute("DELETE FROM state WHERE entry = ? AND key = ?", (entry, key))
                else:
                    connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (entry, key, value))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the state is closed")
        return self._connection


def _pragma(connection: sqlite3.Connection, name: str) -> int | str:
    value: int | str = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
