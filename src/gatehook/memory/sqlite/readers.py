"""Read-only connections, each used by one thread at a time, interrupted when nobody waits for their answer any more."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final
from typing import TypeVar

import anyio
import anyio.to_thread

from gatehook.memory.lease import Lease
from gatehook.memory.sqlite.database import open_reader

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

#: So many reads run side by side.
READERS: Final = 3


class Readers:
    """A pool of reading connections."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = anyio.CapacityLimiter(READERS)
        self._changed = threading.Condition()
        self._idle: list[sqlite3.Connection] = []
        self._out = 0
        self._closed = False

    async def read(self, work: Work[T], timeout: float | None = None) -> T:
        """Run a read in a thread.

        Raises:
            TimeoutError: when it took longer than ``timeout`` seconds.
            sqlite3.Error: when the database cannot be read.
        """
        lease = Lease(work, interrupt=sqlite3.Connection.interrupt, given_up=sqlite3.OperationalError("interrupted"))
        try:
            with anyio.fail_after(timeout):
                return await anyio.to_thread.run_sync(self._run, lease, abandon_on_cancel=True, limiter=self._threads)
        finally:
            lease.abandon()

    async def close(self) -> None:
        """Wait for reads under way, then close every connection. Idempotent."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._close)

    def _run(self, lease: Lease[sqlite3.Connection, T]) -> T:
        connection = self._take()
        try:
            return lease.run(connection)
        finally:
            self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._changed:
            self._out += 1
            if self._idle:
                return self._idle.pop()
        try:
            return open_reader(self._path)
        except BaseException:
            self._end_of_one()
            raise

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._changed:
            # A read that was given up before it began may begin after the close.
            keep = not self._closed and len(self._idle) < READERS
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()
        self._end_of_one()

    def _end_of_one(self) -> None:
        with self._changed:
            self._out -= 1
            self._changed.notify_all()

    def _close(self) -> None:
        with self._changed:
            self._closed = True
            while self._out:
                self._changed.wait()
            while self._idle:
                self._idle.pop().close()
