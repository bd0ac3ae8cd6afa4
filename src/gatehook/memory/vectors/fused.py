"""A page of a search by words and meaning, or by meaning alone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.fusion import TAIL
from gatehook.memory.fusion import WINDOW
from gatehook.memory.fusion import Fused
from gatehook.memory.fusion import Leg
from gatehook.memory.fusion import Part
from gatehook.memory.fusion import behind_window
from gatehook.memory.fusion import explained
from gatehook.memory.fusion import fuse
from gatehook.memory.fusion import in_window
from gatehook.memory.fusion import weights_of
from gatehook.memory.ranking import Position
from gatehook.memory.ranking import Shortlist
from gatehook.memory.ranking import SortKey
from gatehook.memory.ranking import aged
from gatehook.memory.ranking import recency
from gatehook.memory.ranking import relevance
from gatehook.memory.ranking import write_cursor
from gatehook.memory.snippet import snippet
from gatehook.memory.sqlite.scope import read_namespace
from gatehook.memory.sqlite.searching import Candidate
from gatehook.memory.sqlite.searching import Search
from gatehook.memory.sqlite.searching import lexical_top
from gatehook.memory.sqlite.searching import read_documents
from gatehook.memory.vectors.dense import Dense

#: So many hits a search by meaning alone has at most, on all its pages.
BY_MEANING: Final = 1_000
_SPARE: Final = 8
_KEYS: Final = (
    "SELECT d.rid, d.ts, d.id, d.ns, d.labels FROM json_each(?) AS wanted CROSS JOIN docs d ON d.rid = wanted.value"
)


@attrs.frozen
class _Scored:
    rid: int
    fused: Fused
    recency: float


@attrs.frozen
class FusedSearch:
    """A prepared query, its vector, and the weight of meaning. ``search.query.mode`` is the mode that is used."""

    search: Search
    dense: Dense
    weight: float

    def run(
        self, connection: sqlite3.Connection, lexical: Sequence[Candidate] | None = None
    ) -> tuple[tuple[Hit, ...], str | None]:
        """Return a page's hits and the cursor to the next page; ``lexical`` is that leg's window where it was read."""
        query = self.search.query
        best: Shortlist[_Scored] = Shortlist(query.limit, self.search.after, query.min_score)
        with _snapshot(connection):
            if query.mode is SearchMode.VECTOR:
                self._offer(connection, best, self._by_meaning(connection))
            else:
                self._offer_both(connection, best, lexical)
            page, end = best.page()
            stored = read_documents(connection, [one.rid for _, one in page], self.search.condition)
        hits = tuple(self._hit(-key[0], one, stored[one.rid]) for key, one in page if one.rid in stored)
        return hits, None if end is None else write_cursor(query, Position(end, self.search.now))

    def lexical(self, connection: sqlite3.Connection) -> list[Candidate]:
        """Return the window of the leg of words."""
        return lexical_top(connection, self.search, WINDOW)

    def _by_meaning(self, connection: sqlite3.Connection) -> dict[int, tuple[float, Fused]]:
        near = self.dense.top(connection, self.search, BY_MEANING)
        parts = ((rid, cosine, Part(rank, cosine, cosine)) for rank, (rid, cosine) in enumerate(near, start=1))
        return {rid: (cosine, Fused(cosine, {"vector": part})) for rid, cosine, part in parts}

    def _offer_both(
        self, connection: sqlite3.Connection, best: Shortlist[_Scored], lexical: Sequence[Candidate] | None
    ) -> None:
        words = self.lexical(connection) if lexical is None else lexical
        weights = weights_of(self.weight)
        fused = fuse(
            [
                Leg("lexical", weights["lexical"], _strengths(words)),
                Leg("vector", weights["vector"], self.dense.top(connection, self.search, WINDOW), self.dense.least),
            ]
        )
        self._offer(connection, best, {rid: (in_window(one.score), one) for rid, one in fused.items()})
        if len(words) >= WINDOW:
            self._offer_behind(connection, best, {*fused})

    def _offer_behind(self, connection: sqlite3.Connection, best: Shortlist[_Scored], known: set[int]) -> None:
        """Offer what only words find, beyond the window, as far as the page reaches."""
        count = WINDOW
        while not best.is_closed_to(TAIL):
            count = 4 * count + self.search.query.limit
            words = lexical_top(connection, self.search, count)
            behind = {
                one.rid: (behind_window(relevance(one.strength, complete=one.complete)), _alone(rank, one))
                for rank, one in enumerate(words, start=1)
                if one.rid not in known
            }
            self._offer(connection, best, behind)
            known |= set(behind)
            if len(words) < count:
                return

    def _offer(
        self, connection: sqlite3.Connection, best: Shortlist[_Scored], scored: Mapping[int, tuple[float, Fused]]
    ) -> None:
        """Offer what can enter the page, the best first: age only takes from a score."""
        ordered = sorted(scored, key=lambda rid: -scored[rid][0])
        count = self.search.query.limit + _SPARE
        for at in range(0, len(ordered), count):
            if best.is_closed_to(scored[ordered[at]][0]):
                return
            for row in connection.execute(_KEYS, (json.dumps(ordered[at : at + count]),)):
                self._offer_one(best, row, *scored[row[0]])

    def _offer_one(self, best: Shortlist[_Scored], row: tuple[Any, ...], score: float, fused: Fused) -> None:
        rid, ts, id_, ns, labels = row
        half_life = self.search.query.half_life
        age = recency(ts, json.loads(labels) if half_life is not None else (), half_life, self.search.now)
        key: SortKey = (-aged(score, age), -ts, id_, read_namespace(ns))
        best.offer(key, _Scored(rid, fused, age))

    def _hit(self, score: float, one: _Scored, stored: StoredDoc) -> Hit:
        text, spans = snippet(stored.doc.text, self.search.units, self.search.query.snippet_chars)
        parts = {name: part.normalised for name, part in one.fused.parts.items()} | {"recency": one.recency}
        if self.search.query.explain:
            parts |= explained(one.fused)
        return Hit(stored=stored, score=score, snippet=text, spans=spans, parts=parts)


def _strengths(words: Sequence[Candidate]) -> list[tuple[int, float | None]]:
    """Return strengths in the order of the words' own leg: what has every unit is no weaker than what has not."""
    partial = max((one.strength for one in words if not one.complete), default=0.0)
    return [(one.rid, max(one.strength, partial) if one.complete else one.strength) for one in words]


def _alone(rank: int, one: Candidate) -> Fused:
    return Fused(0.0, {"lexical": Part(rank, one.strength, 0.0)})


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read everything as it was at one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
