"""A search: the documents with every unit of the query first, then, if there is room, those with some of it.

The server finds, filters and scores (BM25), in the order of pages. Documents that have only some of the query are asked
for by their rarest word, and so on while a document without the words so far could still enter the page.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Final
from typing import Generic
from typing import Self
from typing import TypeVar

import attrs
import psycopg

from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import Query
from gatehook.kinds.times import Ns
from gatehook.memory.asked import Asked
from gatehook.memory.asked import Candidate
from gatehook.memory.asked import Found
from gatehook.memory.conditions import ALWAYS
from gatehook.memory.conditions import NEVER
from gatehook.memory.conditions import Condition
from gatehook.memory.conditions import both
from gatehook.memory.postgres import lexemes
from gatehook.memory.postgres import scoring
from gatehook.memory.postgres.conditions import COMPILER
from gatehook.memory.postgres.rows import DOCUMENT
from gatehook.memory.postgres.rows import read_document
from gatehook.memory.postgres.statistics import Frequencies
from gatehook.memory.postgres.statistics import Totals
from gatehook.memory.postgres.statistics import Weighed
from gatehook.memory.postgres.texts import read_text
from gatehook.memory.postgres.texts import write_text
from gatehook.memory.ranking import COMPLETE
from gatehook.memory.ranking import Shortlist
from gatehook.memory.ranking import SortKey
from gatehook.memory.ranking import relevance
from gatehook.memory.ranking import sort_key
from gatehook.memory.scope import read_namespace
from gatehook.memory.scope import write_namespace

T = TypeVar("T")

#: To score so many documents costs hardly more than to ask for them.
_CHEAP: Final = 1_000
_LARGEST_PAGE: Final = 1_000_000_000
_NEWEST: Final = f"SELECT {DOCUMENT} FROM docs d WHERE "  # noqa: S608  constants only


@attrs.frozen
class _Match:
    score: float
    strength: float
    recency: float
    complete: bool


@attrs.frozen
class _Rows(Generic[T]):
    """What is read of a row that matches, and what becomes of it."""

    columns: str
    read: Callable[[Sequence[Any], _Match], tuple[SortKey, T]]


def _read_document(row: Sequence[Any], match: _Match) -> tuple[SortKey, Found]:
    stored = read_document(row)
    found = Found(stored, relevance(match.strength, complete=match.complete), match.recency, match.strength)
    return sort_key(match.score, stored.doc), found


def _read_candidate(row: Sequence[Any], match: _Match) -> tuple[SortKey, Candidate]:
    rid, ts, id_, ns = row
    key = (-match.score, -ts, read_text(id_), read_namespace(ns))
    return key, Candidate(rid, match.strength, match.complete)


_DOCUMENTS: Final = _Rows(DOCUMENT, _read_document)
_CANDIDATES: Final = _Rows("d.rid, d.ts, d.id, d.ns", _read_candidate)


@attrs.frozen
class Search(Asked):
    """A query that is put to the server."""

    @classmethod
    def prepare(cls, query: Query, now: Ns) -> Self:
        """Take a query apart, as ``Asked.of``."""
        return cls.of(query, now, COMPILER)

    def run(self, connection: psycopg.Connection, frequencies: Frequencies) -> tuple[tuple[Hit, ...], str | None]:
        """Return a page's hits and the cursor to the next page."""
        if self.query.limit == 0:
            return (), None
        best = self.shortlist()
        if self.units:
            self._rank(connection, best, frequencies, _DOCUMENTS)
        else:
            self._list(connection, best)
        return self.page(best)

    def words(self, connection: psycopg.Connection, frequencies: Frequencies, n: int) -> list[Candidate]:
        """Return the ``n`` strongest documents, complete ones first; neither recency nor the cursor counts."""
        query = attrs.evolve(self.query, limit=n, half_life=None, min_score=None, cursor=None)
        return attrs.evolve(self, query=query, after=None).candidates(connection, frequencies)

    def candidates(self, connection: psycopg.Connection, frequencies: Frequencies) -> list[Candidate]:
        """Return what the page has, as rows with their strength."""
        best: Shortlist[Candidate] = Shortlist(self.query.limit, self.after, self.query.min_score)
        if self.units:
            self._rank(connection, best, frequencies, _CANDIDATES)
        return [candidate for _, candidate in best.page()[0]]

    def _rank(
        self, connection: psycopg.Connection, best: Shortlist[T], frequencies: Frequencies, rows: _Rows[T]
    ) -> None:
        # A turn's context holds words of a later turn, which a search as of a time must not know.
        context = self.query.as_of is None
        scope = lexemes.scope(self.query)
        every = lexemes.every(self.units, context=context)
        totals = Totals.read(connection)
        weighed = frequencies.weigh(connection, lexemes.wants_of(self.units, context=context), totals)
        ranking = scoring.Ranking(weighed, totals, self.query.half_life, self.now, context)
        offer = _Offer(self, connection, best, ranking, rows)
        if frequencies.expect(connection, weighed, scope, totals) <= _CHEAP:
            some = lexemes.some(one.want for one in weighed)
            offer.all_of(lexemes.all_of(scope, some), Condition("d.lexemes @@ %s::tsquery", (every,)))
            return
        offer.all_of(lexemes.all_of(scope, every), ALWAYS)
        if best.is_closed_to(COMPLETE) or weighed[0].want.expression == every:
            return
        before = [f"({every})"]
        for group, bound in _by_rarity(weighed):
            if best.is_closed_to(relevance(bound, complete=False)):
                return
            some = lexemes.some(one.want for one in group)
            offer.all_of(lexemes.all_of(scope, some, f"!({' | '.join(before)})"), NEVER)
            before.append(some)

    def _list(self, connection: psycopg.Connection, best: Shortlist[Found]) -> None:
        """List the newest first; without words nothing has an age."""
        scope = lexemes.scope(attrs.evolve(self.query, namespaces=lexemes.EVERYWHERE))
        selected = Condition("(d.lexemes @@ %s::tsquery)", (scope,)) if scope else ALWAYS
        where = both(self.condition, self.behind("d", "1.0", None), selected)
        sql = f"{_NEWEST}{where.sql} ORDER BY d.ts DESC, d.id, d.ns LIMIT %s"
        for row in connection.execute(sql.encode(), (*where.parameters, self.most)):
            self.list_one(best, read_document(row))

    @property
    def most(self) -> int:
        """How many rows are read: one more than the page has tells that there is another."""
        return min(self.query.limit, _LARGEST_PAGE) + 1

    def behind(self, row: str, score: str, least: float | None) -> Condition:
        """Select what comes after the page before, and scores enough."""
        enough = ALWAYS if least is None else Condition(f"({score} >= %s::float8)", (least,))
        if self.after is None:
            return enough
        minus, minus_ts, id_, namespace = self.after
        later = f"({row}.ts < %s::bigint OR ({row}.ts = %s::bigint AND ({row}.id, {row}.ns) > (%s::text, %s::text)))"
        behind = f"({score} < %s::float8 OR ({score} = %s::float8 AND {later}))"
        key = (-minus, -minus, -minus_ts, -minus_ts, write_text(id_), write_namespace(namespace))
        return both(enough, Condition(behind, key))


