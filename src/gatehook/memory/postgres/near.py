"""The leg of meaning: the nearest vectors under everything that the query asks for.

Where few documents pass, all of them are measured: that is exact, and costs less than an index. Else the index goes
on, in the order of nearness, until so many were found that pass.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
import psycopg
from numpy.typing import NDArray

from gatehook.memory.postgres.conditions import Condition
from gatehook.memory.postgres.vector_rows import cast
from gatehook.memory.postgres.vector_rows import written
from gatehook.memory.postgres.vector_schema import Extension
from gatehook.memory.vectors.asking import NOT_ALL
from gatehook.memory.vectors.asking import NoVectors
from gatehook.memory.vectors.store import ACTIVE
from gatehook.memory.vectors.store import Space

#: To measure so many is cheaper than to look for them in an index.
MEASURED: Final = 10_000
#: Equal texts have equal scores, whatever order a sum is made in.
_DIGITS: Final = 6
_SETTINGS: Final = """
SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', %s, true),
  set_config('enable_sort', 'off', true)
"""
#: So many of the nearest the index looks at before it answers: more are found, more slowly.
_LOOKED_AT: Final = 400
_MOST_LOOKED_AT: Final = 1_000
#: Where the planner expects so many times more than are measured, nobody looks whether it is right.
_CERTAINLY: Final = 1.5
_EXPECTED: Final = "EXPLAIN (FORMAT JSON) SELECT FROM docs d WHERE "
_FEW: Final = (
    "WITH passing AS MATERIALIZED (SELECT d.rid FROM docs d WHERE {where} LIMIT {most} + 1),"
    " counted AS MATERIALIZED (SELECT count(*) AS passing FROM passing)"
    " SELECT c.passing, m.rid, m.near FROM counted c LEFT JOIN LATERAL ("
    "SELECT v.rid, -(v.e {product} %s::{halfvec}) AS near FROM passing p"
    " JOIN vectors v ON v.space = {space} AND v.rid = p.rid WHERE c.passing <= {most}"
    " ORDER BY near DESC, v.rid DESC LIMIT %s) m ON true"
)
_EXACT: Final = (
    "SELECT v.rid, -(v.e {product} %s::{halfvec}) AS near"
    " FROM docs d JOIN vectors v ON v.space = {space} AND v.rid = d.rid WHERE {where}"
    " ORDER BY near DESC, v.rid DESC LIMIT %s"
)
_INDEXED: Final = (
    "SELECT v.rid, -({e} {product} %s::{halfvec}) FROM vectors v JOIN docs d ON d.rid = v.rid"
    " WHERE v.space = {space} AND {where} ORDER BY {e} {product} %s::{halfvec} LIMIT %s"
)


@attrs.frozen
class Near:
    """A query's vector, and the space where it is compared.

    Attributes:
        vector: of length 1. least: what is no nearer than this (cosine) is no match. measured: up to so many
            documents are all measured.
    """

    space: Space
    extension: Extension
    vector: NDArray[np.float32]
    least: float
    measured: int = MEASURED

    def top(self, connection: psycopg.Connection, condition: Condition, n: int) -> list[tuple[int, float]]:
        """Return up to ``n`` rids with their cosine, the nearest first; inside a transaction.

        Raises:
            NoVectors: when the space is not complete, or no more: another gateway may have it filled again.
        """
        row = connection.execute("SELECT state, indexed FROM spaces WHERE id = %s", (self.space.id,)).fetchone()
        if row is None or row[0] != ACTIVE:
            raise NoVectors(NOT_ALL)
        found = self._few(connection, condition, n) if row[1] else self._exact(connection, condition, n)
        if found is None:
            found = self._indexed(connection, condition, n)
            if len(found) < n:  # the index gave up on what the filter lets pass
                found = self._exact(connection, condition, n)
        near = ((rid, min(round(cosine, _DIGITS), 1.0)) for rid, cosine in found)
        return sorted((one for one in near if one[1] > self.least), key=lambda one: (-one[1], -one[0]))

    def _few(self, connection: psycopg.Connection, condition: Condition, n: int) -> list[tuple[int, float]] | None:
        """Measure all documents that pass, if they are few; ``None`` where they are many."""
        expected = connection.execute(f"{_EXPECTED}{condition.sql}".encode(), condition.parameters).fetchone()
        if expected is not None and expected[0][0]["Plan"]["Plan Rows"] > _CERTAINLY * self.measured:
            return None
        rows = connection.execute(self._written(_FEW, condition), (*condition.parameters, self._vector, n)).fetchall()
        if rows[0][0] > self.measured:
            return None
        return [(rid, near) for _, rid, near in rows if rid is not None]

    def _exact(self, connection: psycopg.Connection, condition: Condition, n: int) -> list[tuple[int, float]]:
        statement = self._written(_EXACT, condition)
        return connection.execute(statement, (self._vector, *condition.parameters, n)).fetchall()

    def _indexed(self, connection: psycopg.Connection, condition: Condition, n: int) -> list[tuple[int, float]]:
        looked_at = min(max(n, _LOOKED_AT), _MOST_LOOKED_AT)
        connection.execute(_SETTINGS, (str(looked_at),))
        statement = self._written(_INDEXED, condition)
        rows = connection.execute(statement, (self._vector, *condition.parameters, self._vector, n)).fetchall()
        # What comes after it in this transaction is planned as usual.
        connection.execute("SELECT set_config('enable_sort', 'on', true)")
        return rows

    @property
    def _vector(self) -> str:
        return written(self.vector.astype("<f2").tobytes())

    def _written(self, statement: str, condition: Condition) -> bytes:
        dims = self.space.dims
        return statement.format(
            e=cast("v.e", dims, self.extension),
            halfvec=self.extension.name(f"halfvec({dims:d})"),
            product=self.extension.product,
            space=f"{self.space.id:d}",
            where=condition.sql,
            most=f"{self.measured:d}",
        ).encode()
