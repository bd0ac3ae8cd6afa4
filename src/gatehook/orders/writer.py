"""Writes, grouped: what waits while one commit is under way goes into the next one together."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any
from typing import Final
from typing import Generic
from typing import TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from gatehook.kinds.errors import StorageUnavailable

T = TypeVar("T")

_BATCH: Final = 256


class _Write(Generic[T]):
    """One operation in the queue, and later its result or its error."""

    __slots__ = ("done", "durable", "error", "operation", "result")

    def __init__(self, operation: Callable[[sqlite3.Connection], T], *, durable: bool) -> None:
        self.operation = operation
        self.durable = durable
        self.done = False
        self.error: Exception | None = None
        self.result: T | None = None


class Writer:
    """The one writer of a database. Each operation is atomic, and what ``write`` returned from survives SIGKILL."""

    def __init__(
        self, connection: sqlite3.Connection, *, on_commit: Callable[[list[Any]], None], on_rollback: Callable[[], None]
    ) -> None:
        """Take a connection in autocommit mode.

        ``on_commit`` gets the results of each commit, in order, on the event loop, before any writer goes on.
        ``on_rollback`` is called in the writing thread, when what an operation did is undone.
        """
        self._connection = connection
        self._on_commit = on_commit
        self._on_rollback = on_rollback
        self._waiting: list[_Write[Any]] = []
        self._closed = False
        self._turn = anyio.Lock(fast_acquire=True)
        # A task that asyncio itself cancels leaves its commit running: the next one waits for it here.
        self._committing = threading.Lock()
        self._limiter = anyio.CapacityLimiter(1)

    async def write(self, operation: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Run ``operation`` in a transaction and wait until it is committed, if ``durable`` on stable storage.

        What is not durable may be lost in a power cut together with all that was written after it, up to the next
        durable write: that one makes everything before it durable too.

        Raises:
            StorageUnavailable: when the database could not be written; nothing of the operation is in it.
        """
        if self._closed:
            raise StorageUnavailable("the order journal is closed")
        write = _Write(operation, durable=durable)
        self._waiting.append(write)
        try:
            async with self._turn:
                while not write.done:
                    # Whoever is ready to write joins: the reply of a send and the events that it caused share a commit.
                    await anyio.lowlevel.checkpoint()
                    await self._commit_waiting()
        finally:
            if write in self._waiting:
                self._waiting.remove(write)
        if write.error is not None:
            raise write.error
        return write.result  # type: ignore[return-value]  # set together with ``done``

    async def close(self) -> None:
        """Wait for the commit under way; writes that come later are refused."""
        async with self._turn:
            self._closed = True

    async def _commit_waiting(self) -> None:
        batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._commit, batch, limiter=self._limiter)
        self._on_commit([write.result for write in batch if write.error is None])

    def _commit(self, batch: list[_Write[Any]]) -> None:
        with self._committing:
            self._transact(batch)

    def _transact(self, batch: list[_Write[Any]]) -> None:
        try:
            durable = any(write.durable for write in batch)
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            for write in batch:
                self._run(write, alone=len(batch) == 1)
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo("ROLLBACK")
            for write in batch:
                write.error = StorageUnavailable(f"the order journal cannot be written: {error}")
        for write in batch:
            write.done = True

    def _run(self, write: _Write[Any], *, alone: bool) -> None:
        if not alone:
            self._connection.execute("SAVEPOINT one")
        try:
            write.result = write.operation(self._connection)
        except Exception as error:
            if _is_storage(error):
                raise
            write.error = error if not isinstance(error, sqlite3.Error) else ValueError(f"cannot be written: {error}")
            self._undo("ROLLBACK" if alone else "ROLLBACK TO one")
        if not alone:
            self._connection.execute("RELEASE one")

    def _undo(self, statement: str) -> None:
        self._on_rollback()
        if self._connection.in_transaction:
            self._connection.execute(statement)


def _is_storage(error: Exception) -> bool:
    """Whether an error is the disk's (full, damaged, gone), and not of what the operation wanted to write."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
