"""Both legs of a search in a memory's SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Final

import attrs

from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.asked import Candidate
from gatehook.memory.scope import read_namespace
from gatehook.memory.sqlite.searching import Search
from gatehook.memory.sqlite.searching import lexical_top
from gatehook.memory.sqlite.searching import read_documents
from gatehook.memory.vectors.dense import Dense
from gatehook.memory.vectors.fused import FusedSearch
from gatehook.memory.vectors.fused import Key
from gatehook.memory.vectors.rarity import Rarity

_KEYS: Final = (
    "SELECT d.rid, d.ts, d.id, d.ns, d.labels FROM json_each(?) AS wanted CROSS JOIN docs d ON d.rid = wanted.value"
)

_BLANK: Final = (
    "SELECT wanted.value FROM json_each(?) AS wanted"
    " WHERE NOT EXISTS (SELECT 1 FROM vec v WHERE v.space = ? AND v.rid = wanted.value)"
)


@attrs.frozen
class SqliteLegs:
    """``Legs`` over a connection."""

    connection: sqlite3.Connection
    search: Search
    dense: Dense
    rarity: Rarity

    def words(self, n: int) -> Sequence[Candidate]:
        """Return the strongest by words."""
        return lexical_top(self.connection, self.search, n)

    def whole(self) -> float:
        """Count how rare the query's words are."""
        return self.rarity.whole(self.connection, self.search.units)

    def near(self, n: int) -> Sequence[tuple[int, float]]:
        """Return the nearest."""
        return self.dense.top(self.connection, self.search, n)

    def without_vector(self, rids: Sequence[int]) -> Iterator[int]:
        """Read which of these have none."""
        return (rid for (rid,) in self.connection.execute(_BLANK, (json.dumps(rids), self.dense.space)))

    def keys(self, rids: Sequence[int]) -> Iterator[Key]:
        """Read what these are ordered by."""
        aging = self.search.query.half_life is not None
        for rid, ts, id_, ns, labels in self.connection.execute(_KEYS, (json.dumps(rids),)):
            yield Key(rid, ts, id_, read_namespace(ns), json.loads(labels) if aging else ())

    def documents(self, rids: Sequence[int]) -> Mapping[int, StoredDoc]:
        """Read documents."""
        return read_documents(self.connection, rids, self.search.condition)


def read_page(
    connection: sqlite3.Connection,
    search: Search,
    dense: Dense,
    rarity: Rarity,
    weight: float,
    words: Sequence[Candidate] | None,
) -> tuple[tuple[Hit, ...], str | None]:
    """Return a page's hits and the cursor to the next page, as everything was at one moment."""
    with _snapshot(connection):
        return FusedSearch(search, weight, dense.least).page(SqliteLegs(connection, search, dense, rarity), words)


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
