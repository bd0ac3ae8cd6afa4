"""A ``VectorStore`` in a schema that several gateways fill: who takes a text has it for a while, and nobody else."""

from __future__ import annotations

import math
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from typing import Any
from typing import Protocol
from typing import TypeVar
from uuid import uuid4

from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.times import Ns
from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.postgres import vector_rows
from gatehook.memory.postgres.connections import Work
from gatehook.memory.postgres.vector_schema import Extension
from gatehook.memory.vectors.store import Filling
from gatehook.memory.vectors.store import Job
from gatehook.memory.vectors.store import Space

T = TypeVar("T")


class Read(Protocol):
    """Runs a read of the memory."""

    def __call__(self, work: Work[Any], timeout: float | None = None) -> Awaitable[Any]:
        """Run it within this time, or the memory's."""


class PostgresStore:
    """Spaces, vectors and the queue of a schema, for one gateway."""

    def __init__(
        self, read: Read, write: Callable[[Work[Any]], Awaitable[Any]], extension: Extension, lock: int
    ) -> None:
        self._to_read = read
        self._to_write = write
        self._extension = extension
        self._lock = lock
        self._holder = uuid4().hex

    async def enter(self, identity: EmbedderIdentity) -> Space:
        """Return the space of an identity, made if it is new."""
        return await self._write(partial(vector_rows.enter, identity=identity, lock=self._lock))

    async def reread(self, space: Space) -> Space:
        """See ``VectorStore``; so with all that follow."""
        return await self._read(partial(vector_rows.reread, space=space))

    async def filling(self, space: int) -> Filling:
        """Count."""
        return await self._read(partial(vector_rows.filling, space=space))

    async def take(self, space: int, now: Ns, most: int) -> list[Job]:
        """Take what no other gateway has."""
        if await self._read(partial(vector_rows.waits_until, space=space, now=now, holder=self._holder)) > now:
            return []
        return await self._write(partial(vector_rows.take, space=space, now=now, most=most, holder=self._holder))

    async def waits_until(self, space: int, now: Ns) -> Ns | None:
        """Look at the queue."""
        return await self._read(partial(vector_rows.waits_until, space=space, now=now, holder=self._holder))

    async def answer(self, space: int, done: Sequence[tuple[Job, bytes | None]]) -> None:
        """Write vectors."""
        await self._write(partial(vector_rows.answer, space=space, done=done, extension=self._extension))

    async def refuse(self, space: int, jobs: Sequence[Job], not_before: Ns) -> None:
        """Count an attempt."""
        await self._write(partial(vector_rows.refuse, space=space, jobs=jobs, not_before=not_before))

    async def note_served(self, space: int, served: str) -> None:
        """Write the name down."""
        await self._write(partial(vector_rows.note_served, space=space, served=served))

    async def complete(self, space: Space) -> Space:
        """Make it active if it is complete."""
        if space.active:
            return await self.reread(space)
        return await self._write(partial(vector_rows.complete, space=space))

    async def tend(self, space: Space) -> bool:
        """Build the index, or delete some of what nobody uses any more."""
        if await self._read(partial(vector_rows.wants_index, space=space)):
            build = partial(vector_rows.build_index, space=space, extension=self._extension, lock=self._lock)
            await self._read(build, math.inf)
        return await self._write(partial(vector_rows.sweep, space=space.id))

    async def requeue(self, space: int) -> int:
        """Begin again."""
        return await self._write(partial(vector_rows.requeue, space=space))

    async def release(self, space: int) -> None:
        """Give back what this gateway took."""
        await self._write(partial(vector_rows.release, space=space, holder=self._holder))

    async def _read(self, work: Work[T], timeout: float | None = None) -> T:
        return await _told(self._to_read(work, timeout))

    async def _write(self, work: Work[T]) -> T:
        return await _told(self._to_write(work))


async def _told(use: Awaitable[T]) -> T:
    """Say that it may work later, whatever way the server is not there; what is asked again does no harm here."""
    try:
        return await use
    except (Closed, StorageUnavailable):
        raise
    except (ProviderError, TimeoutError) as error:
        raise StorageUnavailable(str(error)) from error
