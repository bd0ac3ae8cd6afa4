"""A search: the documents with every unit of the query first, then, if there is room, those with some of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Final
from typing import Self

import attrs

from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.asked import Asked
from gatehook.memory.asked import Candidate
from gatehook.memory.asked import Found
from gatehook.memory.conditions import Condition
from gatehook.memory.conditions import both
from gatehook.memory.ranking import COMPLETE
from gatehook.memory.ranking import Shortlist
from gatehook.memory.ranking import aged
from gatehook.memory.ranking import recency
from gatehook.memory.ranking import relevance
from gatehook.memory.ranking import sort_key
from gatehook.memory.scope import write_namespace
from gatehook.memory.sqlite.conditions import COMPILER
from gatehook.memory.sqlite.match import complete_match
from gatehook.memory.sqlite.match import partial_match
from gatehook.memory.sqlite.match import scope_match
from gatehook.memory.sqlite.rows import DOCUMENT
from gatehook.memory.sqlite.rows import read_document
from gatehook.memory.sqlite.schema import BM25

# Two steps: the index sorts nothing but numbers, of equal ones the newest row first, and is read while there are
# candidates, then documents are read by them. By ``fts.rank`` each number that is read costs a search of its own, and
# a join sorts whole documents.
RANKED: Final = f"SELECT rowid, {BM25} AS strength FROM fts WHERE fts MATCH ? ORDER BY strength, rowid DESC"  # noqa: S608  constants only
_WANTED: Final = (
    f"SELECT d.rid, {DOCUMENT} FROM json_each(?) AS wanted CROSS JOIN docs d"  # noqa: S608  constants only
    " ON d.rid = wanted.value WHERE "
)
_PASSING: Final = _WANTED.replace(f", {DOCUMENT}", "")
_NEWEST: Final = f"SELECT {DOCUMENT} FROM docs d WHERE "  # noqa: S608  constants only
#: So many documents are read beyond a page: it tells that there is another page.
_SPARE: Final = 1
_READ_AT_ONCE: Final = 256
#: Of so many a filter, and what is equally strong, mostly leave a page.
_FIRST: Final = 48
_EVERYTHING: Final = (NamespaceSelector.everything(),)


def lexical_top(connection: sqlite3.Connection, search: Search, n: int) -> list[Candidate]:
    """Return the ``n`` strongest documents within the query's namespaces, filter and times, complete ones first.

    Neither recency nor the cursor counts here. Without words in the query nothing is found.
    """
    top: list[Candidate] = []
    if not search.units:
        return top
    seen: set[int] = set()
    for match, complete in search.matches():
        if len(top) >= n:
            break
        for rows in _ranked(connection, search, match, n + len(seen)):
            passing = _passing(connection, [rid for rid, _ in rows if rid not in seen], search.condition)
            top += (Candidate(rid, max(-rank, 0.0), complete) for rid, rank in rows if rid in passing)
            seen |= passing
            if len(top) >= n:
                break
    return top[:n]


def read_documents(connection: sqlite3.Connection, rids: Sequence[int], condition: Condition) -> dict[int, StoredDoc]:
    """Return those of these documents that a condition lets pass."""
    rows = connection.execute(f"{_WANTED}{condition.sql}", (json.dumps(list(rids)), *condition.parameters))
    return {rid: read_document(row) for rid, *row in rows}


def _passing(connection: sqlite3.Connection, rids: list[int], condition: Condition) -> set[int]:
    rows = connection.execute(f"{_PASSING}{condition.sql}", (json.dumps(rids), *condition.parameters))
    return {rid for (rid,) in rows}


def _ranked(
    connection: sqlite3.Connection, search: Search, match: str, count: int
) -> Iterator[list[tuple[int, float]]]:
    """Yield what matches, the strongest first, in lists of ``count`` and more."""
    sql, parameters = search.ranking(match)
    # The best of many are found without sorting all; the others are asked for only where these did not fill the page.
    first = max(count, _FIRST)
    rows = connection.execute(f"{sql} LIMIT ?", (*parameters, first)).fetchall()
    yield from (rows[at : at + count] for at in range(0, len(rows), count))
    if len(rows) < first:
        return
    others = connection.execute(f"{sql} LIMIT -1 OFFSET ?", (*parameters, first))
    try:
        while rows := others.fetchmany(_READ_AT_ONCE):
            yield rows
    finally:
        others.close()


@attrs.frozen
class Search(Asked):
    """A query that is put to the file."""

    @classmethod
    def prepare(cls, query: Query, now: Ns) -> Self:
        """Take a query apart, as ``Asked.of``."""
        return cls.of(query, now, COMPILER)

    def run(self, connection: sqlite3.Connection) -> tuple[tuple[Hit, ...], str | None]:
        """Return a page's hits and the cursor to the next page."""
        if self.query.limit == 0:
            return (), None
        best = self.shortlist()
        if self.units:
            self._rank(connection, best)
        else:
            self._list(connection, best)
        return self.page(best)

    def matches(self) -> Iterator[tuple[str, bool]]:
        """Yield what to look for in the index, and whether what is found by it has every unit of the query."""
        every = complete_match(self.units, scope_match(self.query), context=self._knows_context)
        some = self.any_word()
        yield every, True
        if some != every:
            yield some, False

    def any_word(self) -> str:
        """Return what finds documents with any unit, or part of one, of the query."""
        return partial_match(self.units, scope_match(self.query), context=self._knows_context)

    @property
    def _knows_context(self) -> bool:
        # A turn's context holds words of a later turn, which a search as of a time must not know.
        return self.query.as_of is None

    def ranking(self, match: str) -> tuple[str, tuple[object, ...]]:
        """Return what asks the index for what matches, the strongest first, and its parameters."""
        return RANKED, (match,)

    def _rank(self, connection: sqlite3.Connection, best: Shortlist[Found]) -> None:
        offered: set[int] = set()
        for match, complete in self.matches():
            # Open after the first: then every document with all units was offered.
            if complete or not best.is_closed_to(COMPLETE):
                self._offer(connection, best, match, offered, complete=complete)

    def _offer(
        self, connection: sqlite3.Connection, best: Shortlist[Found], match: str, offered: set[int], *, complete: bool
    ) -> None:
        for rows in _ranked(connection, self, match, self.query.limit + _SPARE):
            if best.is_closed_to(relevance(max(-rows[0][1], 0.0), complete=complete)):
                return
            read = read_documents(connection, [rid for rid, _ in rows if rid not in offered], self.condition)
            for rid, rank in rows:
                strength = max(-rank, 0.0)
                found = relevance(strength, complete=complete)
                if best.is_closed_to(found):
                    return
                if rid in read:
                    offered.add(rid)
                    self._offer_one(best, read[rid], found, strength)

    def _offer_one(self, best: Shortlist[Found], stored: StoredDoc, found: float, strength: float) -> None:
        doc = stored.doc
        age = recency(doc.ts, doc.tags, self.query.half_life, self.now)
        best.offer(sort_key(aged(found, age), doc), Found(stored, found, age, strength))

    def _list(self, connection: sqlite3.Connection, best: Shortlist[Found]) -> None:
        """List the newest first; without words nothing has an age."""
        for row in self._newest(connection):
            self.list_one(best, read_document(row))

    def _newest(self, connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
        where = both(self.condition, self._behind(), self._of_scope())
        sql = f"{_NEWEST}{where.sql} ORDER BY d.ts DESC, d.id, d.ns LIMIT ?"
        return connection.execute(sql, (*where.parameters, self.query.limit + 1))

    def _behind(self) -> Condition:
        if self.after is None:
            return Condition("1")
        _, minus_ts, id_, namespace = self.after
        behind = "(d.ts < ? OR (d.ts = ? AND (d.id, d.ns) > (?, ?)))"
        return Condition(behind, (-minus_ts, -minus_ts, id_, write_namespace(namespace)))

    def _of_scope(self) -> Condition:
        """Let the index select where a filter has tokens; namespaces alone have a faster way."""
        match = scope_match(attrs.evolve(self.query, namespaces=_EVERYTHING))
        return Condition("d.rid IN (SELECT rowid FROM fts WHERE fts MATCH ?)", (match,)) if match else Condition("1")
