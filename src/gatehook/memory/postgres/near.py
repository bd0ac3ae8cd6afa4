"""The leg of meaning: the nearest vectors under everything that the query asks for.

Where few documents are expected to pass, all of them are measured: that is exact, and costs less than an index. Else
the index goes on, in the order of nearness, until so many were found that pass.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
import psycopg
from numpy.typing import NDArray

from gatehook.memory.conditions import Condition
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
_EXPECTED: Final = "EXPLAIN (FORMAT JSON) SELECT FROM docs d WHERE "
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
        vector: of length 1. least: what is no nearer than this (cosine) is no match. measured: where no more documents
            are expected to pass, all are measured.
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
        found: list[tuple[int, float]] = []
        if row[1] and self._expected(connection, condition) > self.measured:
            found = self._indexed(connection, condition, n)
        if len(found) < n:  # without an index, or where it gave up on what the filter lets pass
            found = self._exact(connection, condition, n)
        near = ((rid, min(round(cosine, _DIGITS), 1.0)) for rid, cosine in found)
        return sorted((one for one in near if one[1] > self.least), key=lambda one: (-one[1], -one[0]))

    def _expected(self, connection: psycopg.Connection, condition: Condition) -> int:
        """Return how many documents the planner thinks will pass: to count them costs as much as to measure them."""
        row = connection.execute(f"{_EXPECTED}{condition.sql}".encode(), condition.parameters).fetchone()
        return 0 if row is None else int(row[0][0]["Plan"]["Plan Rows"])

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
        ).encode()
