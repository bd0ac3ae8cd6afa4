"""A memory over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Mapping
from collections.abc import Sequence

from gatehook.kinds.filters import Filter
from gatehook.kinds.kind import Kind
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchPage
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.memory import UpsertReport
from gatehook.wire.remote import Remote


class WireMemory(Remote, MemoryBackend):
    """Index and search of a server."""

    kind = Kind.MEMORY

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents."""
        report: UpsertReport = await self._link.ask("upsert", {"docs": docs, "if_revision": if_revision})
        return report

    async def get(self, namespace: Namespace, ids: Sequence[str]) -> list[StoredDoc | None]:
        """Return documents in the order of ``ids``."""
        found: list[StoredDoc | None] = await self._link.ask("get", {"namespace": namespace, "ids": ids})
        return found

    async def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents."""
        count: int = await self._link.ask("delete", {"namespace": namespace, "ids": ids})
        return count

    async def search(self, query: Query) -> SearchPage:
        """Search."""
        page: SearchPage = await self._link.ask("search", {"query": query})
        return page

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there."""
        stats: MemoryStats = await self._link.ask("stats", {"namespace": namespace})
        return stats

    async def forget(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents so that no byte of their text stays in any file."""
        count: int = await self._link.ask("forget", {"namespace": namespace, "ids": ids})
        return count

    async def scan(
        self,
        namespace: NamespaceSelector,
        *,
        filter: Filter | None = None,  # noqa: A002  the word that Query uses
        after: str | None = None,
    ) -> AsyncIterator[StoredDoc]:
        """Iterate over documents by (namespace, id). Close the iterator in the task that reads it."""
        async with self._following("scan", namespace=namespace, filter=filter, after=after) as items:
            async for item in items:
                if isinstance(item, StoredDoc):
                    yield item

    async def namespaces(self, prefix: Namespace = (), *, limit: int = 1000) -> Sequence[Namespace]:
        """Return the namespaces below a prefix, sorted."""
        found: Sequence[Namespace] = await self._link.ask("namespaces", {"prefix": prefix, "limit": limit})
        return found

    async def flush(self, *, vectors: bool = False) -> None:
        """Return when everything written before is in the index."""
        await self._link.ask("flush", {"vectors": vectors})

    async def maintain(self, budget: float) -> None:
        """Let it do what makes searches faster or files smaller."""
        await self._link.ask("maintain", {"budget": budget})
