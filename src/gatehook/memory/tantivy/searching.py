"""A search: candidates of the index and of what is not yet in it, in one order by one measure."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Final

import attrs

from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.memory.asked import Found
from gatehook.memory.conditions import Condition
from gatehook.memory.conditions import both
from gatehook.memory.ranking import COMPLETE
from gatehook.memory.ranking import Shortlist
from gatehook.memory.ranking import relevance
from gatehook.memory.sqlite.searching import Search
from gatehook.memory.sqlite.searching import read_documents
from gatehook.memory.tantivy.engine import IndexFault
from gatehook.memory.tantivy.engine import engine
from gatehook.memory.tantivy.fields import stems_at
from gatehook.memory.tantivy.fields import words_in
from gatehook.memory.tantivy.finding import Finder
from gatehook.memory.tantivy.finding import Finding
from gatehook.memory.tantivy.finding import Leg
from gatehook.memory.tantivy.narrowing import Narrowing
from gatehook.memory.tantivy.queue import state_of
from gatehook.memory.tantivy.strength import Scorer
from gatehook.memory.tantivy.wording import Wording

_SPARE: Final = 2
_MORE: Final = 4
_MOST: Final = 8_192
_EVERYTHING: Final = (NamespaceSelector.everything(),)
_CONTEXT: Final = (
    "SELECT d.rid, d.ctx FROM json_each(?) AS wanted CROSS JOIN docs d ON d.rid = wanted.value WHERE d.ctx != ''"
)


@attrs.frozen
class Outcome:
    """A page, and what was not searched for it."""

    hits: tuple[Hit, ...]
    cursor: str | None
    lacking: str | None = None
    fault: tuple[str, IndexFault] | None = None


@attrs.frozen
class TantivySearch(Search):
    """A search whose words tantivy finds; what it lists without words, and every document, SQLite reads."""

    finder: Finder
    _findings: list[Finding] = attrs.field(factory=list)

    @classmethod
    def over(cls, finder: Finder, search: Search) -> TantivySearch:
        """Make a search that is ready, one of this memory."""
        return cls(search.query, search.now, search.units, search.condition, search.after, finder)

    def outcome(self, connection: sqlite3.Connection) -> Outcome:
        """Search, on rows that hold still meanwhile."""
        found = self._outcome(connection)
        if found.fault is not None and found.fault[0] != state_of(connection).build:
            # Another build took the place of this one, and its files were deleted before they were opened.
            found = self._outcome(connection)
        return found

    def _outcome(self, connection: sqlite3.Connection) -> Outcome:
        self._findings.clear()
        connection.execute("BEGIN")
        try:
            hits, cursor = self.run(connection)
        finally:
            connection.execute("ROLLBACK")
        if not self._findings:
            return Outcome(hits, cursor)
        finding = self._findings[-1]
        fault = None if finding.fault is None else (finding.build, finding.fault)
        return Outcome(hits, cursor, finding.lacking, fault)

    def _rank(self, connection: sqlite3.Connection, best: Shortlist[Found]) -> None:
        wording = Wording.of(self.units, context=self.query.as_of is None)
        finding = self.finder.find(connection, wording, Narrowing.of(self.query))
        self._findings.append(finding)
        try:
            self._rank_found(connection, best, finding)
        except IndexFault as error:
            lacking = f"index: {error}; not all of it is searched"
            self._findings[-1] = attrs.evolve(finding, fault=error, lacking=lacking)

    def _rank_found(self, connection: sqlite3.Connection, best: Shortlist[Found], finding: Finding) -> None:
        offered: set[int] = set(finding.hidden)
        for complete in (True, False):
            # Open after the first: then every document with all units was offered.
            if complete or not (finding.wording.is_one or best.is_closed_to(COMPLETE)):
                leg = finding.leg(complete=complete)
                self._offer_pending(connection, best, leg, complete=complete)
                self._offer_indexed(connection, best, finding, leg, offered, complete=complete)

    def _offer_pending(
        self, connection: sqlite3.Connection, best: Shortlist[Found], leg: Leg, *, complete: bool
    ) -> None:
        at, count = 0, self.query.limit + _SPARE
        while rows := leg.pending[at : at + count]:
            if best.is_closed_to(relevance(rows[0][1], complete=complete)):
                return
            read = read_documents(connection, [rid for rid, _ in rows], self.condition)
            for rid, strength in rows:
                if rid in read:
                    self._offer_one(best, read[rid], relevance(strength, complete=complete), strength)
            at, count = at + count, min(count * _MORE, _MOST)

    def _offer_indexed(
        self,
        connection: sqlite3.Connection,
        best: Shortlist[Found],
        finding: Finding,
        leg: Leg,
        offered: set[int],
        *,
        complete: bool,
    ) -> None:
        for rids in self._wanted(best, finding, leg, offered, complete=complete):
            read = read_documents(connection, rids, self.condition)
            context = self._context(connection, leg, rids)
            offered.update(read)
            for rid, stored in read.items():
                strength = leg.scorer.strength(_stems_of(stored.doc, context.get(rid, ""), leg.scorer))
                self._offer_one(best, stored, relevance(strength, complete=complete), strength)

    def _wanted(
        self, best: Shortlist[Found], finding: Finding, leg: Leg, offered: set[int], *, complete: bool
    ) -> Iterator[list[int]]:
        """Yield rows of the index, the strongest first, until none that follows can come onto the page."""
        known = len(offered) - len(finding.hidden)
        rids: list[int] = []
        count = max(self.query.limit + 1 - known, _SPARE)
        for rid, score in self._ranked(finding, leg, known):
            if best.is_closed_to(relevance(score * leg.excess, complete=complete)):
                break
            if rid not in offered:
                rids.append(rid)
            if len(rids) >= count:
                yield rids
                rids, count = [], self.query.limit + _SPARE
        if rids:
            yield rids

    def _ranked(self, finding: Finding, leg: Leg, known: int) -> Iterator[tuple[int, float]]:
        """Yield what the index has, the strongest first.

        Raises:
            IndexFault: when it is damaged.
        """
        view = finding.view
        if view is None or leg.query is None:
            return
        page = self.query.limit + _SPARE
        at, count = 0, known + page + page // 2
        while True:
            with engine():
                hits = view.searcher.search(leg.query, limit=count, offset=at, count=False).hits
                rids = view.searcher.fast_field_values("rid", [address for _, address in hits])
            for rid, (score, _) in zip(rids, hits, strict=True):
                yield int(rid or 0), score
            if len(hits) < count:
                return
            at, count = at + count, min(count * _MORE, _MOST)

    def _context(self, connection: sqlite3.Connection, leg: Leg, rids: list[int]) -> Mapping[int, str]:
        """Return the neighbouring turns of those that have any, where they count."""
        return dict(connection.execute(_CONTEXT, (json.dumps(rids),))) if "ctx" in leg.scorer.weights else {}

    def _list(self, connection: sqlite3.Connection, best: Shortlist[Found]) -> None:
        """List the newest first, of those that the index selects where these are few."""
        narrowing = Narrowing.of(attrs.evolve(self.query, namespaces=_EVERYTHING, as_of=None))
        rids = self.finder.select(connection, narrowing) if narrowing.groups else None
        if rids is None:
            super()._list(connection, best)
        else:
            few = Condition("d.rid IN (SELECT value FROM json_each(?))", (json.dumps(rids),))
            search = attrs.evolve(self, condition=both(self.condition, few))
            super(TantivySearch, search)._list(connection, best)

    def _of_scope(self) -> Condition:
        """There is no full-text index here that could select rows."""
        return Condition("1")


def _stems_of(doc: MemoryDoc, context: str, scorer: Scorer) -> Mapping[str, list[str]]:
    texts = {"text": doc.text, "tags": " ".join(sorted(doc.tags)), "ctx": context}
    return {field: stems_at(words_in(texts[field]), scorer.initials) for field in scorer.weights}
