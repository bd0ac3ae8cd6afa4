"""The memory: each method checks its arguments, then hands a function to a thread with a connection."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Final
from typing import Self
from typing import TypeVar

import anyio
import psycopg
from psycopg import errors

from gatehook import MemoryBackend
from gatehook.context import Clock
from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import NotConnected
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
from gatehook.memory.postgres import deleting
from gatehook.memory.postgres import reading
from gatehook.memory.postgres import upkeep
from gatehook.memory.postgres.connections import Pool
from gatehook.memory.postgres.connections import Work
from gatehook.memory.postgres.schema import migrate
from gatehook.memory.postgres.searching import Search
from gatehook.memory.postgres.statistics import Frequencies
from gatehook.memory.postgres.target import Target
from gatehook.memory.postgres.writer import Writer
from gatehook.memory.ranking import read_position
from gatehook.memory.rules import possible_ids
from gatehook.memory.scanning import After
from gatehook.memory.scanning import scanned
from gatehook.memory.stemming import LANGUAGE

T = TypeVar("T")

_MAX_BYTES: Final = 1_000_000
_LEXICAL: Final = frozenset({SearchMode.AUTO, SearchMode.LEXICAL})
_SWEEP_SECONDS: Final = 600.0


class PostgresMemory(MemoryBackend):
    """A memory in a schema of a PostgreSQL database. Any number of processes may write to it at once."""

    narrowed_by_configuration = True

    def __init__(self, target: Target, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._pool: Pool | None = None
        self._readers = anyio.CapacityLimiter(max(1, target.pool_size - 1))
        self._frequencies = Frequencies()
        self._health = Health()
        self._next_sweep = 0.0

    async def __aenter__(self) -> Self:
        pool = Pool(self._target)
        self._writer = Writer(pool, self._target, _MAX_BYTES)
        self._pool = pool
        try:
            await self._watched(lambda: self._writer.alone(self._migrate))
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    def _migrate(self, connection: psycopg.Connection) -> None:
        migrate(connection, self._target.schema, self._target.lock)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            with anyio.CancelScope(shield=True):
                await self._writer.idle()
            await pool.close(self._target.connect_timeout)

    def capabilities(self) -> MemoryCapabilities:
        """Everything that is declared but vectors: they need an embedder."""
        return MemoryCapabilities(
            as_of=True,
            scan=True,
            cjk=True,
            stemming=LANGUAGE,
            multiprocess=True,
            durable=True,
            max_document_bytes=_MAX_BYTES,
        )

    def health(self) -> Health:
        """Say how the last use of the server went."""
        return self._health

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents; see ``MemoryBackend.upsert``."""
        now = self._clock.now()
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + _SWEEP_SECONDS
            await self._write(partial(deleting.sweep, now=now, class_=self._target.lock))
        return await self._watched(lambda: self._writing().upsert(tuple(docs), if_revision, now))

    async def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents and their past revisions."""
        known = possible_ids(namespace, ids)
        if not known:
            self._open()
            return 0
        return await self._write(partial(deleting.delete, namespace=namespace, ids=known, class_=self._target.lock))

    async def get(self, namespace: Namespace, ids: Sequence[str]) -> list[StoredDoc | None]:
        """Return documents in the order of ``ids``."""
        known = possible_ids(namespace, ids)
        if not known:
            self._open()
            return [None] * len(ids)
        found = await self._read(partial(reading.get, namespace=namespace, ids=known, now=self._clock.now()))
        return [found.get(id_) for id_ in ids]

    async def search(self, query: Query) -> SearchPage:
        """Search by words; see ``MemoryBackend.search``."""
        started = time.perf_counter()
        if query.mode not in _LEXICAL:
            raise UnsupportedCapability(f"this memory has no {query.mode} search")
        _check(query.filter)
        search = Search.prepare(query, self._clock.now())
        hits, cursor = await self._read(partial(search.run, frequencies=self._frequencies), query.timeout)
        took = (time.perf_counter() - started) * 1_000
        return SearchPage(hits=hits, cursor=cursor, mode_used=SearchMode.LEXICAL, took_ms=took)

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there, in a namespace or in all."""
        selector = namespace or NamespaceSelector.everything()
        return await self._read(partial(reading.stats, selector=selector, now=self._clock.now()))

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
        """Iterate over documents by (namespace, id); no connection is held between two pages."""
        _check(filter)

        async def page(begin: After) -> Sequence[StoredDoc]:
            read = partial(reading.scan_page, selector=namespace, filter_=filter, after=begin, now=self._clock.now())
            return await self._read(read)

        return scanned(page, reading.SCAN_PAGE, None if after is None else read_position(after))

    def reindex(self, part: IndexPart = IndexPart.ALL) -> AsyncIterator[Progress]:
        """Build the vectors of words again out of the texts, some at a time; searches and writes go on meanwhile."""
        if part is IndexPart.VECTORS:
            raise UnsupportedCapability("this memory has no vectors")
        return self._reindex()

    async def _reindex(self) -> AsyncIterator[Progress]:
        total = await self._read(upkeep.count)
        done, after = 0, 0
        while True:
            step = await self._write(partial(upkeep.rebuild, after=after, class_=self._target.lock))
            if step is None:
                return
            after, count = step
            done += count
            yield Progress(done=done, total=max(total, done))

    async def maintain(self, budget: float) -> None:
        """Delete what has expired, merge what the index put off, and let the planner know how the rows are now."""
        deadline = time.monotonic() + budget
        now = self._clock.now()
        while await self._write(partial(deleting.sweep, now=now, class_=self._target.lock)) == deleting.SWEEP:
            if time.monotonic() > deadline:
                return
        left = deadline - time.monotonic()
        if left > 0:
            await self._read(partial(upkeep.tidy, seconds=left), left + self._target.timeout)

    async def _write(self, work: Work[T]) -> T:
        return await self._watched(lambda: self._writing().alone(work))

    async def _read(self, work: Work[T], timeout: float | None = None) -> T:
        limit = self._target.timeout if timeout is None else timeout
        try:
            return await self._watched(lambda: self._open().use(work, limit, self._readers))
        except TimeoutError:
            if timeout is None:  # a search's own deadline says nothing of the server
                self._is_down(f"the server gave no answer within {limit:g} s")
            raise

    def _writing(self) -> Writer:
        self._open()
        return self._writer

    def _open(self) -> Pool:
        if self._pool is None:
            raise Closed("this memory is closed")
        return self._pool

    async def _watched(self, use: Callable[[], Awaitable[T]]) -> T:
        """Turn psycopg's errors into ours, without secrets, and remember them for ``health``."""
        try:
            result = await use()
        except errors.QueryCanceled:
            # The server's deadline came before ours.
            raise TimeoutError("the server did not answer in time") from None
        except Ambiguous as error:
            self._is_down(error.message)
            raise
        except psycopg.Error as error:
            said = self._target.said(error)
            self._is_down(said)
            if isinstance(error, psycopg.OperationalError) and _is_away(error):
                raise NotConnected(said) from None
            raise StorageUnavailable(said) from None
        if self._health.status is HealthStatus.DOWN:
            self._health = Health()
        return result

    def _is_down(self, reason: str) -> None:
        self._health = Health(status=HealthStatus.DOWN, reasons=(reason,))


def _is_away(error: psycopg.OperationalError) -> bool:
    """Say whether it is about the connection: no SQLSTATE, a connection exception, or a server that stops or starts."""
    return error.sqlstate is None or error.sqlstate[:2] in ("08", "57") or error.sqlstate == "53300"


def _check(filter_: Filter | None) -> None:
    if filter_ is not None:
        check_filter(filter_)
