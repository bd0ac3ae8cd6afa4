"""One writer at a time, in a thread; what waits meanwhile is committed together (group commit)."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from typing import Final
from typing import Generic
from typing import TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

#: So many writes share a transaction at most.
GROUP: Final = 256


class _Job(Generic[T]):
    """One caller's write and what came of it."""

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.taken = False
        self.result: T | None = None
        self.error: Exception | None = None


class Writer:
    """Runs writes against the one writing connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: deque[_Job[Any]] = deque()
        self._turn = anyio.Lock()
        self._thread = anyio.CapacityLimiter(1)

    async def write(self, work: Work[T]) -> T:
        """Run a write in a transaction, possibly with others; return when it is committed.

        A write that raises is undone alone. Cancelled before its turn, a write does not happen; during it, it does.

        Raises:
            sqlite3.Error: when the group could not be committed; nothing of it was written.
        """
        job = _Job(work)
        self._waiting.append(job)
        try:
            async with self._turn:
                if not job.taken:
                    await self._in_thread(_commit, self._next_group())
        finally:
            if not job.taken:
                self._waiting.remove(job)
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[return-value]  # the job is done, so this is what its work returned

    async def alone(self, work: Work[T]) -> T:
        """Run work that manages its own transactions, when nothing else is written."""
        async with self._turn:
            return await self._in_thread(lambda connection, _: work(connection), ())

    async def close(self) -> None:
        """Wait for the write under way, then close the connection. Idempotent."""
        with anyio.CancelScope(shield=True):
            await self.alone(lambda connection: connection.close())

    def _next_group(self) -> list[_Job[Any]]:
        group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
        for job in group:
            job.taken = True
        return group

    async def _in_thread(self, run: Callable[[sqlite3.Connection, Any], T], argument: Any) -> T:
        # Shielded: the group holds the writes of other callers too.
        with anyio.CancelScope(shield=True):
            result: T = await anyio.to_thread.run_sync(run, self._connection, argument, limiter=self._thread)
        # Outside of the scope: mypy takes any scope for one that swallows.
        return result


def _commit(connection: sqlite3.Connection, jobs: list[_Job[Any]]) -> None:
    try:
        with transaction(connection):
            for job in jobs:
                _run(connection, job)
    except sqlite3.Error as error:
        for job in jobs:
            job.error = error


def _run(connection: sqlite3.Connection, job: _Job[Any]) -> None:
    connection.execute("SAVEPOINT job")
    try:
        job.result = job.work(connection)
    except Exception as error:
        if not connection.in_transaction:
            # SQLite undid everything by itself (a full disk): no job of this group is written.
            raise
        connection.execute("ROLLBACK TO job")
        job.error = error
    connection.execute("RELEASE job")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit on success, roll back on any error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
