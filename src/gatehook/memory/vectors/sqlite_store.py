"""Vectors in a memory's SQLite file. One process writes it, so that nobody else takes what is taken."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gatehook.kinds.times import Ns
from gatehook.memory.vectors import queue
from gatehook.memory.vectors import spaces
from gatehook.memory.vectors.file import VectorFile
from gatehook.memory.vectors.store import Filling
from gatehook.memory.vectors.store import Job
from gatehook.memory.vectors.store import Space


class SqliteStore:
    """A ``VectorStore`` over the part ``vectors`` of a file."""

    def __init__(self, file: VectorFile) -> None:
        self._file = file

    async def reread(self, space: Space) -> Space:
        """See ``VectorStore``; so with all that follow."""
        return await self._file.read(partial(spaces.reread, space=space))

    async def filling(self, space: int) -> Filling:
        """Count."""
        return await self._file.read(partial(spaces.filling, space=space))

    async def take(self, space: int, now: Ns, most: int) -> list[Job]:
        """Read the queue."""
        return await self._file.read(partial(queue.take, space=space, now=now, most=most))

    async def waits_until(self, space: int, now: Ns) -> Ns | None:
        """Look at the queue; whatever comes into it comes through this memory, which wakes the worker."""
        del now
        return await self._file.read(partial(queue.waits_until, space=space))

    async def answer(self, space: int, done: Sequence[tuple[Job, bytes | None]]) -> None:
        """Write vectors."""
        await self._file.write(partial(queue.answer, space=space, done=done))

    async def refuse(self, space: int, jobs: Sequence[Job], not_before: Ns) -> None:
        """Count an attempt."""
        await self._file.write(partial(queue.refuse, space=space, jobs=jobs, not_before=not_before))

    async def note_served(self, space: int, served: str) -> None:
        """Write the name down."""
        await self._file.write(partial(queue.note_served, space=space, served=served))

    async def complete(self, space: Space) -> Space:
        """Make it active if it is complete."""
        if not space.active:
            await self._file.write(partial(spaces.complete, space=space.id))
        return await self.reread(space)

    async def tend(self, space: Space) -> bool:
        """Delete vectors of embedders before."""
        if not await self._file.read(partial(spaces.has_old, space=space.id)):
            return False
        return await self._file.write(partial(spaces.sweep, space=space.id))

    async def requeue(self, space: int) -> int:
        """Begin again."""
        return await self._file.write(partial(spaces.requeue, space=space))

    async def release(self, space: int) -> None:
        """Nothing is marked as taken."""
        del space
