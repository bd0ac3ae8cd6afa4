"""A page of a search by words and meaning, or by meaning alone, whatever the database."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final
from typing import Protocol

import attrs

from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.asked import Asked
from gatehook.memory.asked import Candidate
from gatehook.memory.fusion import DOUBT
from gatehook.memory.fusion import TAIL
from gatehook.memory.fusion import WINDOW
from gatehook.memory.fusion import Fused
from gatehook.memory.fusion import Leg
from gatehook.memory.fusion import Part
from gatehook.memory.fusion import behind_window
from gatehook.memory.fusion import by_one
from gatehook.memory.fusion import coverage
from gatehook.memory.fusion import explained
from gatehook.memory.fusion import fuse
from gatehook.memory.fusion import in_window
from gatehook.memory.fusion import weights_of
from gatehook.memory.fusion import worth
from gatehook.memory.ranking import Position
from gatehook.memory.ranking import Shortlist
from gatehook.memory.ranking import aged
from gatehook.memory.ranking import recency
from gatehook.memory.ranking import relevance
from gatehook.memory.ranking import write_cursor
from gatehook.memory.snippet import snippet

#: So many hits a search by meaning alone has at most, on all its pages.
BY_MEANING: Final = 1_000
_SPARE: Final = 8


@attrs.frozen
class Key:
    """What a row is ordered by."""

    rid: int
    ts: Ns
    id: str
    namespace: Namespace
    tags: Sequence[str]


class Legs(Protocol):
    """What a page is made of, read from one snapshot of the rows under everything that the query asks for."""

    def words(self, n: int) -> Sequence[Candidate]:
        """Return the ``n`` strongest by words, complete ones first; neither recency nor the cursor counts."""

    def whole(self) -> float:
        """Return the strength by words of a document that has all of the query."""

    def near(self, n: int) -> Sequence[tuple[int, float]]:
        """Return the ``n`` nearest with their cosine."""

    def without_vector(self, rids: Sequence[int]) -> Iterable[int]:
        """Return those of these that have no vector: they wait for it, or were refused one."""

    def keys(self, rids: Sequence[int]) -> Iterable[Key]:
        """Return what these are ordered by; those that are gone are left out."""

    def documents(self, rids: Sequence[int]) -> Mapping[int, StoredDoc]:
        """Return these documents."""


@attrs.frozen
class _Scored:
    rid: int
    fused: Fused
    recency: float


@attrs.frozen
class FusedSearch:
    """A prepared query, the weight of meaning, and the cosine that is no match."""

    search: Asked
    weight: float
    least: float

    def page(self, legs: Legs, words: Sequence[Candidate] | None = None) -> tuple[tuple[Hit, ...], str | None]:
        """Return a page's hits and the cursor to the next page; ``words`` is that leg's window where it was read."""
        query = self.search.query
        best: Shortlist[_Scored] = Shortlist(query.limit, self.search.after, query.min_score)
        if query.mode is SearchMode.VECTOR:
            self._offer(legs, best, _by_meaning(legs))
        else:
            self._offer_both(legs, best, legs.words(WINDOW) if words is None else words)
        page, end = best.page()
        stored = legs.documents([one.rid for _, one in page])
        hits = tuple(self._hit(-key[0], one, stored[one.rid]) for key, one in page if one.rid in stored)
        return hits, None if end is None else write_cursor(query, Position(end, self.search.now))

    def _offer_both(self, legs: Legs, best: Shortlist[_Scored], words: Sequence[Candidate]) -> None:
        weights, near, covered = weights_of(self.weight), legs.near(WINDOW), _covered(legs, words)
        nearest = max(min(near[0][1], 1.0), 0.0) if near else 0.0
        fused = fuse(
            [
                Leg("lexical", weights["lexical"], _strengths(words), trust=covered**DOUBT),
                Leg("vector", weights["vector"], near, self.least, nearest),
            ]
        )
        most = worth(covered, nearest)
        for rid in legs.without_vector([one.rid for one in words[:WINDOW]]):
            fused[rid] = by_one(fused[rid], "lexical")
        self._offer(legs, best, {rid: (most * in_window(one.score), one) for rid, one in fused.items()})
        if len(words) >= WINDOW:
            self._offer_behind(legs, best, {*fused}, most)

    def _offer_behind(self, legs: Legs, best: Shortlist[_Scored], known: set[int], most: float) -> None:
        """Offer what only words find, beyond the window, as far as the page reaches."""
        count = WINDOW
        while not best.is_closed_to(most * TAIL):
            count = 4 * count + self.search.query.limit
            words = legs.words(count)
            behind = {
                one.rid: (most * behind_window(relevance(one.strength, complete=one.complete)), _alone(rank, one))
                for rank, one in enumerate(words, start=1)
                if one.rid not in known
            }
            self._offer(legs, best, behind)
            known |= set(behind)
            if len(words) < count:
                return

    def _offer(self, legs: Legs, best: Shortlist[_Scored], scored: Mapping[int, tuple[float, Fused]]) -> None:
        """Offer what can enter the page, the best first: age only takes from a score."""
        ordered = sorted(scored, key=lambda rid: -scored[rid][0])
        count = self.search.query.limit + _SPARE
        for at in range(0, len(ordered), count):
            if best.is_closed_to(scored[ordered[at]][0]):
                return
            for key in legs.keys(ordered[at : at + count]):
                self._offer_one(best, key, *scored[key.rid])

    def _offer_one(self, best: Shortlist[_Scored], key: Key, score: float, fused: Fused) -> None:
        age = recency(key.ts, key.tags, self.search.query.half_life, self.search.now)
        best.offer((-aged(score, age), -key.ts, key.id, key.namespace), _Scored(key.rid, fused, age))

    def _hit(self, score: float, one: _Scored, stored: StoredDoc) -> Hit:
        text, spans = snippet(stored.doc.text, self.search.units, self.search.query.snippet_chars)
        parts = {name: part.normalised for name, part in one.fused.parts.items()} | {"recency": one.recency}
        if self.search.query.explain:
            parts |= explained(one.fused)
        return Hit(stored=stored, score=score, snippet=text, spans=spans, parts=parts)


def _by_meaning(legs: Legs) -> dict[int, tuple[float, Fused]]:
    parts = ((rid, cosine, Part(rank, cosine, cosine)) for rank, (rid, cosine) in enumerate(legs.near(BY_MEANING), 1))
    return {rid: (cosine, Fused(cosine, {"vector": part})) for rid, cosine, part in parts}


def _covered(legs: Legs, words: Sequence[Candidate]) -> float:
    if any(one.complete for one in words):
        return 1.0
    return coverage(max(one.strength for one in words), legs.whole()) if words else 0.0


def _strengths(words: Sequence[Candidate]) -> list[tuple[int, float | None]]:
    """Return strengths on one scale: what has every unit is by its own strength above what has not.

    What has not is measured by parts of units too, so that an identifier that differs in a digit may come to more.
    """
    partial = max((one.strength for one in words if not one.complete), default=0.0)
    return [(one.rid, one.strength + partial if one.complete else one.strength) for one in words]


def _alone(rank: int, one: Candidate) -> Fused:
    return Fused(0.0, {"lexical": Part(rank, one.strength, 0.0)})
