"""The memory: words as in ``SqliteMemory``, and beside them vectors, in the same file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final
from typing import Self

import anyio
import attrs
from anyio.abc import TaskGroup

from gatehook.context import Clock
from gatehook.diagnostics import Diagnostic
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.filters import check_filter
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Progress
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import SearchPage
from gatehook.kinds.memory import UpsertReport
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.embedding.embedder import Embedder
from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.embedding.queries import QueryVectors
from gatehook.memory.fusion import DENSE_WEIGHT
from gatehook.memory.fusion import WINDOW
from gatehook.memory.ranking import read_cursor
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.sqlite.schema import BY_WORDS
from gatehook.memory.sqlite.schema import versions_of
from gatehook.memory.sqlite.searching import Candidate
from gatehook.memory.sqlite.searching import Search
from gatehook.memory.sqlite.searching import lexical_top
from gatehook.memory.text import units_of
from gatehook.memory.vectors import spaces
from gatehook.memory.vectors.dense import Dense
from gatehook.memory.vectors.file import VectorFile
from gatehook.memory.vectors.fused import FusedSearch
from gatehook.memory.vectors.meaning import Meaning
from gatehook.memory.vectors.meaning import NoVectors
from gatehook.memory.vectors.schema import VECTORS
from gatehook.memory.vectors.spaces import Space
from gatehook.memory.vectors.worker import EmbedWorker

#: A flush waits so many seconds of silence that the embedder asked for, not more.
_PATIENCE: Final = 5.0


@attrs.frozen(kw_only=True)
class VectorSettings:
    """How meaning is used.

    Attributes:
        dense_weight: its share of a hybrid score, from 0 to 1. least: what is no nearer (cosine) is no match.
        query_seconds: how long the vector of a query may take. requests_per_hour: the most that documents take.
        longest_text: characters of a document that are embedded. codes_bytes: memory for codes.
    """

    dense_weight: float = DENSE_WEIGHT
    least: float = 0.2
    query_seconds: float = 0.3
    requests_per_hour: int = 5_000
    longest_text: int = 6_000
    codes_bytes: int = 256_000_000


class HybridMemory(SqliteMemory):
    """A memory in one SQLite file that also finds what means the same. Without its embedder it is ``SqliteMemory``."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        embedder: Callable[[], Embedder],
        tasks: Callable[[], TaskGroup],
        report: Callable[[Diagnostic], None],
        settings: VectorSettings = VectorSettings(),
    ) -> None:
        """``embedder`` makes it, when the memory is entered: what cannot be made is an error of entering. ``tasks``
        gives the task group that owns what runs beside the searches; ``report`` hears of failures.
        """
        super().__init__(path, clock, parts=(*BY_WORDS, VECTORS))
        self._make_embedder = embedder
        self._tasks = tasks
        self._report = report
        self._settings = settings
        self._file = VectorFile(self._read, self._write)
        self._worker: EmbedWorker | None = None
        self._working = anyio.CancelScope()
        self._done = anyio.Event()

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._embedder = self._make_embedder()
        await self._embedder.open()
        queries = QueryVectors(self._embedder, settings.query_seconds, self._clock.monotonic)
        self._meaning = Meaning(
            self._file, queries, self._tasks, least=settings.least, codes_bytes=settings.codes_bytes
        )
        await super().__aenter__()
        try:
            await self._begin()
        except BaseException:
            await super().__aexit__(None, None, None)
            raise
        return self

    async def _begin(self) -> None:
        if self._writer is None:
            self._meaning.enter(await self._file.read(partial(_find, identity=self._embedder.identity)))
        else:
            await self._became_writer()

    async def _became_writer(self) -> None:
        """Fill the vectors from now on; the process that writes the file does that, and nobody else."""
        space = await self._file.write(partial(spaces.enter, identity=self._embedder.identity))
        self._embedder.hold_to(space.served)
        self._meaning.enter(space)
        self._worker = EmbedWorker(
            self._file,
            self._embedder,
            self._clock,
            space,
            requests_per_hour=self._settings.requests_per_hour,
            longest_text=self._settings.longest_text,
            report=self._report,
            recovered=self._meaning.queries.recovered,
        )
        self._tasks().start_soon(self._work, self._worker)

    async def _work(self, worker: EmbedWorker) -> None:
        try:
            with self._working:
                await worker.run()
        finally:
            self._done.set()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            self._working.cancel()
            with anyio.CancelScope(shield=True):
                await self._done.wait()
        await super().__aexit__(exc_type, exc, traceback)

    def health(self) -> Health:
        """Say how the file is, and whether searches have their leg of meaning."""
        health = super().health()
        if self._readers is None:
            return health
        reasons = (*health.reasons, *self._reasons())
        if health.status is HealthStatus.DOWN or not reasons:
            return health
        return Health(status=HealthStatus.DEGRADED, reasons=reasons)

    def _reasons(self) -> list[str]:
        reasons = [self._embedder.caveat] if self._embedder.caveat else []
        standing = None if self._worker is None else self._worker.standing
        failing = self._meaning.queries.failing or ("" if standing is None else standing.failure)
        if failing:
            reasons.append(f"embedder: {failing}")
        if standing is not None and not standing.space.active:
            filling = standing.filling
            reasons.append(f"vectors: {filling.vectors} of {filling.vectors + filling.waiting} documents have one")
        return reasons

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents; words are found when it returns, vectors follow."""
        report = await super().upsert(docs, if_revision=if_revision)
        if self._worker is not None:
            self._worker.wake()
        return report

    async def search(self, query: Query) -> SearchPage:
        """Search by words and meaning; without vectors by words, and the page says why."""
        started = time.perf_counter()
        self._reading()
        if query.filter is not None:
            check_filter(query.filter)
        best = SearchMode.VECTOR if query.mode is SearchMode.VECTOR else SearchMode.HYBRID
        mode = self._mode_of_cursor(query, best)
        if query.mode is SearchMode.LEXICAL or not query.limit or not units_of(query.text):
            return await self._by_words(query, started)
        if mode is SearchMode.LEXICAL:
            return await self._by_words(query, started, "vectors: the first page was searched by words")
        try:
            with anyio.fail_after(query.timeout):
                return await self._by_meaning(attrs.evolve(query, mode=best), started)
        except NoVectors as missing:
            if query.cursor is not None:
                raise CursorExpired(f"the pages before this one had vectors ({missing}); ask for the first") from None
            return await self._by_words(query, started, str(missing))

    def _mode_of_cursor(self, query: Query, best: SearchMode) -> SearchMode:
        """Return how the pages before this one were searched: scores of two modes make no one order."""
        try:
            read_cursor(attrs.evolve(query, mode=best))
        except CursorExpired:
            return SearchMode.LEXICAL
        return best

    async def _by_words(self, query: Query, started: float, *degraded: str) -> SearchPage:
        left = max(query.timeout - (time.perf_counter() - started), 0.0)
        page = await super().search(attrs.evolve(query, mode=SearchMode.LEXICAL, timeout=left))
        return attrs.evolve(page, degraded=degraded, took_ms=_since(started))

    async def _by_meaning(self, query: Query, started: float) -> SearchPage:
        await self._look()
        search = Search.prepare(query, self._clock.now())
        lexical: list[Candidate] | None = None
        if query.mode is SearchMode.VECTOR or self._meaning.is_remembered(query):
            dense = await self._meaning.ready(query)
        else:
            dense, lexical = await self._beside(query, search)
        fused = FusedSearch(search, dense, self._settings.dense_weight)
        hits, cursor = await self._read(partial(fused.run, lexical=lexical))
        return SearchPage(hits=hits, cursor=cursor, mode_used=query.mode, took_ms=_since(started))

    async def _beside(self, query: Query, search: Search) -> tuple[Dense, list[Candidate]]:
        """Search by words while the query's vector is made."""
        words: list[Candidate] = []
        dense: list[Dense] = []
        failed: list[Exception] = []

        async def read() -> None:
            try:
                words.extend(await self._read(partial(lexical_top, search=search, n=WINDOW)))
            except (Closed, StorageUnavailable) as error:
                failed.insert(0, error)

        async def ready() -> None:
            try:
                dense.append(await self._meaning.ready(query))
            except NoVectors as missing:
                failed.append(missing)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            tasks.start_soon(ready)
        if failed:
            raise failed[0]
        return dense[0], words

    async def _look(self) -> None:
        """Compare in the space as it is now; a process that only reads finds it as the writer left it."""
        if self._worker is not None:
            self._meaning.enter(self._worker.standing.space)
        elif self._writer is None:
            self._meaning.enter(await self._read(partial(_find, identity=self._embedder.identity)))

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there, and how many vectors there are of what embedder."""
        stats = await super().stats(namespace)
        space = await self._read(partial(_find, identity=self._embedder.identity))
        details = {
            **stats.details,
            "embedder": str(self._embedder.identity),
            "dense_weight": self._settings.dense_weight,
        }
        if self._embedder.caveat:
            details["embedder_caveat"] = self._embedder.caveat
        if space is not None:
            filling = await self._read(partial(spaces.filling, space=space.id))
            details |= {
                "vectors": filling.vectors,
                "vectors_waiting": filling.waiting,
                "vectors_refused": filling.refused,
                "vectors_searched": space.active,
                "vectors_in_memory_bytes": self._meaning.codes_bytes,
            }
        return attrs.evolve(stats, details=details)

    async def flush(self, *, vectors: bool = False) -> None:
        """Return when everything written before is in the index; with ``vectors`` when nothing waits for a vector.

        Raises:
            StorageUnavailable: when the embedder fails; what waits goes on waiting.
        """
        await super().flush()
        if vectors:
            async for _ in self._filled():
                pass

    async def reindex(self, part: IndexPart = IndexPart.ALL) -> AsyncIterator[Progress]:
        """Build an index again; without vectors searches go by words until all are there.

        Raises:
            StorageUnavailable: when the embedder fails; the rest follows when it is back.
        """
        if part is not IndexPart.VECTORS:
            async for progress in super().reindex(IndexPart.LEXICAL):
                yield progress
        if part is not IndexPart.LEXICAL:
            async for progress in self._vectors_again():
                yield progress

    async def _vectors_again(self) -> AsyncIterator[Progress]:
        worker = self._require_worker()
        total = await self._write(partial(spaces.requeue, space=worker.standing.space.id))
        self._embedder.hold_to("")
        worker.standing.space = await self._read(partial(spaces.reread, space=worker.standing.space))
        self._meaning.enter(worker.standing.space)
        self._meaning.renew()
        async for waiting in self._filled():
            yield Progress(done=max(total - waiting, 0), total=total, what="vectors")

    def _require_worker(self) -> EmbedWorker:
        self._writing()
        if self._worker is None:
            raise Closed("this memory is closed")
        return self._worker

    async def _filled(self) -> AsyncIterator[int]:
        """Yield how many texts wait, until none does and the space is searched."""
        worker = self._require_worker()
        # A round that is under way may have been answered before whatever was mended.
        standing, begun = worker.standing, worker.standing.begun
        while True:
            worker.retry()
            looked = worker.round()
            waiting = (await self._read(partial(spaces.filling, space=standing.space.id))).waiting
            yield waiting
            if not waiting and standing.space.active:
                return
            silent = standing.resumes - self._clock.monotonic()
            if standing.failure and (standing.failed > begun or silent > _PATIENCE):
                raise StorageUnavailable(f"embedder: {standing.failure}; {waiting} texts wait for their vectors")
            await looked.wait()


def _find(connection: sqlite3.Connection, identity: EmbedderIdentity) -> Space | None:
    if "vectors" not in versions_of(connection):
        return None
    return spaces.find(connection, identity)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1_000
