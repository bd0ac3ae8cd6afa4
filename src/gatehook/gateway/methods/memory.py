"""The memory: search, notes, statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Final
from uuid import uuid4

from gatehook.context import Clock
from gatehook.gateway.methods.method import Method
from gatehook.gateway.params import Params
from gatehook.host import MemoryHandle
from gatehook.kinds.codec import to_json
from gatehook.kinds.filters import And
from gatehook.kinds.filters import Eq
from gatehook.kinds.filters import Filter
from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.times import to_rfc3339

NOTES: Final = ("notes",)


class MemoryMethods:
    """``memory.*``. ``memory`` returns the handle of whatever fills the slot now, or raises."""

    def __init__(self, memory: Callable[[], MemoryHandle], clock: Clock) -> None:
        self._memory = memory
        self._clock = clock

    def table(self) -> dict[str, Method]:
        """Return the methods by name."""
        return {
            "memory.search": Method(self.search),
            "memory.add": Method(self.add),
            "memory.stats": Method(self.stats),
        }

    async def search(self, params: Params) -> Any:
        """Search; an empty text lists the newest."""
        namespace = tuple(part for part in (params.maybe("namespace") or "").split("/") if part)
        query = Query(
            text=params.maybe("text") or "",
            namespaces=(NamespaceSelector(namespace=namespace),),
            filter=_filter(params),
            limit=params.integer("limit", 10, most=1000),
            now=self._clock.now(),
        )
        page = await self._memory().search(query)
        return {
            "schemaVersion": 1,
            "hits": [_hit(hit) for hit in page.hits],
            "mode": str(page.mode_used),
            "degraded": list(page.degraded),
            "tookMs": page.took_ms,
        }

    async def add(self, params: Params) -> Any:
        """Remember a note."""
        note = MemoryDoc(
            id=f"note-{uuid4().hex}",
            text=params.text("text"),
            namespace=NOTES,
            ts=self._clock.now(),
            tags=frozenset(params.texts("tags")),
            meta={"source": "cli", **({"symbol": symbol} if (symbol := params.maybe("symbol")) else {})},
        )
        report = await self._memory().upsert([note])
        for _, reason in report.rejected:
            raise params.refuse(reason)
        return {"schemaVersion": 1, "id": note.id}

    async def stats(self, params: Params) -> Any:
        """Count what is there."""
        return {"schemaVersion": 1, "stats": to_json(await self._memory().stats())}


def _filter(params: Params) -> Filter | None:
    parts: list[Filter] = [Eq("tags", tag) for tag in params.texts("tags")]
    for name, field in (("symbol", "meta.symbol"), ("account", "meta.account"), ("kind", "kind")):
        if (value := params.maybe(name)) is not None:
            parts.append(Eq(field, value))
    return And(tuple(parts)) if parts else None


def _hit(hit: Hit) -> Any:
    doc = hit.stored.doc
    return {
        "id": doc.id,
        "namespace": list(doc.namespace),
        "kind": doc.kind,
        "ts": to_rfc3339(doc.ts),
        "score": hit.score,
        "snippet": hit.snippet,
        "spans": [list(span) for span in hit.spans],
        "text": doc.text,
        "tags": sorted(doc.tags),
        "meta": {key: list(value) if isinstance(value, tuple) else value for key, value in doc.meta.items()},
    }
