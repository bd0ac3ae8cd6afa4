"""Search by words and meaning in PostgreSQL: time beside words alone, how fast vectors are made, how many of the
nearest are found.

Vectors are given by the hashing embedder, in the loop. Exact is what the server finds when it measures every vector.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import AsyncIterator
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio
import attrs
import psycopg

from benchmarks.measuring import Row
from benchmarks.memory_corpus import documents
from benchmarks.memory_hybrid import compared
from benchmarks.memory_hybrid import rate
from benchmarks.memory_postgres import BUFFERS
from benchmarks.memory_search import NAMESPACES
from benchmarks.memory_search import everywhere
from benchmarks.memory_search import scoped
from gatehook.clocks import SystemClock
from gatehook.diagnostics import Diagnostic
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.memory.postgres.connections import snapshot
from gatehook.memory.postgres.hybrid import PostgresHybridMemory
from gatehook.memory.postgres.near import Near
from gatehook.memory.postgres.searching import Search
from gatehook.memory.postgres.target import Target
from gatehook.memory.postgres.vector_rows import find
from gatehook.memory.postgres.vector_schema import find_extension
from gatehook.memory.vectors.settings import VectorSettings
from gatehook.secrets import Secret
from tests.memory.postgres.server import NoServer
from tests.memory.postgres.server import running

_SCHEMA = "vectors"
_NEAREST = 10
_Top = Sequence[tuple[int, float]]
_EVERY = 1_000_000_000


def run(quick: bool) -> Iterator[Row]:
    """Fill a memory with texts and vectors, and search it; ``GATEHOOK_DOCUMENTS`` says how many documents."""
    count = 200 if quick else int(os.environ.get("GATEHOOK_DOCUMENTS", "100000"))
    try:
        with running(BUFFERS) as server:
            yield from anyio.run(measure, server.dsn, count, 5 if quick else 100)
    except NoServer as error:
        yield Row(work="postgres, vectors", note=f"no server runs here: {error}")


async def measure(dsn: str, count: int, queries: int) -> list[Row]:
    """Return the rows."""
    rng = random.Random(7)
    docs, pool = documents(rng, count, NAMESPACES)
    async with opened(dsn) as memory:
        for at in range(0, count, 1_000):
            await memory.upsert(docs[at : at + 1_000])
        started = time.perf_counter()
        await memory.flush(vectors=True)
        rows = [rate(f"postgres: vectors of {count:,} documents, index included", count, time.perf_counter() - started)]
        with psycopg.connect(dsn, autocommit=True) as bare:
            bare.execute(f"SET search_path = {_SCHEMA}")
            bare.execute("VACUUM ANALYZE")
            for where, make in (("within a namespace", scoped(NAMESPACES)), ("everywhere", everywhere)):
                asked = [make(rng, pool) for _ in range(queries)]
                ours, words = await _side_by_side(memory, asked)
                rows.append(
                    compared(f"postgres, {count:,} documents, by both, {where}, p50", ours, words, "everywhere")
                )
                rows += await _recalls(bare, asked, where)
    return rows


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[PostgresHybridMemory]:
    """Open the memory with a task group of its own."""
    target = Target(dsn=Secret(dsn), schema=_SCHEMA, timeout=600.0)
    async with anyio.create_task_group() as tasks:
        memory = PostgresHybridMemory(
            target,
            SystemClock(),
            embedder=HashingEmbedder,
            tasks=lambda: tasks,
            report=_said,
            settings=VectorSettings(requests_per_hour=1_000_000),
        )
        async with memory:
            yield memory


def _said(diagnostic: Diagnostic) -> None:
    raise RuntimeError(diagnostic.message)


async def _side_by_side(memory: PostgresHybridMemory, queries: Sequence[Query]) -> tuple[list[float], list[float]]:
    taken: dict[SearchMode, list[float]] = {SearchMode.HYBRID: [], SearchMode.LEXICAL: []}
    for query in queries:
        for warm in (False, True):
            for mode, seconds in taken.items():
                started = time.perf_counter()
                page = await memory.search(attrs.evolve(query, mode=mode, timeout=60.0))
                if page.mode_used is not mode:
                    raise RuntimeError(f"{query.text!r} was answered by {page.mode_used}: {page.degraded}")
                if warm:
                    seconds.append(time.perf_counter() - started)
    return taken[SearchMode.HYBRID], taken[SearchMode.LEXICAL]


async def _recalls(connection: psycopg.Connection, queries: Sequence[Query], where: str) -> list[Row]:
    """Compare what the index finds with what is nearest, and both times."""
    embedder = HashingEmbedder()
    near = await anyio.to_thread.run_sync(partial(_near, connection, embedder.identity))
    found: dict[int, list[_Top]] = {0: [], near.measured: [], _EVERY: []}
    spent: dict[int, list[float]] = {measured: [] for measured in found}
    for query in queries:
        condition = Search.prepare(query, SystemClock().now()).condition
        (vector,) = embedder.vectors([query.text])
        for measured, tops in found.items():
            leg = attrs.evolve(near, vector=vector, measured=measured)
            started = time.perf_counter()
            with snapshot(connection):
                top = leg.top(connection, condition, 100)
            spent[measured].append(time.perf_counter() - started)
            tops.append(top[:_NEAREST])
    return [
        Row(
            work=f"postgres, by meaning alone, {where}, {name}: of the {_NEAREST} nearest",
            figure=100 * _share(found[measured], found[_EVERY]),
            unit="%",
            note=f"p50 {_median(spent[measured]):.1f} ms; every vector measured {_median(spent[_EVERY]):.1f} ms",
        )
        for measured, name in ((0, "by the index"), (near.measured, "as it chooses"))
    ]


def _median(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1_000


def _near(connection: psycopg.Connection, identity: EmbedderIdentity) -> Near:
    space = find(connection, identity)
    assert space is not None
    (vector,) = HashingEmbedder().vectors([""])
    return Near(space, find_extension(connection, _SCHEMA), vector, least=-1.0)


def _share(found: Sequence[_Top], exact: Sequence[_Top]) -> float:
    """Return the share of places with something as near as what belongs there: equals are as good as each other."""
    pairs = [(ours, theirs) for ours, theirs in zip(found, exact, strict=True) if theirs]
    filled = sum(near >= theirs[-1][1] for ours, theirs in pairs for _, near in ours)
    return filled / max(sum(len(one) for one in exact), 1)
