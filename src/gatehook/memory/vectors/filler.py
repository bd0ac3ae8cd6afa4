"""The vectors of a memory as the memory sees them: begun, ended, waited for, told about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import anyio
from anyio.abc import TaskGroup

from gatehook.context import Clock
from gatehook.diagnostics import Diagnostic
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.memory import Progress
from gatehook.memory.embedding.embedder import Embedder
from gatehook.memory.embedding.queries import QueryVectors
from gatehook.memory.vectors.settings import VectorSettings
from gatehook.memory.vectors.store import Space
from gatehook.memory.vectors.store import VectorStore
from gatehook.memory.vectors.worker import EmbedWorker
from gatehook.memory.vectors.worker import Standing

#: A flush waits so many seconds of silence that the embedder asked for, not more.
_PATIENCE: Final = 5.0


class Filler:
    """Runs the worker in a task group of its memory's owner."""

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        clock: Clock,
        queries: QueryVectors,
        tasks: Callable[[], TaskGroup],
        report: Callable[[Diagnostic], None],
        settings: VectorSettings,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._clock = clock
        self._queries = queries
        self._tasks = tasks
        self._report = report
        self._settings = settings
        self._worker: EmbedWorker | None = None
        self._working = anyio.CancelScope()
        self._done = anyio.Event()

    @property
    def standing(self) -> Standing | None:
        """How the work goes; ``None`` where this process does not fill the vectors."""
        return None if self._worker is None else self._worker.standing

    def begin(self, space: Space) -> None:
        """Fill a space from now on."""
        self._embedder.hold_to(space.served)
        self._worker = EmbedWorker(
            self._store,
            self._embedder,
            self._clock,
            space,
            requests_per_hour=self._settings.requests_per_hour,
            longest_text=self._settings.longest_text,
            report=self._report,
            recovered=self._queries.recovered,
        )
        self._tasks().start_soon(self._work, self._worker)

    async def _work(self, worker: EmbedWorker) -> None:
        try:
            with self._working:
                await worker.run()
        finally:
            self._done.set()

    async def end(self) -> None:
        """Stop; return when nothing is written any more. Idempotent."""
        worker, self._worker = self._worker, None
        if worker is not None:
            self._working.cancel()
            with anyio.CancelScope(shield=True):
                await self._done.wait()
                with suppress(Closed, StorageUnavailable):  # what it has is anybody's again after a while
                    await self._store.release(worker.standing.space.id)

    def wake(self) -> None:
        """Say that something was written."""
        if self._worker is not None:
            self._worker.wake()

    def reasons(self) -> list[str]:
        """Return why searches have no leg of meaning, or what everybody should know of it."""
        reasons = [self._embedder.caveat] if self._embedder.caveat else []
        standing = self.standing
        failing = self._queries.failing or ("" if standing is None else standing.failure)
        if failing:
            reasons.append(f"embedder: {failing}")
        if standing is not None and not standing.space.active:
            filling = standing.filling
            reasons.append(f"vectors: {filling.vectors} of {filling.vectors + filling.waiting} documents have one")
        return reasons

    async def filled(self) -> AsyncIterator[int]:
        """Yield how many texts wait, until none does and the space is searched.

        Raises:
            Closed: when the memory is closed meanwhile.
            StorageUnavailable: when the embedder fails; what waits goes on waiting.
        """
        worker = self._require_worker()
        # A round that is under way may have been answered before whatever was mended.
        standing, begun = worker.standing, worker.standing.begun
        while True:
            worker.retry()
            looked = worker.round()
            waiting = (await self._store.filling(standing.space.id)).waiting
            yield waiting
            if not waiting and standing.space.active:
                return
            silent = worker.silence - self._clock.monotonic()
            if standing.failure and (standing.failed > begun or silent > _PATIENCE):
                raise StorageUnavailable(f"embedder: {standing.failure}; {waiting} texts wait for their vectors")
            await looked.wait()
            if self._worker is not worker:
                raise Closed("this memory is closed")

    async def wait(self) -> None:
        """Return when no text waits and the space is searched.

        Raises:
            StorageUnavailable: as ``filled``.
        """
        async for _ in self.filled():
            pass

    async def again(self, emptied: Callable[[Space], None]) -> AsyncIterator[Progress]:
        """Make every vector again; ``emptied`` hears of the space when it is empty.

        Raises:
            StorageUnavailable: as ``filled``.
        """
        worker = self._require_worker()
        worker.forget()
        total = await self._store.requeue(worker.standing.space.id)
        worker.begin_again(await self._store.reread(worker.standing.space))
        emptied(worker.standing.space)
        async for waiting in self.filled():
            yield Progress(done=max(total - waiting, 0), total=total, what="vectors")

    def _require_worker(self) -> EmbedWorker:
        if self._worker is None:
            raise Closed("this memory is closed")
        return self._worker
