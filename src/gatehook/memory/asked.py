"""A query made ready, and the page that it comes to: alike in every memory that finds words."""

from __future__ import annotations

from typing import Self

import attrs

from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.conditions import Compiler
from gatehook.memory.conditions import Condition
from gatehook.memory.ranking import Position
from gatehook.memory.ranking import Shortlist
from gatehook.memory.ranking import SortKey
from gatehook.memory.ranking import read_cursor
from gatehook.memory.ranking import sort_key
from gatehook.memory.ranking import write_cursor
from gatehook.memory.snippet import snippet
from gatehook.memory.text import Unit
from gatehook.memory.text import units_of


@attrs.frozen
class Candidate:
    """What an index found: a row of ``docs``, how strongly it matches (0 and up), whether it has every unit."""

    rid: int
    strength: float
    complete: bool


@attrs.frozen
class Found:
    """A document for the page: its relevance, the factor of its age, and how strongly its words match, if any do."""

    stored: StoredDoc
    relevance: float
    recency: float
    strength: float | None = None


@attrs.frozen
class Asked:
    """A query made ready: when ages are counted from, its words, its condition, where its page begins."""

    query: Query
    now: Ns
    units: tuple[Unit, ...]
    condition: Condition
    after: SortKey | None

    @classmethod
    def of(cls, query: Query, now: Ns, compiler: Compiler) -> Self:
        """Take a query apart; nothing is read.

        Raises:
            CursorExpired: for a cursor of another query.
        """
        begin = read_cursor(query)
        at = begin.now if begin else now if query.now is None else query.now
        return cls(query, at, units_of(query.text), compiler.of_query(query, now), begin.key if begin else None)

    def shortlist(self) -> Shortlist[Found]:
        """Return an empty page."""
        return Shortlist(self.query.limit, self.after, self.query.min_score)

    def list_one(self, best: Shortlist[Found], stored: StoredDoc) -> None:
        """Offer a document to a query without words: nothing has an age, the newest comes first."""
        best.offer(sort_key(1.0, stored.doc), Found(stored, 1.0, 1.0))

    def page(self, best: Shortlist[Found]) -> tuple[tuple[Hit, ...], str | None]:
        """Return a page's hits and the cursor to the next page."""
        page, end = best.page()
        hits = tuple(self._hit(-key[0], found) for key, found in page)
        return hits, None if end is None else write_cursor(self.query, Position(end, self.now))

    def _hit(self, score: float, found: Found) -> Hit:
        text, spans = snippet(found.stored.doc.text, self.units, self.query.snippet_chars)
        parts = {"lexical": found.relevance, "recency": found.recency}
        if self.query.explain and found.strength is not None:
            parts |= {"lexical_raw": found.strength, "lexical_normalised": found.relevance}
        return Hit(stored=found.stored, score=score, snippet=text, spans=spans, parts=parts)
