"""The journal's SQLite file: its schema, and opening it so that what cannot be trusted is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from gatehook.audit.files import sync_directory
from gatehook.diagnostics.codes.orders import JOURNAL_CORRUPT
from gatehook.diagnostics.codes.orders import JOURNAL_NEWER
from gatehook.diagnostics.codes.orders import JOURNAL_UNAVAILABLE
from gatehook.diagnostics.records import GatehookError

SCHEMA_VERSION: Final = 2
#: Bytes "GHoj" in the file's header: this is an order journal.
APPLICATION_ID: Final = 0x47486F6A

_SCHEMA: Final = """
CREATE TABLE orders (
    seq INTEGER PRIMARY KEY, client_order_id TEXT, entry_id TEXT NOT NULL, account_id TEXT NOT NULL,
    status TEXT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL,
    traded TEXT NOT NULL DEFAULT '0', traded_cost TEXT NOT NULL DEFAULT '0',
    market_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL);
CREATE UNIQUE INDEX orders_claim ON orders (client_order_id) WHERE status <> 'denied';
CREATE INDEX orders_account ON orders (entry_id, account_id, status);
CREATE TABLE venue_ids (
    entry_id TEXT, account_id TEXT, venue_order_id TEXT, order_seq INTEGER NOT NULL REFERENCES orders,
    PRIMARY KEY (entry_id, account_id, venue_order_id)) WITHOUT ROWID;
CREATE TABLE fills (
    seq INTEGER PRIMARY KEY, entry_id TEXT NOT NULL, account_id TEXT NOT NULL, instrument TEXT NOT NULL,
    trade_id TEXT NOT NULL, venue_order_id TEXT NOT NULL, order_seq INTEGER REFERENCES orders,
    ts_event INTEGER NOT NULL, body TEXT NOT NULL, market_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL,
    UNIQUE (entry_id, account_id, instrument, trade_id, venue_order_id));
CREATE INDEX fills_orphaned ON fills (entry_id, account_id, venue_order_id) WHERE order_seq IS NULL;
CREATE INDEX fills_time ON fills (entry_id, account_id, ts_event);
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, entry_id TEXT NOT NULL, account_id TEXT NOT NULL,
    body TEXT NOT NULL, market_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL);
CREATE TABLE reports (
    entry_id TEXT, account_id TEXT, topic TEXT, body TEXT NOT NULL,
    market_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL,
    PRIMARY KEY (entry_id, account_id, topic)) WITHOUT ROWID;
CREATE TABLE commands (
    command_id TEXT PRIMARY KEY, kind TEXT NOT NULL, entry_id TEXT NOT NULL, account_id TEXT NOT NULL,
    digest TEXT NOT NULL, caller TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, result TEXT,
    market_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE cursors (entry_id TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;
"""
#: What each version added to the one before; a new file gets all of them.
_MIGRATIONS: Final = {
    2: """
CREATE TABLE adjustments (
    seq INTEGER PRIMARY KEY, entry_id TEXT NOT NULL, account_id TEXT NOT NULL, instrument TEXT NOT NULL,
    position_id TEXT, expected TEXT NOT NULL, reported TEXT NOT NULL, unit TEXT NOT NULL,
    state TEXT NOT NULL, person TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
    market_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL);
CREATE INDEX adjustments_account ON adjustments (entry_id, account_id, instrument);
""",
}


def open_writer(path: Path) -> sqlite3.Connection:
    """Open or create the journal for its one writer: WAL, every commit on stable storage unless it is said otherwise.

    Raises:
        GatehookError: for a newer version (the file is not touched), a damaged file, one that cannot be written.
    """
    try:
        if path.exists() and path.stat().st_size:
            _check(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.OperationalError) as error:
        raise GatehookError(JOURNAL_UNAVAILABLE(path=path, problem=error)) from error
    except sqlite3.DatabaseError as error:
        raise GatehookError(JOURNAL_CORRUPT(path=path, problem=error)) from error
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a second connection that only reads."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = ON")
    return connection


def _check(path: Path) -> None:
    """Look at the header by hand, so that a file which is not ours is not even opened for writing."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or header[:16] != b"SQLite format 3\0":  # noqa: PLR2004  the size of SQLite's header
        raise GatehookError(JOURNAL_CORRUPT(path=path, problem="it is no SQLite database"))
    application, version = (int.from_bytes(header[at : at + 4], "big") for at in (68, 60))
    if application not in (APPLICATION_ID, 0):
        raise GatehookError(JOURNAL_CORRUPT(path=path, problem="it is another program's database"))
    if version > SCHEMA_VERSION:
        raise GatehookError(JOURNAL_NEWER(path=path, found=version, known=SCHEMA_VERSION))
    page = int.from_bytes(header[16:18], "big")
    expected = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
    if path.stat().st_size < expected and not _has_wal(path):
        problem = f"it has {path.stat().st_size} of {expected} bytes"
        raise GatehookError(JOURNAL_CORRUPT(path=path, problem=problem))


def _has_wal(path: Path) -> bool:
    wal = path.with_name(path.name + "-wal")
    return wal.exists() and wal.stat().st_size > 0


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA_VERSION:
        raise GatehookError(JOURNAL_NEWER(path=path, found=found, known=SCHEMA_VERSION))
    path.chmod(0o600)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if found < SCHEMA_VERSION:
        steps = [_SCHEMA] if found == 0 else []
        steps += [step for version, step in _MIGRATIONS.items() if version > found]
        connection.executescript(
            f"BEGIN IMMEDIATE; {''.join(steps)} PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
        sync_directory(path.parent)
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise GatehookError(JOURNAL_CORRUPT(path=path, problem=problem))
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")
