"""Scores, order, paging: the same in every memory, so that two of them put the same documents in the same order.

A score is relevance, of which age takes at most half (``aged``). Documents that have every unit of the query have a
relevance above one half, the others below it, by how strongly they match.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from bisect import insort
from collections.abc import Iterable
from operator import itemgetter
from typing import Final
from typing import Generic
from typing import TypeVar

import attrs

from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import Query
from gatehook.kinds.times import Ns
from gatehook.memory.rules import EVERGREEN

T = TypeVar("T")
#: Score (negated), ts (negated), id, namespace: ascending, it is the order of every page.
SortKey = tuple[float, Ns, str, Namespace]

#: No document that lacks a unit of the query scores as much.
COMPLETE: Final = 0.5
#: The strength of half the relevance there is. Two rare words that match come to about this much by BM25; were it a
#: tenth, one word and three would be nearly as relevant, and a fresh document with one of them would pass for better.
HALF_STRENGTH: Final = 20.0


def relevance(strength: float, *, complete: bool) -> float:
    """Turn an engine's strength (0 and up) into a score in [0, 1)."""
    bounded = strength / (HALF_STRENGTH + strength)
    return (COMPLETE if complete else 0.0) + bounded / 2.0


def recency(ts: Ns, tags: Iterable[str], half_life: int | None, now: Ns) -> float:
    """Return the factor in (0, 1] of a document's age; one from the future is new, an evergreen one stays new."""
    if half_life is None or EVERGREEN in tags:
        return 1.0
    return float(0.5 ** (max(now - ts, 0) / half_life))


def aged(found: float, age: float) -> float:
    """Return the score of what was found this relevant and has this recency.

    Age takes at most half: what says more about the query stays before what is only newer, and of two that say the
    same the newer is before.
    """
    return found * (1.0 + age) / 2.0


def sort_key(score: float, doc: MemoryDoc) -> SortKey:
    """Return what pages are ordered by."""
    return -score, -doc.ts, doc.id, doc.namespace


class Shortlist(Generic[T]):
    """The best candidates of those offered, one more than asked for: it tells whether there is another page."""

    def __init__(self, limit: int, after: SortKey | None, min_score: float | None) -> None:
        self._limit = limit
        self._after = after
        self._min_score = min_score
        self._best: list[tuple[SortKey, T]] = []

    def offer(self, key: SortKey, candidate: T) -> None:
        """Take a candidate in if it is among the best that come after the cursor."""
        if (self._after is not None and key <= self._after) or (
            self._min_score is not None and -key[0] < self._min_score
        ):
            return
        insort(self._best, (key, candidate), key=itemgetter(0))
        del self._best[self._limit + 1 :]

    def is_closed_to(self, score: float) -> bool:
        """Say whether nothing that scores this or less can enter any more."""
        full = len(self._best) > self._limit and score < -self._best[-1][0][0]
        return full or (self._min_score is not None and score < self._min_score)

    def page(self) -> tuple[list[tuple[SortKey, T]], SortKey | None]:
        """Return the page, and the key it ends with where another page follows."""
        page = self._best[: self._limit]
        return page, page[-1][0] if page and len(self._best) > self._limit else None


@attrs.frozen
class Position:
    """Where a page ended: its last key, and the ``now`` of the first page, so that ages stay what they were."""

    key: SortKey
    now: Ns


def write_cursor(query: Query, position: Position) -> str:
    """Return the cursor to the page after ``position``."""
    score, ts, id_, namespace = position.key
    return _encode([_fingerprint(query), score, ts, id_, namespace, position.now])


def read_cursor(query: Query) -> Position | None:
    """Return where the query's page begins, ``None`` for the first.

    Raises:
        CursorExpired: for a cursor that is none, or that belongs to another query.
    """
    if query.cursor is None:
        return None
    match _decode(query.cursor):
        case [str(mark), float(score), int(ts), str(id_), [*namespace], int(now)] if mark == _fingerprint(query):
            return Position((score, ts, id_, tuple(map(str, namespace))), now)
    raise CursorExpired("this is no cursor of this query; ask for its first page")


def position(doc: MemoryDoc) -> str:
    """Return where a document stands in a scan, for ``scan(after=…)``."""
    return _encode([doc.namespace, doc.id])


def read_position(after: str) -> tuple[Namespace, str]:
    """Return the namespace and id that ``position`` wrote.

    Raises:
        CursorExpired: for anything else.
    """
    match _decode(after):
        case [[*namespace], str(id_)]:
            return tuple(map(str, namespace)), id_
    raise CursorExpired("this is no position of a scan; start at its beginning")


def _fingerprint(query: Query) -> str:
    same = (query.text, query.namespaces, query.filter, query.half_life, query.as_of, query.min_score, query.mode)
    return hashlib.blake2b(repr(same).encode(errors="backslashreplace"), digest_size=8).hexdigest()


def _encode(value: list[object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def _decode(cursor: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error):
        return None
