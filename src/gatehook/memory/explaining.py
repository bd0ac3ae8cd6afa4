"""Why a search finds a document, or why it does not: asked of the memory as it is, so that it holds for every one."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Final
from typing import Protocol

import attrs

from gatehook.kinds.filters import matches
from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchPage
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import to_rfc3339
from gatehook.memory.rules import fields_of
from gatehook.memory.snippet import snippet
from gatehook.memory.text import Unit
from gatehook.memory.text import parts_of
from gatehook.memory.text import units_of

#: So many hits are looked through.
DEPTH: Final = 1_000


class Searched(Protocol):
    """What of a memory is needed: a backend has it, and so has the gateway's handle."""

    async def search(self, query: Query) -> SearchPage:
        """Search."""


@attrs.frozen(kw_only=True)
class Explanation:
    """What became of one document in a search.

    Attributes:
        rank: its place from 1, ``None`` where it was not found among the first ``DEPTH``.
        score, parts: the hit's; of each leg its rank, its raw and its normalised score, and the factor of its age.
        words: each unit of the query, and whether the text has it.
        reasons: why it was not found, or not where one would look.
        mode_used, degraded: how the memory searched.
    """

    stored: StoredDoc
    rank: int | None
    score: float | None
    parts: Mapping[str, float]
    words: Mapping[str, bool]
    reasons: tuple[str, ...]
    mode_used: str
    degraded: tuple[str, ...]


async def explain(memory: Searched, stored: StoredDoc, query: Query) -> Explanation:
    """Search as the query does, deeper, and say what became of the document."""
    page = await memory.search(attrs.evolve(query, limit=DEPTH, cursor=None, explain=True))
    place = _place(page, stored)
    words = {" ".join(unit.words): _has(stored, unit) for unit in units_of(query.text)}
    if place is None:
        return _explained(page, stored, None, None, words, tuple(_reasons(stored, query, words, page)))
    rank, hit = place
    far = (f"it is at {rank}, behind the first {query.limit}",) if rank > query.limit else ()
    return _explained(page, stored, rank, hit, words, far)


def _explained(
    page: SearchPage,
    stored: StoredDoc,
    rank: int | None,
    hit: Hit | None,
    words: Mapping[str, bool],
    reasons: tuple[str, ...],
) -> Explanation:
    return Explanation(
        stored=stored,
        rank=rank,
        score=None if hit is None else hit.score,
        parts={} if hit is None else hit.parts,
        words=words,
        reasons=reasons,
        mode_used=str(page.mode_used),
        degraded=page.degraded,
    )


def _place(page: SearchPage, stored: StoredDoc) -> tuple[int, Hit] | None:
    for rank, hit in enumerate(page.hits, start=1):
        if (hit.stored.doc.namespace, hit.stored.doc.id) == (stored.doc.namespace, stored.doc.id):
            return rank, hit
    return None


def _has(stored: StoredDoc, unit: Unit) -> bool:
    _, spans = snippet(stored.doc.text, [unit], len(stored.doc.text))
    tags = [tag.lower() for tag in stored.doc.tags]
    return bool(spans) or any(all(word in tag for word in words) for tag in tags for words in unit.spellings)


def _reasons(stored: StoredDoc, query: Query, words: Mapping[str, bool], page: SearchPage) -> Iterator[str]:
    doc = stored.doc
    if not any(_selects(selector, stored) for selector in query.namespaces):
        yield f"its namespace {'/'.join(doc.namespace)} is not searched"
    if query.filter is not None and not matches(query.filter, fields_of(doc)):
        yield "the filter does not let it pass"
    yield from _reasons_of_time(stored, query)
    if words and not any(words.values()) and not _has_a_part(stored, query):
        yield "it has none of the words"
    if query.min_score is not None:
        yield f"its score may be below the least that was asked for, {query.min_score}"
    if len(page.hits) == DEPTH:
        yield f"{DEPTH} others are before it"


def _selects(selector: NamespaceSelector, stored: StoredDoc) -> bool:
    space = stored.doc.namespace
    return space == selector.namespace or (
        not selector.exact and space[: len(selector.namespace)] == selector.namespace
    )


def _reasons_of_time(stored: StoredDoc, query: Query) -> Iterator[str]:
    if query.as_of is None:
        return
    known = max(stored.doc.ts, stored.doc.available_at or stored.doc.ts, stored.visible_at or stored.doc.ts)
    if known > query.as_of:
        yield f"this revision was not known before {to_rfc3339(known)}"


def _has_a_part(stored: StoredDoc, query: Query) -> bool:
    parts = (Unit(part) for unit in units_of(query.text) for part in parts_of(unit))
    return any(_has(stored, part) for part in parts)
