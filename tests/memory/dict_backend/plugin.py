"""The smallest memory that keeps the statements: a dict, searched from end to end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import anyio.lowlevel
import attrs

from gatehook import MemoryBackend
from gatehook import PluginContext
from gatehook import UnsupportedCapability
from gatehook import hookimpl
from gatehook.context import Clock
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import Conflict
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import check_filter
from gatehook.kinds.filters import matches
from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import SearchPage
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.memory import UpsertReport
from gatehook.memory import ranking
from gatehook.memory import rules
from gatehook.memory.snippet import snippet
from gatehook.memory.text import fold
from gatehook.memory.text import parts_of
from gatehook.memory.text import units_of
from gatehook.memory.text import words_of

Key = tuple[Namespace, str]


class DictMemory(MemoryBackend):
    """A memory that lasts as long as its process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._docs: dict[Key, StoredDoc] | None = {}

    async def __aexit__(self, *exc_info: object) -> None:
        self._docs = None

    def _all(self) -> dict[Key, StoredDoc]:
        if self._docs is None:
            raise Closed("this memory is closed")
        return self._docs

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        await anyio.lowlevel.checkpoint()
        faults = [(doc, rules.fault_of(doc, 100_000)) for doc in docs]
        valid = {(doc.namespace, doc.id): doc for doc, fault in faults if fault is None}
        for (space, id_), expected in ((key, (if_revision or {}).get(key[1])) for key in valid):
            found = self._all().get((space, id_))
            if expected is not None and expected != (found.revision if found else 0):
                raise Conflict(f"{id_!r} has another revision than {expected}")
        done: dict[str, list[str]] = {"inserted": [], "updated": [], "unchanged": []}
        for doc in valid.values():
            done[self._store(doc)].append(doc.id)
        rejected = tuple((doc.id, fault) for doc, fault in faults if fault is not None)
        return UpsertReport(rejected=rejected, **{word: tuple(ids) for word, ids in done.items()})

    def _store(self, doc: MemoryDoc) -> str:
        now, key = self._clock.now(), (doc.namespace, doc.id)
        before = self._all().get(key)
        same_time = before is not None and doc.available_at in (None, before.doc.available_at)
        if before is not None and same_time and rules.digest_of(doc) == rules.digest_of(before.doc):
            return "unchanged"
        known = attrs.evolve(doc, available_at=rules.available_at(doc, now))
        created, revision = (before.created_at, before.revision + 1) if before else (now, 1)
        self._all()[key] = StoredDoc(doc=known, revision=revision, created_at=created, ingested_at=now)
        return "updated" if before else "inserted"

    async def get(self, namespace: Namespace, ids: Sequence[str]) -> list[StoredDoc | None]:
        await anyio.lowlevel.checkpoint()
        visible = {key: stored for key, stored in self._all().items() if self._is_alive(stored.doc)}
        return [visible.get((namespace, id_)) for id_ in ids]

    async def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        await anyio.lowlevel.checkpoint()
        return sum(self._all().pop((namespace, id_), None) is not None for id_ in ids)

    async def search(self, query: Query) -> SearchPage:
        await anyio.lowlevel.checkpoint()
        if query.mode not in (SearchMode.AUTO, SearchMode.LEXICAL):
            raise UnsupportedCapability(f"a dict has no {query.mode} search")
        if query.as_of is not None:
            raise UnsupportedCapability("a dict keeps no past revisions")
        begin = ranking.read_cursor(query)
        now = begin.now if begin else self._clock.now() if query.now is None else query.now
        best: ranking.Shortlist[Hit] = ranking.Shortlist(query.limit, begin.key if begin else None, query.min_score)
        selected = [one for selector in query.namespaces for one in self._selected(selector, query.filter)]
        for stored in {(one.doc.namespace, one.doc.id): one for one in selected}.values():
            hit = _match(stored, query, now)
            if hit is not None:
                best.offer(ranking.sort_key(hit.score, stored.doc), hit)
        page, end = best.page()
        cursor = None if end is None else ranking.write_cursor(query, ranking.Position(end, now))
        return SearchPage(hits=[hit for _, hit in page], cursor=cursor, mode_used=SearchMode.LEXICAL)

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        await anyio.lowlevel.checkpoint()
        docs = [one.doc for one in self._selected(namespace or NamespaceSelector.everything(), None)]
        spaces = {doc.namespace for doc in docs}
        return MemoryStats(documents=len(docs), namespaces=len(spaces), bytes_on_disk=0)

    async def scan(
        self,
        namespace: NamespaceSelector,
        *,
        filter: Filter | None = None,  # noqa: A002  the word of the interface
        after: str | None = None,
    ) -> AsyncIterator[StoredDoc]:
        start: Any = ranking.read_position(after) if after else ()
        selected = {(one.doc.namespace, one.doc.id): one for one in self._selected(namespace, filter)}
        for key in sorted(key for key in selected if key > start):
            yield selected[key]

    def _selected(self, selector: NamespaceSelector, filter_: Filter | None) -> Iterator[StoredDoc]:
        if filter_ is not None:
            check_filter(filter_)
        for (space, _), stored in self._all().items():
            chosen = space == selector.namespace or (
                not selector.exact and space[: len(selector.namespace)] == selector.namespace
            )
            if chosen and self._is_alive(stored.doc) and (not filter_ or matches(filter_, rules.fields_of(stored.doc))):
                yield stored

    def _is_alive(self, doc: MemoryDoc) -> bool:
        return doc.expires_at is None or doc.expires_at > self._clock.now()


def _match(stored: StoredDoc, query: Query, now: int) -> Hit | None:
    doc, units = stored.doc, units_of(query.text)
    if not units:
        return Hit(stored=stored, score=1.0, snippet=doc.text[: query.snippet_chars])
    words = [*words_of(fold(doc.text)), *sorted(doc.tags)]
    counts = [sum(_count(words, one) for one in unit.spellings) for unit in units]
    parts = [_count(words, part) for unit in units for part in parts_of(unit)]
    if not any(counts) and not any(parts):
        return None
    strength = sum(counts or parts) / (10.0 + len(words))
    found = ranking.relevance(strength, complete=all(counts))
    age = ranking.recency(doc.ts, doc.tags, query.half_life, now)
    text, spans = snippet(doc.text, units, query.snippet_chars)
    return Hit(
        stored=stored,
        score=ranking.aged(found, age),
        snippet=text,
        spans=spans,
        parts={"lexical": found, "recency": age},
    )


def _count(words: list[str], phrase: tuple[str, ...]) -> int:
    return sum(tuple(words[at : at + len(phrase)]) == phrase for at in range(len(words)))


@hookimpl
def provide_memory_backend(context: PluginContext) -> MemoryBackend:
    return DictMemory(context.clock)
