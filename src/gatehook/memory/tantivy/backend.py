"""The memory: rows in SQLite, words in tantivy, and between the two what is written and not yet in the index."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Final
from typing import Self
from typing import TypeVar

import attrs
from anyio.abc import TaskGroup

from gatehook.context import Clock
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.filters import check_filter
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Progress
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import SearchPage
from gatehook.kinds.memory import UpsertReport
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.sqlite.searching import Search
from gatehook.memory.tantivy.filling import size_of
from gatehook.memory.tantivy.finding import Finder
from gatehook.memory.tantivy.indexer import Indexer
from gatehook.memory.tantivy.indexer import Pace
from gatehook.memory.tantivy.queue import PARTS
from gatehook.memory.tantivy.queue import last_change
from gatehook.memory.tantivy.searching import TantivySearch

T = TypeVar("T")

_LEXICAL: Final = frozenset({SearchMode.AUTO, SearchMode.LEXICAL})
#: So many times what may be pending is searched in memory: one write more than the last that found room.
_BUFFERED: Final = 2
#: So many rows are brought into a new build in a second, at least.
_ROWS_A_SECOND: Final = 8_000


class TantivyMemory(SqliteMemory):
    """A memory for a million documents and more on one machine. The first process to open its file writes, and keeps
    the index; the others read both.
    """

    def __init__(self, path: Path, clock: Clock, tasks: Callable[[], TaskGroup], pace: Pace | None = None) -> None:
        super().__init__(path, clock, parts=PARTS)
        self._pace = pace or Pace()
        self._tasks = tasks
        self._finder = Finder(path, _BUFFERED * self._pace.pending)
        self._indexer: Indexer | None = None

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self._became_writer()
        return self

    async def _became_writer(self) -> None:
        if self._indexer is not None:
            self._tasks().start_soon(self._indexer.run, name="index of a memory")

    def _open(self) -> sqlite3.Connection | None:
        connection = super()._open()
        if connection is not None:
            self._indexer = Indexer(self._path, self._pace, super()._write)
            try:
                self._indexer.begin(connection)
            except BaseException:
                connection.close()
                self._lock.release()
                raise
        return connection

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._indexer is not None:
            await self._indexer.stop()
        await super().__aexit__(exc_type, exc, traceback)
        self._finder.close()

    def health(self) -> Health:
        """Say how the last use of the file went, and how the index is."""
        known = super().health()
        if known.status is HealthStatus.OK and self._indexer is not None and self._indexer.fault is not None:
            return Health(status=HealthStatus.DEGRADED, reasons=(f"index: {self._indexer.fault}",))
        return known

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents; where too many are not yet in the index, when some of them are."""
        if self._indexer is None:
            return await super().upsert(docs, if_revision=if_revision)
        await self._indexer.room()
        report = await super().upsert(docs, if_revision=if_revision)
        self._indexer.weigh(sum(len(doc.text) for doc in docs if isinstance(doc.text, str)))
        await self._indexer.room(_BUFFERED)
        return report

    async def forget(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents so that no byte stays in the database, its log or the index, which is built again for it."""
        count = await super().forget(namespace, ids)
        async for _ in self.reindex():
            pass
        return count

    async def search(self, query: Query) -> SearchPage:
        """Search by words; see ``MemoryBackend.search``."""
        started = time.perf_counter()
        if query.mode not in _LEXICAL:
            raise UnsupportedCapability(f"this memory has no {query.mode} search")
        if query.filter is not None:
            check_filter(query.filter)
        search = TantivySearch.over(self._finder, Search.prepare(query, self._clock.now()))
        found = await self._read(search.outcome, query.timeout)
        if found.fault is not None and self._indexer is not None:
            self._indexer.doubt(*found.fault)
        return SearchPage(
            hits=found.hits,
            cursor=found.cursor,
            mode_used=SearchMode.LEXICAL,
            degraded=() if found.lacking is None else (found.lacking,),
            took_ms=(time.perf_counter() - started) * 1_000,
        )

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there, in a namespace or in all; ``details`` has the size of the rows and of the index."""
        found = await super().stats(namespace)
        index, pending = await self._read(partial(_measure, path=self._path))
        details = {
            **found.details,
            "engine": f"tantivy {version('tantivy')}",
            "bytes_of_rows": found.bytes_on_disk,
            "bytes_of_index": index,
            "pending": pending,
        }
        return attrs.evolve(found, bytes_on_disk=found.bytes_on_disk + index, details=details)

    async def flush(self, *, vectors: bool = False) -> None:
        """Return when everything written before is in the index on disk; ``vectors`` there are none."""
        self._writing()
        assert self._indexer is not None, "who writes has an indexer"
        await self._indexer.flush()

    def reindex(self, part: IndexPart = IndexPart.ALL) -> AsyncIterator[Progress]:
        """Build the index again out of the rows, beside the one in use."""
        if part is IndexPart.VECTORS:
            raise UnsupportedCapability("this memory has no vectors")
        self._writing()
        assert self._indexer is not None, "who writes has an indexer"
        return self._indexer.rebuild()

    async def maintain(self, budget: float) -> None:
        """Build an index again that has been written over more than once, if ``budget`` seconds are enough."""
        await self.flush()
        rows, added = await self._read(self._finder.written)
        if added > 2 * rows + _ROWS_A_SECOND and rows / _ROWS_A_SECOND < budget:
            async for _ in self.reindex():
                pass

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._noted(work, super()._write)

    async def _alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._noted(work, super()._alone)

    async def _noted(self, work: Callable[[sqlite3.Connection], T], run: Callable[..., object]) -> T:
        result, last = await run(lambda connection: (work(connection), last_change(connection)))  # type: ignore[misc]
        if self._indexer is not None:
            self._indexer.note(last)
        return result  # type: ignore[no-any-return]


def _measure(connection: sqlite3.Connection, path: Path) -> tuple[int, int]:
    """Return the bytes of the index and the changes that are not in it."""
    return size_of(path), connection.execute("SELECT count(*) FROM tantivy_queue").fetchone()[0]
