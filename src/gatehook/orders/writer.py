"""Writes, grouped: what waits while one commit is under way goes into the next one together."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any
from typing import Final
from typing import Generic
from typing import TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from gatehook.kinds.errors import StorageUnavailable

T = TypeVar("T")

_Soon = Callable[..., object]

_BATCH: Final = 256


class _Write(Generic[T]):
    """One operation in the queue, and later its result or its error."""

    __slots__ = ("done", "durable", "error", "operation", "result")

    def __init__(self, operation: Callable[[sqlite3.Connection], T], *, durable: bool) -> None:
        self.operation = operation
        self.durable = durable
        self.done = anyio.Event()
        self.error: Exception | None = None
        self.result: T | None = None


class Writer:
    """The one writer of a database. Each operation is atomic, and what ``write`` returned from survives SIGKILL.

    It has a thread of its own, which a submit pays twice for: the way to a pool's thread and back is longer.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        on_commit: Callable[[list[Any]], None],
        on_rollback: Callable[[], None],
        before_commit: Callable[[list[Any], bool], None],
        on_failure: Callable[[], None],
    ) -> None:
        """Take a connection in autocommit mode.

        ``on_commit`` gets the results of each commit, in order, on the event loop, before any writer goes on. The
        others are called in the writing thread: ``on_rollback`` when what an operation did is undone,
        ``before_commit`` with the results and whether they must be durable (what it raises undoes all of them),
        ``on_failure`` when the commit did not happen after that.
        """
        self._connection = connection
        self._on_commit = on_commit
        self._on_rollback = on_rollback
        self._before_commit = before_commit
        self._on_failure = on_failure
        self._waiting: list[_Write[Any]] = []
        self._batches: SimpleQueue[list[_Write[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._soon: _Soon | None = None
        self._idle: anyio.Event | None = None
        self._closed = False

    async def write(self, operation: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Run ``operation`` in a transaction and wait until it is committed, if ``durable`` on stable storage.

        What is not durable may be lost in a power cut together with all that was written after it, up to the next
        durable write: that one makes everything before it durable too. An operation that has begun when its caller is
        cancelled is ended first.

        Raises:
            StorageUnavailable: when the database could not be written; nothing of the operation is in it.
        """
        if self._closed:
            raise StorageUnavailable("the order journal is closed")
        write = _Write(operation, durable=durable)
        self._waiting.append(write)
        if self._idle is None:
            self._idle = anyio.Event()
            # Whoever is ready to write joins: the reply of a send and the events that it caused share a commit.
            self._to_loop(self._begin)
        try:
            await write.done.wait()
        except BaseException:
            await self._withdraw(write)
            raise
        if write.error is not None:
            raise write.error
        return write.result  # type: ignore[return-value]  # set before ``done`` is

    async def _withdraw(self, write: _Write[Any]) -> None:
        if write in self._waiting:
            self._waiting.remove(write)
            return
        with anyio.CancelScope(shield=True):
            await write.done.wait()

    async def close(self) -> None:
        """Wait for what is to be written; writes that come later are refused."""
        self._closed = True
        if self._idle is not None:
            await self._idle.wait()
        if self._thread is not None:
            self._batches.put(None)
            await anyio.to_thread.run_sync(self._thread.join)
            self._thread = None

    def _to_loop(self, function: Callable[..., None], *args: Any) -> None:
        """Let the event loop call a function soon, from whichever thread."""
        if self._soon is None:
            self._soon = _soon()
            self._thread = threading.Thread(target=self._serve, name="order journal", daemon=True)
            self._thread.start()
        self._soon(function, *args)

    def _begin(self) -> None:
        batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
        if batch:
            self._batches.put(batch)
        elif self._idle is not None:
            self._idle.set()
            self._idle = None

    def _end(self, batch: list[_Write[Any]]) -> None:
        try:
            self._on_commit([write.result for write in batch if write.error is None])
        finally:  # whatever a listener did: nobody waits for ever for what is written
            for write in batch:
                write.done.set()
            self._begin()

    # --- in the thread

    def _serve(self) -> None:
        while (batch := self._batches.get()) is not None:
            try:
                self._transact(batch)
            except Exception as error:  # noqa: BLE001  the thread outlives what even a rollback cannot undo
                for write in batch:
                    write.error = StorageUnavailable(f"the order journal cannot be written: {error}")
            with suppress(RuntimeError):  # the event loop is gone, and with it everybody who waits
                self._to_loop(self._end, batch)

    def _transact(self, batch: list[_Write[Any]]) -> None:
        try:
            durable = any(write.durable for write in batch)
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            for write in batch:
                self._run(write, alone=len(batch) == 1)
            self._before_commit([write.result for write in batch if write.error is None], durable)
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
        except (sqlite3.Error, StorageUnavailable) as error:
            self._undo("ROLLBACK")
            self._on_failure()
            for write in batch:
                write.error = _unavailable(error)

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


def _unavailable(error: Exception) -> StorageUnavailable:
    if isinstance(error, StorageUnavailable):
        return error
    return StorageUnavailable(f"the order journal cannot be written: {error}")


def _is_storage(error: Exception) -> bool:
    """Whether an error is the disk's (full, damaged, gone), and not of what the operation wanted to write."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError


def _soon() -> _Soon:
    """Return what calls a function on this event loop from any thread, without the wait of ``anyio.from_thread``."""
    native: Any = anyio.lowlevel.current_token().native_token
    soon: _Soon = native.call_soon_threadsafe if hasattr(native, "call_soon_threadsafe") else native.run_sync_soon
    return soon
