"""What one search has to work with: a commit of the index, what is not yet in it, and the weights of its words."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Final

import attrs
import tantivy

from gatehook.memory.tantivy.engine import IndexFault
from gatehook.memory.tantivy.engine import engine
from gatehook.memory.tantivy.narrowing import Clause
from gatehook.memory.tantivy.narrowing import Narrowing
from gatehook.memory.tantivy.pending import Entry
from gatehook.memory.tantivy.pending import Pending
from gatehook.memory.tantivy.queue import State
from gatehook.memory.tantivy.queue import state_of
from gatehook.memory.tantivy.strength import Corpus
from gatehook.memory.tantivy.strength import Scorer
from gatehook.memory.tantivy.strength import occurrences
from gatehook.memory.tantivy.view import View
from gatehook.memory.tantivy.view import Views
from gatehook.memory.tantivy.wording import Wording
from gatehook.memory.tantivy.wording import words_query

#: So many rows are selected by the index for a listing; of more the newest are found soon without it.
FEW: Final = 5_000
#: A row and its strength, the strongest first.
Ranked = list[tuple[int, float]]


@attrs.frozen
class Leg:
    """The complete matches, or the others.

    Attributes:
        scorer: tells the strength of a document.
        pending: the rows that are not in the index.
        query: finds the others; ``None`` where the index has none.
        excess: how many times its strength in the index the strength of a document is at most.
    """

    scorer: Scorer
    pending: Ranked
    query: tantivy.Query | None = None
    excess: float = 1.0


@attrs.frozen
class Finding:
    """Everything a search needs but the rows.

    Attributes:
        narrowed: what every hit of the index has to meet beside its words.
        whole: the rows that are not in the index and have every unit. rest: those that have some of one.
        hidden: rows of which the index knows something old.
        lacking: why not everything is searched, if so.
        fault: what is wrong with the build, if something is.
    """

    build: str
    view: View | None
    wording: Wording
    corpus: Corpus
    narrowed: Sequence[Clause]
    whole: Sequence[Entry]
    rest: Sequence[Entry]
    hidden: frozenset[int]
    lacking: str | None = None
    fault: IndexFault | None = None

    def leg(self, *, complete: bool) -> Leg:
        """Prepare for the complete matches, or for the others."""
        scorer = Scorer.of(self.corpus, self.wording.phrases(complete=complete), self.wording.fields)
        pending = _ranked(scorer, self.whole if complete else self.rest)
        if self.view is None:
            return Leg(scorer, pending)
        query = words_query(self.wording, self.corpus.is_indexed, self.narrowed, complete=complete)
        return Leg(scorer, pending, query, _excess(self.corpus, scorer))


class Finder:
    """Prepares searches; used by many threads."""

    def __init__(self, path: Path, limit: int) -> None:
        self._views = Views(path)
        self._limit = limit
        self._lock = threading.Lock()
        self._pending = Pending()
        self._build = ""

    def find(self, connection: sqlite3.Connection, wording: Wording, narrowing: Narrowing) -> Finding:
        """Prepare a search within a transaction of ``connection``, which holds the rows still meanwhile."""
        state = state_of(connection)
        with self._lock:
            view, fault = self._view(state)
            lost = self._follow(connection, state, view)
            try:
                with engine():
                    return self._finding(view, wording, narrowing, lost, fault)
            except IndexFault as error:
                return self._finding(None, wording, narrowing, lost, error)

    def select(self, connection: sqlite3.Connection, narrowing: Narrowing) -> list[int] | None:
        """Return all rows that narrowing lets through and some more, ``None`` where they are not few or not known."""
        state = state_of(connection)
        with self._lock:
            view, _ = self._view(state)
            if view is None or view.mark.copied is not None or self._follow(connection, state, view):
                return None
            pending = self._pending.rids
        clauses = [*narrowing.clauses(view.searcher)]
        query = tantivy.Query.boolean_query(clauses)
        try:
            with engine():
                hits = view.searcher.search(query, limit=FEW + 1, count=False).hits
                rids = view.searcher.fast_field_values("rid", [address for _, address in hits])
        except IndexFault:
            # The next search for words says so.
            return None
        return sorted({*pending, *(int(rid or 0) for rid in rids)}) if len(hits) <= FEW else None

    def written(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Return how many rows are in the index, and how many were ever brought in."""
        with self._lock:
            view, _ = self._view(state_of(connection))
            return (view.documents, view.mark.added) if view is not None else (0, 0)

    def close(self) -> None:
        """Let go of the files."""
        self._views.close()

    def _follow(self, connection: sqlite3.Connection, state: State, view: View | None) -> int:
        if self._build != state.build:
            self._pending, self._build = Pending(), state.build
        return self._pending.follow(connection, state.upto if view is None else view.mark.upto, self._limit)

    def _view(self, state: State) -> tuple[View | None, IndexFault | None]:
        try:
            return self._views.at_least(state), None
        except IndexFault as error:
            return None, error

    def _finding(
        self, view: View | None, wording: Wording, narrowing: Narrowing, lost: int, fault: IndexFault | None
    ) -> Finding:
        pending = self._pending
        stems = {stem for phrase in wording.some for stem in phrase}
        near = [one for one in pending.having_any(stems, wording.fields) if narrowing.admits(one.tokens)]
        whole = [one for one in near if _has_all(one, wording)]
        rids = {one.rid for one in whole}
        return Finding(
            build=self._build,
            view=view,
            wording=wording,
            corpus=Corpus.of(view, pending, stems, wording.fields),
            narrowed=() if view is None else [*narrowing.clauses(view.searcher)],
            whole=whole,
            rest=[one for one in near if one.rid not in rids],
            hidden=pending.rids,
            lacking=_lacking(view, fault, lost, len(pending)),
            fault=fault,
        )


def _has_all(entry: Entry, wording: Wording) -> bool:
    return all(
        any(occurrences(entry.stems[field], phrase) for field, phrase in product(wording.fields, spellings))
        for spellings in wording.every
    )


def _ranked(scorer: Scorer, entries: Sequence[Entry]) -> Ranked:
    scored = ((entry.rid, scorer.strength(entry.stems)) for entry in entries)
    return sorted((one for one in scored if one[1] > 0), key=lambda one: (-one[1], one[0]))


def _excess(corpus: Corpus, scorer: Scorer) -> float:
    weighed = ((field, phrase) for field, weights in scorer.weights.items() for phrase, _ in weights)
    return max((corpus.excess(*one) for one in weighed if corpus.is_indexed(*one)), default=1.0)


def _lacking(view: View | None, fault: IndexFault | None, lost: int, pending: int) -> str | None:
    if view is None:
        return f"index: {fault}; only the {pending} newest documents are searched"
    if view.mark.copied is not None:
        return f"index: it is being built; {view.documents} documents of it and the {pending} newest are searched"
    return f"index: it is {lost} changes behind the newest that are searched" if lost else None
