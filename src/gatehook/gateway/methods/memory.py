"""The memory: search, why something is found, notes, forgetting, statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Final
from uuid import uuid4

from gatehook.context import Clock
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import memory_commands as codes
from gatehook.gateway.methods.memory_queries import document_json
from gatehook.gateway.methods.memory_queries import namespace_of
from gatehook.gateway.methods.memory_queries import page_json
from gatehook.gateway.methods.memory_queries import query_of
from gatehook.gateway.methods.method import Method
from gatehook.gateway.params import Params
from gatehook.host import MemoryHandle
from gatehook.kinds.codec import to_json
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.explaining import explain
from gatehook.memory.recalled import strip_recalled

NOTES: Final = ("notes",)
_MOST_SPACES: Final = 10_000
_SLOW: Final = 30.0


class MemoryMethods:
    """``memory.*`` that answers at once. ``memory`` returns the handle of whatever fills the slot now, or raises."""

    def __init__(self, memory: Callable[[], MemoryHandle], clock: Clock) -> None:
        self._memory = memory
        self._clock = clock

    def table(self) -> dict[str, Method]:
        """Return the methods by name."""
        return {
            "memory.search": Method(self.search),
            "memory.explain": Method(self.explain, timeout=_SLOW),
            "memory.add": Method(self.add),
            "memory.forget": Method(self.forget, timeout=_SLOW),
            "memory.stats": Method(self.stats, timeout=_SLOW),
        }

    async def search(self, params: Params) -> Any:
        """Search; an empty text lists the newest."""
        return page_json(await self._memory().search(query_of(params, self._clock.now())))

    async def explain(self, params: Params) -> Any:
        """Say why a search finds a document, or why not. The namespace is the search's, ``of`` the document's."""
        memory = self._memory()
        stored = await self._one(memory, params.text("id"), params.maybe("of"))
        told = await explain(memory, stored, query_of(params, self._clock.now()))
        return {
            "schemaVersion": 1,
            "document": document_json(stored),
            "rank": told.rank,
            "score": told.score,
            "parts": dict(told.parts),
            "words": dict(told.words),
            "reasons": list(told.reasons),
            "mode": told.mode_used,
            "degraded": list(told.degraded),
        }

    async def add(self, params: Params) -> Any:
        """Remember a note."""
        text = strip_recalled(params.text("text")).strip()
        if not text:
            raise params.refuse("the text is only what was recalled, and the memory has it")
        note = MemoryDoc(
            id=f"note-{uuid4().hex}",
            text=text,
            namespace=namespace_of(params) or NOTES,
            ts=self._clock.now(),
            tags=frozenset(params.texts("tags")),
            meta={"source": "cli", **({"symbol": symbol} if (symbol := params.maybe("symbol")) else {})},
        )
        report = await self._memory().upsert([note])
        for _, reason in report.rejected:
            raise params.refuse(reason)
        return {"schemaVersion": 1, "id": note.id}

    async def forget(self, params: Params) -> Any:
        """Forget documents without a trace; ``dry_run`` only says which there are."""
        memory = self._memory()
        found = [await self._one(memory, id_, params.maybe("namespace")) for id_ in params.texts("ids")]
        if not found:
            raise params.refuse("ids is missing")
        forgotten = 0
        for stored in [] if params.flag("dry_run") else found:
            forgotten += await memory.forget(stored.doc.namespace, [stored.doc.id])
        return {"schemaVersion": 1, "documents": [document_json(stored) for stored in found], "forgotten": forgotten}

    async def stats(self, params: Params) -> Any:
        """Count what is there."""
        memory = self._memory()
        return {"schemaVersion": 1, "entry": memory.entry_id, "stats": to_json(await memory.stats())}

    async def _one(self, memory: MemoryHandle, id_: str, namespace: str | None) -> StoredDoc:
        """Find a document by its id, in a namespace or in whichever has it.

        Raises:
            GatehookError: where none has it, or several do.
        """
        spaces = [tuple(namespace.split("/"))] if namespace else await memory.namespaces(limit=_MOST_SPACES)
        found = [stored for space in spaces for stored in await memory.get(space, [id_]) if stored is not None]
        if len(found) != 1:
            raise GatehookError(codes.DOCUMENT_UNCLEAR(document=id_, found=_where(found)))
        return found[0]


def _where(found: list[StoredDoc]) -> str:
    spaces: list[Namespace] = [stored.doc.namespace for stored in found]
    return "in " + ", ".join("/".join(space) for space in spaces) if spaces else "nowhere"