@attrs.frozen
class _Offer(Generic[T]):
    """Has the server find and score documents, and offers the best to a page."""

    search: Search
    connection: psycopg.Connection
    best: Shortlist[T]
    ranking: scoring.Ranking
    rows: _Rows[T]
    # The statements do not see one snapshot: a document that changes meanwhile may come twice.
    seen: set[tuple[Namespace, str]] = attrs.field(factory=set)

    def all_of(self, match: str, complete: Condition) -> None:
        """Offer what matches; of these, what ``complete`` selects has every unit of the query."""
        search = self.search
        where = both(Condition("(d.lexemes @@ %s::tsquery)", (match,)), search.condition)
        behind = search.behind("x", "x.score", search.query.min_score)
        ranked = self.ranking.top(where, behind, self.rows.columns, complete)
        found = self.connection.execute(ranked.sql.encode(), (*ranked.parameters, search.most))
        for score, strength, recency, has_all, *row in found:
            key, candidate = self.rows.read(row, _Match(score, strength, recency, has_all))
            if (key[3], key[2]) not in self.seen:
                self.seen.add((key[3], key[2]))
                self.best.offer(key, candidate)


def _by_rarity(weighed: Sequence[Weighed]) -> Iterator[tuple[Sequence[Weighed], float]]:
    """Yield the wants in groups, the rarest first, and what all from there on can come to.

    A group has so many that about ``_CHEAP`` documents have one of them, and more in each that follows.
    """
    at, room = 0, _CHEAP
    while at < len(weighed):
        size, documents = 1, weighed[at].documents
        while at + size < len(weighed) and documents + weighed[at + size].documents <= room:
            documents += weighed[at + size].documents
            size += 1
        yield weighed[at : at + size], sum(one.bound for one in weighed[at:])
        at, room = at + size, 4 * room
