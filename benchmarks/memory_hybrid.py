"""Search by words and meaning at 100,000 documents: time, first search after opening, disk, and words alone beside it.

Vectors are given by the hashing embedder, in the loop: what a model takes for a query comes on top.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import attrs

from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.memory_corpus import documents
from benchmarks.memory_search import NAMESPACES
from benchmarks.memory_search import everywhere
from benchmarks.memory_search import scoped
from gatehook.clocks import SystemClock
from gatehook.diagnostics import Diagnostic
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.memory.vectors.hybrid import HybridMemory


def run(quick: bool) -> Iterator[Row]:
    """Fill a memory with texts and vectors, open it again, search within a namespace and everywhere."""
    with tempfile.TemporaryDirectory() as directory:
        yield from anyio.run(measure, Path(directory) / "memory.sqlite", *((300, 5) if quick else (100_000, 150)))


async def measure(path: Path, count: int, queries: int) -> list[Row]:
    """Return the rows."""
    rng = random.Random(7)
    docs, pool = documents(rng, count, NAMESPACES)
    started = time.perf_counter()
    async with opened(path) as memory:
        for at in range(0, len(docs), 1_000):
            await memory.upsert(docs[at : at + 1_000])
        await memory.flush(vectors=True)
        rows = [rate(f"hybrid: {count:,} documents with words and vectors", count, time.perf_counter() - started)]
        await memory.maintain(60.0)
        size = (await memory.stats()).bytes_on_disk / count
        rows.append(
            Row(work="hybrid: on disk, maintained", figure=size, unit="B/document", budget=Budget(1_700, "B/document"))
        )
    started = time.perf_counter()
    async with opened(path) as memory:
        await memory.search(attrs.evolve(everywhere(rng, pool), mode=SearchMode.HYBRID))
        took = time.perf_counter() - started
        rows.append(
            Row(work="hybrid: opened and first search everywhere", figure=took, unit="s", budget=Budget(1.5, "s"))
        )
        for where, make in (("within a namespace", scoped(NAMESPACES)), ("everywhere", everywhere)):
            both, words = await side_by_side(memory, [make(rng, pool) for _ in range(queries)])
            rows.append(compared(f"hybrid search, {count:,} documents, {where}, p50", both, words, where))
    return rows


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[HybridMemory]:
    """Open the memory with a task group of its own."""
    async with anyio.create_task_group() as tasks:
        memory = HybridMemory(path, SystemClock(), embedder=HashingEmbedder, tasks=lambda: tasks, report=_said)
        async with memory:
            yield memory


def _said(diagnostic: Diagnostic) -> None:
    raise RuntimeError(diagnostic.message)


def rate(work: str, count: int, seconds: float) -> Row:
    """Return a row of how fast something went."""
    return Row(work=work, figure=count / seconds, unit="1/s")


def compared(work: str, both: list[float], words: list[float], where: str) -> Row:
    """Return the row of one kind of query, beside the same queries by words alone."""
    row = Row(
        work=work,
        figure=statistics.median(both) * 1_000,
        unit="ms",
        against="the same by words alone",
        other=statistics.median(words) * 1_000,
    )
    return row if where == "everywhere" else attrs.evolve(row, budget=Budget(5, "ms"))


async def side_by_side(memory: HybridMemory, queries: list[Query]) -> tuple[list[float], list[float]]:
    """Answer each query both ways in turn; return the seconds of each."""
    taken: dict[SearchMode, list[float]] = {SearchMode.HYBRID: [], SearchMode.LEXICAL: []}
    for query in queries:
        for warm in (False, True):
            for mode, seconds in taken.items():
                started = time.perf_counter()
                page = await memory.search(attrs.evolve(query, mode=mode))
                if warm:
                    seconds.append(time.perf_counter() - started)
                if page.mode_used is not mode:
                    raise RuntimeError(f"{query.text!r} was answered by {page.mode_used}: {page.degraded}")
    return taken[SearchMode.HYBRID], taken[SearchMode.LEXICAL]
