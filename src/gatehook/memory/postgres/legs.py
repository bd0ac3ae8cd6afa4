"""Both legs of a search in a schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import attrs
import psycopg

from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.asked import Candidate
from gatehook.memory.postgres.connections import snapshot
from gatehook.memory.postgres.lexemes import Want
from gatehook.memory.postgres.lexemes import every
from gatehook.memory.postgres.near import Near
from gatehook.memory.postgres.rows import DOCUMENT
from gatehook.memory.postgres.rows import read_document
from gatehook.memory.postgres.searching import Search
from gatehook.memory.postgres.statistics import Frequencies
from gatehook.memory.postgres.statistics import Totals
from gatehook.memory.postgres.texts import read_text
from gatehook.memory.scope import read_namespace
from gatehook.memory.vectors.fused import FusedSearch
from gatehook.memory.vectors.fused import Key

_KEYS: Final = "SELECT d.rid, d.ts, d.id, d.ns, d.labels FROM docs d WHERE d.rid = ANY(%s::bigint[])"
_DOCUMENTS: Final = f"SELECT d.rid, {DOCUMENT} FROM docs d WHERE d.rid = ANY(%s::bigint[]) AND "  # noqa: S608  constants only

_BLANK: Final = (
    "SELECT r.rid FROM unnest(%s::bigint[]) AS r (rid)"
    " WHERE NOT EXISTS (SELECT FROM vectors v WHERE v.space = %s AND v.rid = r.rid)"
)


@attrs.frozen
class PostgresLegs:
    """``Legs`` over a connection."""

    connection: psycopg.Connection
    search: Search
    nearest: Near
    frequencies: Frequencies

    def words(self, n: int) -> Sequence[Candidate]:
        """Return the strongest by words."""
        return self.search.words(self.connection, self.frequencies, n)

    def whole(self) -> float:
        """Return what the rarity of the query's units comes to."""
        context = self.search.query.as_of is None
        units = [Want(every([unit], context=context), None) for unit in self.search.units]
        return sum(one.idf for one in self.frequencies.weigh(self.connection, units, Totals.read(self.connection)))

    def near(self, n: int) -> Sequence[tuple[int, float]]:
        """Return the nearest."""
        return self.nearest.top(self.connection, self.search.condition, n)

    def without_vector(self, rids: Sequence[int]) -> Iterator[int]:
        """Read which of these have none."""
        return (rid for (rid,) in self.connection.execute(_BLANK, (list(rids), self.nearest.space.id)))

    def keys(self, rids: Sequence[int]) -> Iterator[Key]:
        """Read what these are ordered by."""
        for rid, ts, id_, ns, labels in self.connection.execute(_KEYS, (list(rids),)):
            yield Key(rid, ts, read_text(id_), read_namespace(ns), json.loads(labels))

    def documents(self, rids: Sequence[int]) -> Mapping[int, StoredDoc]:
        """Read documents."""
        condition = self.search.condition
        rows = self.connection.execute(f"{_DOCUMENTS}{condition.sql}".encode(), (list(rids), *condition.parameters))
        return {rid: read_document(row) for rid, *row in rows}


def read_page(
    connection: psycopg.Connection,
    search: Search,
    near: Near,
    frequencies: Frequencies,
    weight: float,
    words: Sequence[Candidate] | None,
) -> tuple[tuple[Hit, ...], str | None]:
    """Return a page's hits and the cursor to the next page, as everything was at one moment.

    Raises:
        NoVectors: when the space is not complete any more.
    """
    with snapshot(connection):
        legs = PostgresLegs(connection, search, near, frequencies)
        return FusedSearch(search, weight, near.least).page(legs, words)
