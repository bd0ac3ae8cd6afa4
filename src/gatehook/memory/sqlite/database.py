"""The file: who may write it, whether it is ours and whole, and connections to it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from gatehook import GatehookError
from gatehook.diagnostics.codes.memory import DATABASE_DAMAGED
from gatehook.diagnostics.codes.memory import DATABASE_NEWER
from gatehook.memory.sqlite.schema import APPLICATION_ID
from gatehook.memory.sqlite.schema import FORMAT
from gatehook.memory.sqlite.schema import Part
from gatehook.memory.sqlite.schema import migrate
from gatehook.memory.sqlite.schema import newer_part

_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100
_BUSY_MS: Final = 5_000
_OWNER: Final = ("user_version", "application_id")


class WriteLock:
    """One process writes a database; the others read. The lock dies with its process, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Try to become the writer."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return True

    def holder(self) -> str:
        """Return the process id that the writer left, for messages."""
        return self._path.read_text().strip() or "unknown"

    def release(self) -> None:
        """Let go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def check_file(path: Path, parts: Sequence[Part]) -> None:
    """Look at the file's header, and at the versions of its parts, without touching the file.

    Raises:
        GatehookError: ``memory.database-newer``, or ``memory.database-damaged`` for what is cut off or not ours.
    """
    size = path.stat().st_size if path.exists() else 0
    if size == 0:
        return
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        raise _damaged(path, "it is no SQLite database")
    _check_size(path, header, size)
    _check_owner(path, _number(header, 60), _number(header, 68))
    try:
        with closing(_connect(path, "ro")) as connection:
            _check_parts(path, connection, parts)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error


def _check_size(path: Path, header: bytes, size: int) -> None:
    page = int.from_bytes(header[16:18], "big")
    expected = _number(header, 28) * (65_536 if page == 1 else page)
    log = path.with_name(f"{path.name}-wal")
    in_log = log.exists() and log.stat().st_size > 0
    if header[24:28] == header[92:96] and size < expected and not in_log:
        raise _damaged(path, f"it has {size} of {expected} bytes")


def _check_owner(path: Path, version: int, application: int) -> None:
    if application not in (0, APPLICATION_ID) or (version and not application):
        raise _damaged(path, "it belongs to another program")
    if version > FORMAT:
        raise GatehookError(DATABASE_NEWER(path=path, found=version, known=FORMAT))


def _check_parts(path: Path, connection: sqlite3.Connection, parts: Sequence[Part]) -> None:
    theirs = connection.execute("SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchone()[0]
    if theirs and not connection.execute("PRAGMA application_id").fetchone()[0]:
        raise _damaged(path, "it belongs to another program")
    newer = newer_part(connection, parts)
    if newer is not None:
        raise GatehookError(DATABASE_NEWER(path=path, found=newer[0], known=newer[1]))


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")


def _damaged(path: Path, reason: object) -> GatehookError:
    return GatehookError(DATABASE_DAMAGED(path=path, reason=reason))


def open_writer(path: Path, parts: Sequence[Part]) -> sqlite3.Connection:
    """Open for writing and bring these parts up to date.

    ``synchronous=NORMAL`` over a write-ahead log: a commit survives the death of the process; a power cut may take the
    last commits, and never damages the file.

    Raises:
        GatehookError: when the file is damaged or newer.
    """
    connection = _connect(path, "rwc")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        version, application = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _OWNER)
        _check_owner(path, version, application)
        _check_parts(path, connection, parts)
        migrate(connection, parts)
        connection.execute("SELECT count(*) FROM (SELECT rid FROM docs LIMIT 1)").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise _damaged(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open for reading only."""
    connection = _connect(path, "ro")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -16000")
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # The threads of a pool take turns with a connection; one uses it at a time.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files that hold documents, those that exist."""
    names = (path.name, f"{path.name}-wal", f"{path.name}-shm")
    return tuple(file for name in names if (file := path.with_name(name)).exists())
