"""The memory: words as in ``SqliteMemory``, and beside them vectors, in the same file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs
from anyio.abc import TaskGroup

from gatehook.context import Clock
from gatehook.diagnostics import Diagnostic
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
from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.embedding.queries import QueryVectors
from gatehook.memory.fusion import WINDOW
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.sqlite.schema import BY_WORDS
from gatehook.memory.sqlite.schema import versions_of
from gatehook.memory.sqlite.searching import Search
from gatehook.memory.sqlite.searching import lexical_top
from gatehook.memory.vectors import spaces
from gatehook.memory.vectors.asking import beside
from gatehook.memory.vectors.asking import by_words
from gatehook.memory.vectors.asking import routed
from gatehook.memory.vectors.asking import since
from gatehook.memory.vectors.file import VectorFile
from gatehook.memory.vectors.filler import Filler
from gatehook.memory.vectors.legs import read_page
from gatehook.memory.vectors.meaning import Meaning
from gatehook.memory.vectors.rarity import Rarity
from gatehook.memory.vectors.schema import VECTORS
from gatehook.memory.vectors.settings import DEFAULTS
from gatehook.memory.vectors.settings import VectorSettings
from gatehook.memory.vectors.sqlite_store import SqliteStore
from gatehook.memory.vectors.store import Space
from gatehook.memory.vectors.telling import health_with
from gatehook.memory.vectors.telling import stats_of
from gatehook.memory.vectors.telling import stats_with


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
        settings: VectorSettings = DEFAULTS,
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
        self._rarity = Rarity()

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._embedder = self._make_embedder()
        await self._embedder.open()
        queries = QueryVectors(self._embedder, settings.query_seconds, self._clock.monotonic)
        self._meaning = Meaning(
            self._file, queries, self._tasks, least=settings.least, codes_bytes=settings.codes_bytes
        )
        self._filler = Filler(
            SqliteStore(self._file), self._embedder, self._clock, queries, self._tasks, self._report, settings
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
        self._meaning.enter(space)
        self._filler.begin(space)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._filler.end()
        await super().__aexit__(exc_type, exc, traceback)

    def health(self) -> Health:
        """Say how the file is, and whether searches have their leg of meaning."""
        health = super().health()
        if self._readers is None:
            return health
        return health_with(health, self._filler.reasons())

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents; words are found when it returns, vectors follow."""
        report = await super().upsert(docs, if_revision=if_revision)
        self._filler.wake()
        return report

    async def search(self, query: Query) -> SearchPage:
        """Search by words and meaning; without vectors by words, and the page says why."""
        self._reading()
        if query.filter is not None:
            check_filter(query.filter)
        return await routed(query, self._by_meaning, self._by_words)

    async def _by_words(self, query: Query, started: float, *degraded: str) -> SearchPage:
        return await by_words(super().search, query, started, degraded)

    async def _by_meaning(self, query: Query, started: float) -> SearchPage:
        await self._look()
        search = Search.prepare(query, self._clock.now())
        words: Sequence[Candidate] | None = None
        if query.mode is SearchMode.VECTOR or self._meaning.is_remembered(query):
            dense = await self._meaning.ready(query)
        else:
            words, dense = await beside(
                lambda: self._read(partial(lexical_top, search=search, n=WINDOW)), lambda: self._meaning.ready(query)
            )
        weight = self._settings.dense_weight
        page = partial(read_page, search=search, dense=dense, rarity=self._rarity, weight=weight, words=words)
        hits, cursor = await self._read(page)
        return SearchPage(hits=hits, cursor=cursor, mode_used=query.mode, took_ms=since(started))

    async def _look(self) -> None:
        """Compare in the space as it is now; a process that only reads finds it as the writer left it."""
        if self._filler.standing is not None:
            self._meaning.enter(self._filler.standing.space)
        elif self._writer is None:
            self._meaning.enter(await self._read(partial(_find, identity=self._embedder.identity)))

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there, and how many vectors there are of what embedder."""
        stats = stats_with(await super().stats(namespace), self._embedder, self._settings.dense_weight)
        space = await self._read(partial(_find, identity=self._embedder.identity))
        if space is None:
            return stats
        stats = stats_of(stats, space, await self._read(partial(spaces.filling, space=space.id)))
        return attrs.evolve(stats, details={**stats.details, "vectors_in_memory_bytes": self._meaning.codes_bytes})

    async def flush(self, *, vectors: bool = False) -> None:
        """Return when everything written before is in the index; with ``vectors`` when nothing waits for a vector.

        Raises:
            StorageUnavailable: when the embedder fails; what waits goes on waiting.
        """
        await super().flush()
        if vectors:
            self._writing()
            await self._filler.wait()

    async def reindex(self, part: IndexPart = IndexPart.ALL) -> AsyncIterator[Progress]:
        """Build an index again; without vectors searches go by words until all are there.

        Raises:
            StorageUnavailable: when the embedder fails; the rest follows when it is back.
        """
        if part is not IndexPart.VECTORS:
            async for progress in super().reindex(IndexPart.LEXICAL):
                yield progress
        if part is not IndexPart.LEXICAL:
            self._writing()
            async for progress in self._filler.again(self._emptied):
                yield progress

    def _emptied(self, space: Space) -> None:
        self._meaning.enter(space)
        self._meaning.renew()


def _find(connection: sqlite3.Connection, identity: EmbedderIdentity) -> Space | None:
    if "vectors" not in versions_of(connection):
        return None
    return spaces.find(connection, identity)
