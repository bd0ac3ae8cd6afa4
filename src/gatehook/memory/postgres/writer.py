"""One transaction at a time writes; upserts that wait meanwhile are written together (group commit)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from typing import Final
from typing import TypeVar

import anyio
import psycopg

from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import UpsertReport
from gatehook.kinds.times import Ns
from gatehook.memory.postgres import writing
from gatehook.memory.postgres.connections import CommitUncertain
from gatehook.memory.postgres.connections import Pool
from gatehook.memory.postgres.connections import Work
from gatehook.memory.postgres.connections import transaction
from gatehook.memory.postgres.target import Target
from gatehook.memory.postgres.writing import Job

T = TypeVar("T")

#: So many documents share a transaction, where they come in more than one upsert.
GROUP: Final = 2_000


class Writer:
    """Writes for all callers of this process."""

    def __init__(self, pool: Pool, target: Target, max_bytes: int) -> None:
        self._pool = pool
        self._target = target
        self._max_bytes = max_bytes
        self._waiting: deque[Job] = deque()
        self._turn = anyio.Lock()
        self._thread = anyio.CapacityLimiter(1)

    async def upsert(self, docs: Sequence[MemoryDoc], if_revision: Mapping[str, int] | None, now: Ns) -> UpsertReport:
        """Write a batch, possibly with others; return when it is committed.

        Cancelled before its turn, a batch is not written; during it, it is.
        """
        job = Job(docs, if_revision, now)
        self._waiting.append(job)
        try:
            async with self._turn:
                if not job.taken:
                    await self._write(self._next_group())
        finally:
            if not job.taken:
                self._waiting.remove(job)
        if job.error is not None:
            raise job.error
        assert job.result is not None
        return job.result

    async def alone(self, work: Work[T]) -> T:
        """Run work in a transaction of its own, when nothing else of this process is written."""
        async with self._turn:
            return await self._run(partial(_in_transaction, work))

    async def idle(self) -> None:
        """Return when the write under way has ended."""
        async with self._turn:
            return

    def _next_group(self) -> list[Job]:
        group: list[Job] = []
        room = GROUP
        while self._waiting and (not group or room >= len(self._waiting[0].docs)):
            job = self._waiting.popleft()
            job.taken = True
            room -= len(job.docs)
            group.append(job)
        return group

    async def _write(self, group: Sequence[Job]) -> None:
        try:
            await self._run(partial(_commit, group=group, class_=self._target.lock, max_bytes=self._max_bytes))
        except Exception as error:  # noqa: BLE001  it is every caller's, who each raise it
            for job in group:
                job.error = job.error or error

    async def _run(self, work: Callable[[psycopg.Connection], T]) -> T:
        results: list[T] = []
        try:
            # Shielded: the group holds the writes of other callers too.
            with anyio.CancelScope(shield=True):
                results.append(await self._pool.use(work, self._target.timeout, self._thread))
        except TimeoutError:
            why = f"the server gave no answer within {self._target.timeout:g} s"
        except CommitUncertain as error:
            why = self._target.said(error)
        if not results:
            raise Ambiguous(f"whether it was written is not known ({why}); the same write again does no harm")
        return results[0]


def _in_transaction(work: Work[T], connection: psycopg.Connection) -> T:
    with transaction(connection):
        result = work(connection)
    # Not within: only what is committed is returned, and mypy takes any context for one that swallows.
    return result  # noqa: RET504


def _commit(connection: psycopg.Connection, *, group: Sequence[Job], class_: int, max_bytes: int) -> None:
    for job in group:
        job.result = job.error = None
        job.judge(max_bytes)
    try:
        with transaction(connection):
            writing.upsert(connection, group, class_)
    except psycopg.OperationalError:
        raise
    except psycopg.Error:
        if len(group) == 1:
            raise
        # What the server does not take is one caller's: the others' is written without it.
        for job in group:
            _commit_one(connection, job, class_, max_bytes)


def _commit_one(connection: psycopg.Connection, job: Job, class_: int, max_bytes: int) -> None:
    try:
        _commit(connection, group=[job], class_=class_, max_bytes=max_bytes)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        job.error = error
