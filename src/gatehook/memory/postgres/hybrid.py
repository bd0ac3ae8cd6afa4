"""The memory with vectors: words as in ``PostgresMemory``, and beside them meaning, in the same schema."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

import attrs
from anyio.abc import TaskGroup

from gatehook.context import Clock
from gatehook.diagnostics import Diagnostic
from gatehook.kinds.capabilities import MemoryCapabilities
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
from gatehook.memory.asked import Candidate
from gatehook.memory.embedding.embedder import Embedder
from gatehook.memory.embedding.queries import QueryVectors
from gatehook.memory.fusion import WINDOW
from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.postgres.legs import read_page
from gatehook.memory.postgres.near import Near
from gatehook.memory.postgres.schema import STORAGE
from gatehook.memory.postgres.schema import migrate
from gatehook.memory.postgres.searching import Search
from gatehook.memory.postgres.target import Target
from gatehook.memory.postgres.vector_schema import Extension
from gatehook.memory.postgres.vector_schema import find_extension
from gatehook.memory.postgres.vector_schema import part_of
from gatehook.memory.postgres.vector_store import PostgresStore
from gatehook.memory.vectors.asking import NOT_ALL
from gatehook.memory.vectors.asking import NoVectors
from gatehook.memory.vectors.asking import beside
from gatehook.memory.vectors.asking import by_words
from gatehook.memory.vectors.asking import routed
from gatehook.memory.vectors.asking import since
from gatehook.memory.vectors.asking import vector_of
from gatehook.memory.vectors.filler import Filler
from gatehook.memory.vectors.settings import DEFAULTS
from gatehook.memory.vectors.settings import VectorSettings
from gatehook.memory.vectors.store import Space
from gatehook.memory.vectors.telling import health_with
from gatehook.memory.vectors.telling import stats_of
from gatehook.memory.vectors.telling import stats_with


class PostgresHybridMemory(PostgresMemory):
    """A memory in a schema that also finds what means the same.

    Each embedder's vectors are a space of their own, filled by the gateways that have it configured: gateways with
    another one neither see nor end it. Without the extension, or its embedder, it is ``PostgresMemory`` and says why.
    """

    def __init__(
        self,
        target: Target,
        clock: Clock,
        *,
        embedder: Callable[[], Embedder],
        tasks: Callable[[], TaskGroup],
        report: Callable[[Diagnostic], None],
        settings: VectorSettings = DEFAULTS,
    ) -> None:
        """``embedder`` makes it, when the memory is entered: what cannot be made is an error of entering. ``tasks``
        gives the task group that owns what runs beside the searches; ``report`` hears of failures.
        """
        super().__init__(target, clock)
        self._make_embedder = embedder
        self._tasks = tasks
        self._report = report
        self._settings = settings
        self._extension = Extension(missing="it was not looked for yet")
        self._filler: Filler | None = None

    def capabilities(self) -> MemoryCapabilities:
        """Everything that is declared; without the extension pages say so, as without the embedder."""
        return attrs.evolve(super().capabilities(), vectors=True)

    async def __aenter__(self) -> Self:
        self._embedder = self._make_embedder()
        await self._embedder.open()
        self._queries = QueryVectors(self._embedder, self._settings.query_seconds, self._clock.monotonic)
        await super().__aenter__()
        try:
            await self._begin()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def _begin(self) -> None:
        lock, schema = self._target.lock, self._target.schema
        self._extension = await self._read(partial(find_extension, schema=schema))
        if self._extension.missing:
            return
        await self._write(partial(migrate, schema=schema, lock=lock, parts=(STORAGE, part_of(self._extension))))
        self._store = PostgresStore(self._read, self._write, self._extension, lock)
        space = await self._store.enter(self._embedder.identity)
        self._filler = Filler(
            self._store, self._embedder, self._clock, self._queries, self._tasks, self._report, self._settings
        )
        self._filler.begin(space)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        filler, self._filler = self._filler, None
        if filler is not None:
            await filler.end()
        await super().__aexit__(exc_type, exc, traceback)

    def health(self) -> Health:
        """Say how the server is, and whether searches have their leg of meaning."""
        health = super().health()
        if self._pool is None:
            return health
        reasons = [f"vectors: {self._extension.missing}"] if self._extension.missing else []
        reasons += self._filler.reasons() if self._filler is not None else []
        return health_with(health, reasons)

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents; words are found when it returns, vectors follow."""
        report = await super().upsert(docs, if_revision=if_revision)
        if self._filler is not None:
            self._filler.wake()
        return report

    async def search(self, query: Query) -> SearchPage:
        """Search by words and meaning; without vectors by words, and the page says why."""
        self._open()
        if query.filter is not None:
            check_filter(query.filter)
        return await routed(query, self._by_meaning, self._by_words)

    async def _by_words(self, query: Query, started: float, *degraded: str) -> SearchPage:
        return await by_words(super().search, query, started, degraded)

    async def _by_meaning(self, query: Query, started: float) -> SearchPage:
        space = self._space()
        search = Search.prepare(query, self._clock.now())
        words: Sequence[Candidate] | None = None
        if query.mode is SearchMode.VECTOR or self._queries.remembered(query.text) is not None:
            vector = await vector_of(self._queries, query)
        else:
            read = partial(search.words, frequencies=self._frequencies, n=WINDOW)
            words, vector = await beside(
                lambda: self._read(read, query.timeout), lambda: vector_of(self._queries, query)
            )
        near = Near(space, self._extension, vector, self._settings.least)
        page = partial(
            read_page,
            search=search,
            near=near,
            frequencies=self._frequencies,
            weight=self._settings.dense_weight,
            words=words,
        )
        hits, cursor = await self._read(page, query.timeout)
        return SearchPage(hits=hits, cursor=cursor, mode_used=query.mode, took_ms=since(started))

    def _space(self) -> Space:
        if self._extension.missing:
            raise NoVectors(f"vectors: {self._extension.missing}")
        standing = None if self._filler is None else self._filler.standing
        if standing is None or not standing.space.active:
            raise NoVectors(NOT_ALL)
        return standing.space

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there, and how many vectors there are of what embedder."""
        stats = stats_with(await super().stats(namespace), self._embedder, self._settings.dense_weight)
        standing = None if self._filler is None else self._filler.standing
        if standing is None:
            return stats
        return stats_of(stats, standing.space, await self._store.filling(standing.space.id))

    async def flush(self, *, vectors: bool = False) -> None:
        """Return when everything written before is in the index; with ``vectors`` when nothing waits for a vector.

        Raises:
            StorageUnavailable: when the embedder fails; what waits goes on waiting.
        """
        await super().flush()
        if vectors:
            await self._filling().wait()

    async def reindex(self, part: IndexPart = IndexPart.ALL) -> AsyncIterator[Progress]:
        """Build an index again; without vectors searches go by words until all are there.

        Raises:
            StorageUnavailable: when the embedder fails; the rest follows when it is back.
        """
        if part is not IndexPart.VECTORS:
            async for progress in super().reindex(IndexPart.LEXICAL):
                yield progress
        if part is IndexPart.VECTORS or (part is IndexPart.ALL and not self._extension.missing):
            async for progress in self._filling().again(lambda _: self._queries.forget()):
                yield progress

    def _filling(self) -> Filler:
        self._open()
        if self._filler is None:
            raise StorageUnavailable(f"vectors: {self._extension.missing}")
        return self._filler
