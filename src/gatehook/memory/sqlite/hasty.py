"""A search that has no time left: by the rarest words of the query, and of what has them only the newest.

A search costs what its words are frequent; without the frequent ones, and with a bound on the rest, it ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

import attrs

from gatehook.kinds.memory import Hit
from gatehook.memory.sqlite.searching import RANKED
from gatehook.memory.sqlite.searching import Search

#: Words that more documents have are left out, and no more documents than this are ranked.
FEW: Final = 4_000
_RANKED_SINCE: Final = RANKED.replace(" ORDER BY", " AND rowid >= ? ORDER BY")
_COUNT: Final = "SELECT count(*) FROM (SELECT 1 FROM fts WHERE fts MATCH ? LIMIT ?)"
_FIRST_OF_NEWEST: Final = "SELECT rowid FROM fts WHERE fts MATCH ? ORDER BY rowid DESC LIMIT 1 OFFSET ?"


@attrs.frozen
class _Newest(Search):
    """A search among the rows from ``since`` on, for any of the words."""

    since: int

    def matches(self) -> Iterator[tuple[str, bool]]:
        """Yield one match, of which no document is complete."""
        # What is found may lack the words that were left out.
        yield self.any_word(), False

    def ranking(self, match: str) -> tuple[str, tuple[object, ...]]:
        """Ask for the newest rows only."""
        return _RANKED_SINCE, (match, self.since)


def run(connection: sqlite3.Connection, search: Search) -> tuple[Hit, ...]:
    """Return the hits of a search that has words, without looking at everything."""
    few = [unit for unit in search.units if _is_rare(connection, attrs.evolve(search, units=(unit,)))]
    rare = attrs.evolve(search, units=tuple(few) or search.units)
    first = connection.execute(_FIRST_OF_NEWEST, (rare.any_word(), FEW)).fetchone()
    newest = _Newest(rare.query, rare.now, rare.units, rare.condition, rare.after, first[0] if first else 0)
    return newest.run(connection)[0]


def _is_rare(connection: sqlite3.Connection, search: Search) -> bool:
    count: int = connection.execute(_COUNT, (search.any_word(), FEW)).fetchone()[0]
    return count < FEW
