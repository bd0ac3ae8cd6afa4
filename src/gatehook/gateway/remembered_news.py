"""Items of a feed as documents: each in its newest revision, known from when it was retrieved, never before."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from types import NoneType
from typing import Final

import anyio

from gatehook.diagnostics.codes import news as codes
from gatehook.gateway.batches import as_first_known
from gatehook.gateway.batches import batches
from gatehook.gateway.batches import there
from gatehook.gateway.outage import Outage
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost
from gatehook.kinds.feed import NewsEvent
from gatehook.kinds.feed import NewsKind
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.recalled import strip_recalled
from gatehook.memory.rules import fault_of

NAMESPACE: Final = "news"
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "event_id": (str,),
    "revision": (int,),
    "source": (str,),
    "kind": (NewsKind,),
    "headline": (str,),
    "summary": (str, NoneType),
    "url": (str, NoneType),
    "published_at": (int,),
    "retrieved_at": (int,),
}


class NewsWriter:
    """Writes what one feed brings."""

    def __init__(self, host: PluginHost, feed: str) -> None:
        self._namespace = (NAMESPACE, feed)
        self._redact = host.redactor.redact
        self._refusals = Outage(host.report)
        self._turn = anyio.Lock()

    async def write(self, memory: MemoryHandle, items: Iterable[object]) -> None:
        """Write the items that are not there in a later revision; one that is no item is left out, which is reported.

        Raises:
            ProviderError: the memory does not work; some may be written.
        """
        refused, documents = [], []
        for item in items:
            found = self._document(item, memory.capabilities.max_document_bytes)
            if isinstance(found, str):
                refused.append(f"{getattr(item, 'event_id', item)!r:.100}: {found}")
            elif found.text:
                documents.append(found)
        async with self._turn:  # what is asked for and what is published come at once
            for batch in batches(documents, lambda one: one.id):
                refused += await self._write_batch(memory, batch)
        if refused:
            self._refusals.goes_on(codes.ITEM_REFUSED(entry=self._namespace[1], why=refused[0], count=len(refused)))
        else:
            self._refusals.over()

    def _document(self, item: object, most_bytes: int) -> MemoryDoc | str:
        """Return an item as a document, or what is wrong with it."""
        if not isinstance(item, NewsEvent):
            return f"it is a {type(item).__name__}, no NewsEvent"
        fault = mistyped(item)
        if fault is not None:
            return fault
        made = document_of(item, self._namespace, self._redact)
        return fault_of(made, most_bytes) or made

    async def _write_batch(self, memory: MemoryHandle, batch: Mapping[str, MemoryDoc]) -> list[str]:
        known = await there(memory, self._namespace, batch)
        current = [one for one in batch.values() if not _is_older(one, known.get(one.id))]
        report = await memory.upsert([as_first_known(one, known.get(one.id)) for one in current])
        return [f"{id_!r:.100}: {reason}" for id_, reason in report.rejected]


def mistyped(item: NewsEvent) -> str | None:
    """Return which part of an item has a wrong type: its class checks none; ``None`` where all are right."""
    for name, types in _TYPES.items():
        if type(getattr(item, name)) not in types:
            return f"its {name} is a {type(getattr(item, name)).__name__}"
    if not all(isinstance(one, str) for one in item.symbols):
        return "a symbol is no text"
    return None


def document_of(item: NewsEvent, namespace: Namespace, redact: Callable[[str], str]) -> MemoryDoc:
    """Return an item as a document: its texts as data, without what was recalled from a memory."""
    texts = (strip_recalled(one).strip() for one in (item.headline, item.summary or ""))
    symbols = tuple(one for one in item.symbols if one)
    url = {} if item.url is None else {"url": redact(item.url)}
    return MemoryDoc(
        id=item.event_id,
        text=redact("\n\n".join(one for one in texts if one)),
        namespace=namespace,
        ts=item.published_at,
        kind=str(item.kind),
        meta={"source": item.source, "symbol": symbols, "revision": item.revision, "trust": item.trust, **url},
        available_at=max(item.retrieved_at, item.published_at),
    )


def _is_older(doc: MemoryDoc, stored: StoredDoc | None) -> bool:
    """Say whether a later revision is there: a feed that is read again from its beginning brings the earlier ones."""
    if stored is None:
        return False
    there, here = stored.doc.meta.get("revision"), doc.meta["revision"]
    return isinstance(there, int) and isinstance(here, int) and there > here
