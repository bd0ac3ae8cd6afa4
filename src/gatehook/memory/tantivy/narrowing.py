"""What of a query, beside its words, the index selects: it lets through at least what the query's SQL does."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

import attrs
import tantivy

from gatehook.kinds.filters import And
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import Ge
from gatehook.kinds.filters import Gt
from gatehook.kinds.filters import Le
from gatehook.kinds.filters import Lt
from gatehook.kinds.memory import Query
from gatehook.memory.scope import TOKEN_FIELDS
from gatehook.memory.scope import is_within
from gatehook.memory.scope import token_groups
from gatehook.memory.tantivy.fields import PAST
from gatehook.memory.tantivy.fields import SCHEMA

_TOKEN_FIELDS: Final = TOKEN_FIELDS | {"kind"}
_FURTHEST: Final = (1 << 63) - 1
_MUST: Final = tantivy.Occur.Must
_MUST_NOT: Final = tantivy.Occur.MustNot

Clause = tuple[tantivy.Occur, tantivy.Query]


@attrs.frozen
class Narrowing:
    """Tokens and times.

    Attributes:
        groups: of each of these sets of tokens a passing document has one.
        without: a token that no passing document has.
        ranges: (field, lowest, highest) of times, both included.
    """

    groups: Sequence[frozenset[str]] = ()
    without: str | None = None
    ranges: Sequence[tuple[str, int, int]] = ()

    @classmethod
    def of(cls, query: Query) -> Narrowing:
        """Take from a query what tokens and times can say."""
        groups = [frozenset(group) for group in token_groups(query, _TOKEN_FIELDS)]
        ranges = [*_ranges(query.filter)]
        below = is_within(query.namespaces)
        if query.as_of is not None:
            ranges += _known_at(query.as_of)
        return cls(groups, PAST if query.as_of is None and not below else None, ranges)

    def admits(self, tokens: frozenset[str]) -> bool:
        """Say whether a document with these tokens may pass."""
        return self.without not in tokens and all(group & tokens for group in self.groups)

    def clauses(self, searcher: tantivy.Searcher) -> Iterator[Clause]:
        """Yield what every hit has to meet; none of it counts for its strength."""
        for group in self.groups:
            yield _MUST, _uncounted(_any_token(sorted(group)))
        for field, lowest, highest in self.ranges:
            kind = tantivy.FieldType.Integer
            yield _MUST, _uncounted(tantivy.Query.range_query(SCHEMA, field, kind, lowest, highest))
        if self.without is not None and searcher.doc_freq("scope", self.without):
            yield _MUST_NOT, tantivy.Query.term_query(SCHEMA, "scope", self.without)


def _known_at(as_of: int) -> Iterator[tuple[str, int, int]]:
    yield "ts", -_FURTHEST, as_of
    yield "visible_at", -_FURTHEST, as_of
    if as_of < _FURTHEST:
        yield "superseded_at", as_of + 1, _FURTHEST


def _uncounted(query: tantivy.Query) -> tantivy.Query:
    return tantivy.Query.const_score_query(query, 0.0)


def _any_token(tokens: Sequence[str]) -> tantivy.Query:
    if len(tokens) == 1:
        return tantivy.Query.term_query(SCHEMA, "scope", tokens[0])
    return tantivy.Query.term_set_query(SCHEMA, "scope", tokens)


def _ranges(filter_: Filter | None) -> Iterator[tuple[str, int, int]]:
    match filter_:
        case And(parts):
            for part in parts:
                yield from _ranges(part)
        case Lt() | Le() if filter_.field == "ts" and _is_time(filter_.value):
            yield "ts", -_FURTHEST, int(filter_.value)
        case Gt() | Ge() if filter_.field == "ts" and _is_time(filter_.value):
            yield "ts", int(filter_.value), _FURTHEST


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _FURTHEST
