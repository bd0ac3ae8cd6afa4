"""How often a word occurs among all documents: counted by the server, remembered while the documents hardly change."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import attrs
import psycopg

from gatehook.memory.postgres.lexemes import Want

K1: Final = 1.2
B: Final = 0.75
_REMEMBERED: Final = 4_096
#: A count is taken again when more than one in so many documents changed since.
_HARDLY: Final = 50
_TOTALS: Final = """
SELECT coalesce(sum(documents), 0)::bigint, coalesce(sum(words), 0)::bigint, coalesce(sum(changes), 0)::bigint
FROM totals
"""


@attrs.frozen
class Totals:
    """All rows, their mean length in words, and how many changes there have been."""

    documents: int
    length: float
    changes: int

    @classmethod
    def read(cls, connection: psycopg.Connection) -> Totals:
        """Read them."""
        row = connection.execute(_TOTALS).fetchone()
        assert row is not None
        documents, words, changes = row
        return cls(documents, words / documents if documents and words else 1.0, changes)


@attrs.frozen
class Weighed:
    """What a query looks for, how many documents have it, and how much it tells: the rarer, the more."""

    want: Want
    documents: int
    idf: float

    @property
    def bound(self) -> float:
        """No document gets as much for it: often in a short text, and among its neighbours' words too."""
        return self.idf * (K1 + 1.0) * (1.0 + CONTEXT_WEIGHT)


#: What a neighbour's word is worth beside one of the document's own.
CONTEXT_WEIGHT: Final = 0.4


class Frequencies:
    """Remembers counts; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def weigh(self, connection: psycopg.Connection, wants: Sequence[Want], totals: Totals) -> tuple[Weighed, ...]:
        """Return the wants, the rarest first."""
        counts = self._counted(connection, [want.expression for want in wants], totals)
        found = ((want, counts[want.expression]) for want in wants)
        weighed = (Weighed(want, count, _idf(count, totals.documents)) for want, count in found)
        return tuple(sorted(weighed, key=lambda one: (-one.idf, one.want.expression)))

    def _counted(self, connection: psycopg.Connection, expressions: Sequence[str], totals: Totals) -> dict[str, int]:
        counts = self._known(expressions, totals)
        missing = [expression for expression in expressions if expression not in counts]
        if missing:
            counted = dict(zip(missing, _count(connection, missing), strict=True))
            self._remember(counted, totals.changes)
            counts |= counted
        return counts

    def expect(self, connection: psycopg.Connection, weighed: Sequence[Weighed], scope: str, totals: Totals) -> float:
        """Return about how many documents of a scope have any of the wants; ``""`` is the scope of all."""
        anywhere = sum(one.documents for one in weighed)
        if not scope or not anywhere:
            return anywhere
        within = self._counted(connection, [scope], totals)[scope]
        return anywhere * within / max(totals.documents, within)

    def _known(self, expressions: Sequence[str], totals: Totals) -> dict[str, int]:
        known: dict[str, int] = {}
        with self._lock:
            for expression in expressions:
                count, changes = self._counts.get(expression, (0, -1))
                if changes >= 0 and abs(totals.changes - changes) <= totals.documents // _HARDLY:
                    self._counts.move_to_end(expression)
                    known[expression] = count
        return known

    def _remember(self, counted: dict[str, int], changes: int) -> None:
        with self._lock:
            for expression, count in counted.items():
                self._counts[expression] = count, changes
                self._counts.move_to_end(expression)
            while len(self._counts) > _REMEMBERED:
                self._counts.popitem(last=False)


def _count(connection: psycopg.Connection, expressions: Sequence[str]) -> Sequence[int]:
    one = "(SELECT count(*) FROM docs WHERE lexemes @@ %s::tsquery)"
    row = connection.execute(f"SELECT {', '.join([one] * len(expressions))}".encode(), expressions).fetchone()
    assert row is not None
    return row


def _idf(count: int, documents: int) -> float:
    return math.log(1.0 + (max(documents, count) - count + 0.5) / (count + 0.5))
