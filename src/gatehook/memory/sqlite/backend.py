"""The memory: each method checks its arguments, then hands a function to the writer's or a reader's thread."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final
from typing import Self
from typing import TypeVar

import anyio
import anyio.to_thread

from gatehook import MemoryBackend
from gatehook.context import Clock
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.filters import Filter
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
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.memory import UpsertReport
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.ranking import read_position
from gatehook.memory.rules import possible_ids
from gatehook.memory.scanning import After
from gatehook.memory.scanning import scanned
from gatehook.memory.sqlite import hasty
from gatehook.memory.sqlite import reading
from gatehook.memory.sqlite import reindexing
from gatehook.memory.sqlite import removing
from gatehook.memory.sqlite import writing
from gatehook.memory.sqlite.database import WriteLock
from gatehook.memory.sqlite.database import check_file
from gatehook.memory.sqlite.database import open_writer
from gatehook.memory.sqlite.forgetting import forget
from gatehook.memory.sqlite.maintenance import maintain
from gatehook.memory.sqlite.maintenance import sync
from gatehook.memory.sqlite.readers import Readers
from gatehook.memory.sqlite.schema import BY_WORDS
from gatehook.memory.sqlite.schema import Part
from gatehook.memory.sqlite.searching import Search
from gatehook.memory.sqlite.writer import Writer

T = TypeVar("T")

_MAX_BYTES: Final = 1_000_000
_LEXICAL: Final = frozenset({SearchMode.AUTO, SearchMode.LEXICAL})
#: The share of its time after which a search takes what it can get in the rest.
_PATIENT: Final = 0.7
_HASTY: Final = "deadline: only the rarest words were searched, and of what has them the newest"
_SWEEP: Final = 500
_SWEEP_SECONDS: Final = 600.0
#: So long a write waits for the memory of this process that wrote the file before, looking this often.
_HANDOVER_SECONDS: Final = 10.0
_HANDOVER_STEP: Final = 0.01


class SqliteMemory(MemoryBackend):
    """A memory in one SQLite file. The first process to open it writes; the others read, and say so in their health.

    Made to be subclassed: a memory with more than words brings its ``parts`` of the schema, overrides ``search`` (with
    ``searching.lexical_top`` and ``searching.read_documents`` for what it fuses), and reaches the file by ``_write``,
    ``_read`` and ``_alone`` only. Rows of its own follow ``docs`` by triggers of its part.

    Attributes:
        _path: the file. _clock: market and real time.
    """

    def __init__(self, path: Path, clock: Clock, *, parts: Sequence[Part] = BY_WORDS) -> None:
        self._path = path
        self._clock = clock
        self._parts = tuple(parts)
        self._lock = WriteLock(path)
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._health = Health()
        self._next_sweep = 0.0
        self._taking_over = anyio.Lock()

    async def __aenter__(self) -> Self:
        connection = await anyio.to_thread.run_sync(self._open)
        if connection is not None:
            self._writer = Writer(connection)
        self._readers = Readers(self._path)
        return self

    def _open(self) -> sqlite3.Connection | None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_file(self._path, self._parts)
        if not self._lock.take():
            reason = f"process {self._lock.holder()} writes {self._path}; this one only reads"
            self._health = Health(status=HealthStatus.DEGRADED, reasons=(reason,))
            return None
        try:
            return open_writer(self._path, self._parts)
        except BaseException:
            self._lock.release()
            raise

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        readers, self._readers = self._readers, None
        async with self._taking_over:
            writer, self._writer = self._writer, None
        if readers is not None:
            await readers.close()
        if writer is not None:
            await writer.close()
        self._lock.release()

    def health(self) -> Health:
        """Say how the last use of the file went."""
        return self._health

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents; see ``MemoryBackend.upsert``."""
        now = self._clock.now()
        work = partial(writing.upsert, docs=tuple(docs), if_revision=if_revision, now=now, max_bytes=_MAX_BYTES)
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + _SWEEP_SECONDS
            await self._write(partial(removing.sweep, now=now, limit=_SWEEP))
        return await self._write(work)

    async def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents and their past revisions."""
        return await self._write(partial(removing.delete, namespace=namespace, ids=possible_ids(namespace, ids)))

    async def forget(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents so that no byte stays in the database, its log or its index."""
        work = partial(forget, namespace=namespace, ids=possible_ids(namespace, ids))
        return await self._alone(work)

    async def get(self, namespace: Namespace, ids: Sequence[str]) -> list[StoredDoc | None]:
        """Return documents in the order of ``ids``."""
        known = possible_ids(namespace, ids)
        found = await self._read(partial(reading.get, namespace=namespace, ids=known, now=self._clock.now()))
        by_id = dict(zip(known, found, strict=True))
        return [by_id.get(id_) for id_ in ids]

    async def search(self, query: Query) -> SearchPage:
        """Search by words; see ``MemoryBackend.search``."""
        started = time.perf_counter()
        if query.mode not in _LEXICAL:
            raise UnsupportedCapability(f"this memory has no {query.mode} search")
        _check(query.filter)
        search = Search.prepare(query, self._clock.now())
        cursor: str | None = None
        degraded: tuple[str, ...] = ()
        try:
            hits, cursor = await self._read(search.run, _PATIENT * query.timeout)
        except TimeoutError:
            if not search.units:
                raise
            left = max(query.timeout - (time.perf_counter() - started), 0.0)
            hits, degraded = await self._read(partial(hasty.run, search=search), left), (_HASTY,)
        took = (time.perf_counter() - started) * 1_000
        return SearchPage(hits=hits, cursor=cursor, mode_used=SearchMode.LEXICAL, degraded=degraded, took_ms=took)

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there, in a namespace or in all."""
        selector = namespace or NamespaceSelector.everything()
        return await self._read(partial(reading.stats, selector=selector, path=self._path, now=self._clock.now()))

    async def namespaces(self, prefix: Namespace = (), *, limit: int = 1000) -> Sequence[Namespace]:
        """Return the namespaces at and below a prefix, sorted."""
        return await self._read(partial(reading.namespaces, prefix=prefix, limit=limit, now=self._clock.now()))

    def scan(
        self,
        namespace: NamespaceSelector,
        *,
        filter: Filter | None = None,  # noqa: A002  the word of the interface
        after: str | None = None,
    ) -> AsyncIterator[StoredDoc]:
        """Iterate over documents by (namespace, id); no connection is held between two of them."""
        _check(filter)

        async def page(begin: After) -> Sequence[StoredDoc]:
            read = partial(reading.scan_page, selector=namespace, filter_=filter, after=begin, now=self._clock.now())
            return await self._read(read)

        return scanned(page, reading.SCAN_PAGE, None if after is None else read_position(after))

    async def flush(self, *, vectors: bool = False) -> None:
        """Return when everything written before is on the disk; the index has it since it was written."""
        if self._reading() and self._writer is not None:
            await self._alone(sync)

    def reindex(self, part: IndexPart = IndexPart.ALL) -> AsyncIterator[Progress]:
        """Build the full-text index again beside the one in use; what was interrupted goes on when asked again.

        Raises:
            UnsupportedCapability: for vectors; this memory has none.
        """
        if part is IndexPart.VECTORS:
            raise UnsupportedCapability("this memory has no vectors")
        return self._reindex()

    async def _reindex(self) -> AsyncIterator[Progress]:
        done = False
        while not done:
            progress, done = await self._write(reindexing.step)
            yield progress

    async def maintain(self, budget: float) -> None:
        """Sweep what expired, merge the index, empty the log, in short steps for about ``budget`` seconds.

        A process that only reads leaves it to the one that writes.
        """
        if self._reading() and self._writer is not None:
            end = self._clock.monotonic() + budget
            await maintain(
                self._write,
                self._alone,
                now=self._clock.now(),
                has_time=lambda: self._clock.monotonic() < end,
            )

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a write in the writer's thread and transaction, possibly with others; return when it is committed.

        Raises:
            StorageUnavailable: when it could not be committed, or another process writes this file.
        """
        await self._take_over()
        return await self._watched(lambda: self._writing().write(work))

    async def _alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work that manages its own transactions in the writer's thread, between the writes of others.

        Raises:
            StorageUnavailable: when it failed, or another process writes this file.
        """
        await self._take_over()
        return await self._watched(lambda: self._writing().alone(work))

    async def _read(self, work: Callable[[sqlite3.Connection], T], timeout: float | None = None) -> T:
        """Run a read on a read-only connection in a thread; when its caller is cancelled, it is interrupted.

        Raises:
            TimeoutError: when it took longer than ``timeout`` seconds.
            StorageUnavailable: when the file cannot be read.
        """
        return await self._watched(lambda: self._reading().read(work, timeout))

    def _writing(self) -> Writer:
        self._reading()
        if self._writer is None:
            raise StorageUnavailable(self._health.reasons[0])
        return self._writer

    async def _take_over(self) -> None:
        """Become the writer where whoever was it has gone; one of this process goes soon, when a slot changes hands."""
        if self._writer is not None or self._readers is None:
            return
        deadline = time.monotonic() + _HANDOVER_SECONDS
        async with self._taking_over:
            while not await self._took_over():
                if self._lock.holder() != str(os.getpid()) or time.monotonic() >= deadline:
                    return
                await anyio.sleep(_HANDOVER_STEP)

    async def _took_over(self) -> bool:
        """Try to become the writer; also ``True`` where there is nothing to try any more."""
        if self._writer is not None or self._readers is None:
            return True
        with anyio.CancelScope(shield=True):  # a lock that was taken has an owner
            connection = await anyio.to_thread.run_sync(self._open)
            if connection is None:
                return False
            self._writer, self._health = Writer(connection), Health()
            await self._became_writer()
        return True

    async def _became_writer(self) -> None:
        """Begin what only the process that writes does; called when that is not known on entering yet."""

    def _reading(self) -> Readers:
        if self._readers is None:
            raise Closed("this memory is closed")
        return self._readers

    async def _watched(self, use: Callable[[], Awaitable[T]]) -> T:
        """Turn the engine's errors into ours, and remember them for ``health``."""
        try:
            result = await use()
        except sqlite3.Error as error:
            self._health = Health(status=HealthStatus.DOWN, reasons=(f"{self._path}: {error}",))
            raise StorageUnavailable(f"{self._path}: {error}") from error
        if self._health.status is HealthStatus.DOWN:
            self._health = Health()
        return result


def _check(filter_: Filter | None) -> None:
    if filter_ is not None:
        check_filter(filter_)
