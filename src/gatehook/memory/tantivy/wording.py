"""The words of a query as queries of tantivy's: built of terms, never parsed, so that no text means anything to it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from itertools import chain
from itertools import product
from typing import Final

import attrs
import tantivy

from gatehook.memory.tantivy.fields import SCHEMA
from gatehook.memory.tantivy.fields import WEIGHTS
from gatehook.memory.tantivy.fields import stems
from gatehook.memory.tantivy.narrowing import Clause
from gatehook.memory.tantivy.strength import Phrase
from gatehook.memory.text import Unit
from gatehook.memory.text import wanted_of

_SHOULD: Final = tantivy.Occur.Should
_MUST: Final = tantivy.Occur.Must


@attrs.frozen
class Wording:
    """The phrases of a query: of each unit its spellings, or all units and their parts; and the fields where they may
    stand.
    """

    every: tuple[tuple[Phrase, ...], ...]
    some: tuple[Phrase, ...]
    fields: tuple[str, ...]

    @classmethod
    def of(cls, units: Sequence[Unit], *, context: bool) -> Wording:
        """Stem a query's units; ``context`` tells whether the neighbours of a turn count."""
        every = dict.fromkeys(_stemmed(unit.spellings) for unit in units)
        some = _stemmed(wanted_of(units))
        return cls(tuple(every), some, tuple(name for name in WEIGHTS if context or name != "ctx"))

    @property
    def is_one(self) -> bool:
        """Say whether there is one unit without parts: what has some of it has all of it."""
        return len(self.every) == 1 and set(self.every[0]) == set(self.some)

    def phrases(self, *, complete: bool) -> tuple[Phrase, ...]:
        """Return what a complete match has all of, or any match one of."""
        return tuple(dict.fromkeys(chain.from_iterable(self.every))) if complete else self.some


def _stemmed(spellings: Iterable[Sequence[str]]) -> tuple[Phrase, ...]:
    return tuple(dict.fromkeys(tuple(stems(words)) for words in spellings))


def words_query(
    wording: Wording, is_indexed: Callable[[str, Phrase], bool], narrowed: Sequence[Clause], *, complete: bool
) -> tantivy.Query | None:
    """Build the query for documents with every unit, or with some of one; ``None`` where the index cannot have any."""
    clauses: list[Clause] = []
    for spellings in wording.every if complete else [(phrase,) for phrase in wording.some]:
        asked = product(wording.fields, spellings)
        places = [_in_field(field, phrase) for field, phrase in asked if is_indexed(field, phrase)]
        if places:
            clauses.append((_MUST if complete else _SHOULD, _any(places)))
        elif complete:
            return None
    if not clauses:
        return None
    if complete or not narrowed:
        return _one_of([*narrowed, *clauses])
    return _one_of([*narrowed, (_MUST, _one_of(clauses))])


def _one_of(clauses: Sequence[Clause]) -> tantivy.Query:
    return clauses[0][1] if len(clauses) == 1 else tantivy.Query.boolean_query(clauses)


def _any(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    return _one_of([(_SHOULD, query) for query in queries])


def _in_field(field: str, phrase: Phrase) -> tantivy.Query:
    if len(phrase) == 1:
        query = tantivy.Query.term_query(SCHEMA, field, phrase[0])
    else:
        query = tantivy.Query.phrase_query(SCHEMA, field, list(phrase))
    return query if WEIGHTS[field] == 1 else tantivy.Query.boost_query(query, WEIGHTS[field])
