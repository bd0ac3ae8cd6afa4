"""The venue's memory: one SQLite file that survives SIGKILL.

Everything here blocks, so it is called on a thread, but for ``save``: it takes less time (some 0.1 ms) than the way to
a thread and back, and waits for no disk, since a commit that is not synced ends in the system's memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack
from contextlib import closing
from contextlib import suppress
from pathlib import Path
from typing import Final

from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.json_text import to_text
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.times import Ns

from .record import Batch
from .record import Stored
from .record import event_from
from .record import number
from .record import parse

SCHEMA: Final = 1
FILE: Final = "paper.sqlite"
_SYNC_EVERY: Final = 200
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
  number INTEGER PRIMARY KEY, account_id TEXT NOT NULL, client_order_id TEXT NOT NULL, ts_last INTEGER NOT NULL,
  body TEXT NOT NULL, notes TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS orders_by_client ON orders (account_id, client_order_id);
CREATE INDEX IF NOT EXISTS orders_open ON orders (number) WHERE notes IS NOT NULL;
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, account_id TEXT NOT NULL, ts INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS fills ON events (account_id, seq) WHERE kind = 'fill';
CREATE TABLE IF NOT EXISTS holdings (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS instruments (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, check_same_thread=False, isolation_level=None)


class Store:
    """An open file: one connection writes, one reads meanwhile. A failed write leaves the file as it was."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            StorageUnavailable: for a file that is damaged, cannot be written, or was written by a newer version.
        """
        self._path = path
        self._unsynced = 0
        try:
            with ExitStack() as opened:
                self._writing = opened.enter_context(closing(_connect(path)))
                self._check()
                self._db = opened.enter_context(closing(_connect(path)))
                self._opened = opened.pop_all()
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{path} cannot be used: {error}; `gatehook paper reset` begins anew") from error

    def _check(self) -> None:
        self._writing.execute("PRAGMA journal_mode = WAL")
        # NORMAL survives a killed process. A power cut may lose the last commits: their intents are in the journal of
        # the desk, written with FULL before an order comes here, so they are found to be absent and are reconciled.
        self._writing.execute("PRAGMA synchronous = NORMAL")
        # ``sync`` does it, on a thread: it waits for the disk.
        self._writing.execute("PRAGMA wal_autocheckpoint = 0")
        (version,) = self._writing.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise StorageUnavailable(
                f"{self._path} has version {version}, this Gatehook reads up to {SCHEMA}: upgrade it"
            )
        self._writing.executescript(_TABLES)
        self._writing.execute(f"PRAGMA user_version = {SCHEMA}")

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def save(self, batch: Batch) -> None:
        """Write everything of a batch, or nothing. Short enough for the event loop.

        Raises:
            StorageUnavailable: when it cannot be written.
        """
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            try:
                self._write(batch)
                self._writing.execute("COMMIT")
            except BaseException:
                if self._writing.in_transaction:
                    self._writing.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{self._path} cannot be written: {error}") from error
        self._unsynced += 1

    @property
    def wants_sync(self) -> bool:
        """Whether so much was saved that ``sync`` should be called."""
        return self._unsynced >= _SYNC_EVERY

    def sync(self) -> None:
        """Move what was saved from the log into the file; this waits for the disk."""
        self._unsynced = 0
        # What cannot be moved now stays in the log, which is as good, and is moved the next time.
        with suppress(sqlite3.Error):
            self._writing.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _write(self, batch: Batch) -> None:
        self._writing.execute("INSERT OR REPLACE INTO meta VALUES ('counters', ?)", (batch.counters,))
        orders = [(o.number, o.account_id, o.client_order_id, o.ts_last, o.order, o.notes) for o in batch.orders]
        events = [(e.seq, e.kind, e.account_id, e.ts, e.body) for e in batch.events]
        for sql, rows in (
            ("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?)", orders),
            ("INSERT INTO events VALUES (?, ?, ?, ?, ?)", events),
            ("DELETE FROM holdings WHERE id = ?", [(key,) for key, body in batch.holdings if body is None]),
            ("INSERT OR REPLACE INTO holdings VALUES (?, ?)", [row for row in batch.holdings if row[1] is not None]),
            ("INSERT OR REPLACE INTO accounts VALUES (?, ?)", batch.accounts),
            ("INSERT OR REPLACE INTO marks VALUES (?, ?)", batch.marks),
        ):
            if rows:
                self._writing.executemany(sql, rows)

    def save_instruments(self, instruments: Iterable[Instrument]) -> None:
        """Keep what instruments are, so that a position in one can be valued when the price source no longer has it.

        Raises:
            StorageUnavailable: when it cannot be written.
        """
        rows = [(str(one.id), to_text(one)) for one in instruments]
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            self._writing.executemany("INSERT OR REPLACE INTO instruments VALUES (?, ?)", rows)
            self._writing.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writing.in_transaction:
                self._writing.execute("ROLLBACK")
            raise StorageUnavailable(f"{self._path} cannot be written: {error}") from error

    def load(self) -> Stored:
        """Read everything that makes the state."""
        ask = self._db.execute
        counters = ask("SELECT value FROM meta WHERE key = 'counters'").fetchone()
        return Stored(
            counters=None if counters is None else counters[0],
            orders=ask("SELECT body, notes FROM orders WHERE notes IS NOT NULL ORDER BY number").fetchall(),
            holdings=[body for (body,) in ask("SELECT body FROM holdings ORDER BY CAST(substr(id, 2) AS INTEGER)")],
            accounts=ask("SELECT id, body FROM accounts ORDER BY id").fetchall(),
            marks=ask("SELECT id, body FROM marks ORDER BY id").fetchall(),
            instruments=[body for (body,) in ask("SELECT body FROM instruments ORDER BY id")],
        )

    def used_ids(self) -> set[tuple[str, str]]:
        """Return all ids that were ever used, by account."""
        return set(self._db.execute("SELECT account_id, client_order_id FROM orders"))

    def order(self, account_id: str, client_order_id: str | None, venue_order_id: str | None) -> Order | None:
        """Return an order by either id, or both."""
        where = ["account_id = ?"]
        values: list[str | int] = [account_id]
        if client_order_id is not None:
            where.append("client_order_id = ?")
            values.append(client_order_id)
        if venue_order_id is not None:
            where.append("number = ?")
            values.append(number(venue_order_id))
        sql = f"SELECT body FROM orders WHERE {' AND '.join(where)}"  # noqa: S608  the parts are the constants above
        row = self._db.execute(sql, values).fetchone()
        return None if row is None else parse(Order, row[0])

    def orders(self, account_id: str, *, open_only: bool, since: Ns, after: int, limit: int) -> list[tuple[int, Order]]:
        """Return orders by number, from the one above ``after`` on."""
        rows = self._db.execute(
            "SELECT number, body FROM orders WHERE account_id = ? AND number > ? AND ts_last >= ?"
            " AND (notes IS NOT NULL OR NOT ?) ORDER BY number LIMIT ?",
            (account_id, after, since, open_only, limit),
        )
        return [(place, parse(Order, body)) for place, body in rows]

    def fills(self, account_id: str, *, since: Ns, after: int, limit: int) -> list[tuple[int, Fill]]:
        """Return fills by their place, from the one above ``after`` on."""
        rows = self._db.execute(
            "SELECT seq, body FROM events WHERE kind = 'fill' AND account_id = ? AND seq > ? AND ts >= ?"
            " ORDER BY seq LIMIT ?",
            (account_id, after, since, limit),
        )
        return [(seq, parse(Fill, body)) for seq, body in rows]

    def events(self, after: int, limit: int) -> list[tuple[int, Order | Fill]]:
        """Return events by their place, from the one above ``after`` on."""
        rows = self._db.execute("SELECT seq, kind, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return [(seq, event_from(kind, body)) for seq, kind, body in rows]


def wipe(data_dir: Path) -> None:
    """Delete the venue's file while nobody uses it; the next start begins anew."""
    for suffix in ("", "-wal", "-shm"):
        (data_dir / f"{FILE}{suffix}").unlink(missing_ok=True)
