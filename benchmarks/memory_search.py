"""Memory search against its floor: the best SQL we know, put to the same file bare, the same rows compared.

The floor is synchronous, on one open connection, builds no objects, cuts no snippets; the memory is asked through its
public method. Both sides answer the same queries in turn, in one process.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import attrs

from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.memory_corpus import documents
from gatehook.clocks import SystemClock
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.sqlite.database import open_reader
from gatehook.memory.sqlite.match import complete_match
from gatehook.memory.sqlite.match import partial_match
from gatehook.memory.sqlite.match import scope_match
from gatehook.memory.sqlite.schema import BM25
from gatehook.memory.text import units_of

LIMIT = 10
NAMESPACES = 20
COLUMNS = (
    "d.ns, d.id, d.revision, d.ts, d.available_at, d.expires_at, d.created_at, d.ingested_at,"
    " d.kind, d.prev_id, d.labels, d.meta, d.text, d.original"
)
# Pinned, what we measured to be best: the namespace is a token of the index, which sorts nothing but numbers; rows are
# read by them; a second query fills up only where the first, of all words, left room.
RANKED = f"SELECT rowid, {BM25} AS strength FROM fts WHERE fts MATCH ? ORDER BY strength LIMIT ?"
ROWS = f"SELECT d.rid, {COLUMNS} FROM json_each(?) AS w CROSS JOIN docs d ON d.rid = w.value WHERE d.past = 0"


def floor(connection: sqlite3.Connection, query: Query) -> list[tuple[Any, ...]]:
    """Ask the engine bare."""
    units, scope = units_of(query.text), scope_match(query)
    found = dict(connection.execute(RANKED, (complete_match(units, scope, context=True), LIMIT)).fetchall())
    if len(found) < LIMIT and len(units) > 1:
        some = partial_match(units, scope, context=True)
        for rid, strength in connection.execute(RANKED, (some, LIMIT + len(found))).fetchall():
            found.setdefault(rid, strength)
    best = [*found][:LIMIT]
    rows = {row[0]: row[1:] for row in connection.execute(ROWS, (json.dumps(best),))}
    return [(found[rid], *rows[rid]) for rid in best]


def run(quick: bool) -> Iterator[Row]:
    """Measure within a namespace, and everywhere."""
    with tempfile.TemporaryDirectory() as directory:
        yield from anyio.run(measure, Path(directory) / "memory.sqlite", *((200, 5) if quick else (100_000, 150)))


async def measure(path: Path, count: int, queries: int) -> list[Row]:
    """Fill a memory and measure it."""
    rng = random.Random(7)
    docs, pool = documents(rng, count, NAMESPACES)
    rows = []
    async with SqliteMemory(path, SystemClock()) as memory:
        for at in range(0, len(docs), 1_000):
            await memory.upsert(docs[at : at + 1_000])
        await memory.maintain(120.0)  # as a gateway does that nobody uses for a while
        with closing(open_reader(path)) as connection:
            for where, make in (("within a namespace", scoped(NAMESPACES)), ("everywhere", everywhere)):
                ours, bare = await side_by_side(memory, connection, [make(rng, pool) for _ in range(queries)])
                rows += compared(f"memory search, {count:,} documents, {where}, p50", ours, bare, where == "everywhere")
    return rows


def compared(work: str, ours: list[float], bare: list[float], unlimited: bool) -> list[Row]:
    """Return the rows of one kind of query: its time and its ratio have a budget each."""
    figure, other = statistics.median(ours) * 1_000, statistics.median(bare) * 1_000
    row = Row(work=work, figure=figure, unit="ms", against="floor: the pinned best SQL, bare", other=other)
    if unlimited:
        return [row]
    return [attrs.evolve(row, budget=Budget(2, "ms")), attrs.evolve(row, budget=Budget(1.2, "x floor"), relative=True)]


def scoped(namespaces: int) -> Callable[[random.Random, list[str]], Query]:
    """Make queries within one namespace."""
    spaces = [(NamespaceSelector(namespace=("agent", f"n{n}")),) for n in range(namespaces)]

    def make(rng: random.Random, pool: list[str]) -> Query:
        return Query(text=" ".join(rng.choices(pool, k=3)), namespaces=rng.choice(spaces), limit=LIMIT, timeout=60)

    return make


def everywhere(rng: random.Random, pool: list[str]) -> Query:
    """Make a query of all namespaces."""
    text = " ".join(rng.choices(pool, k=3))
    return Query(text=text, namespaces=(NamespaceSelector.everything(),), limit=LIMIT, timeout=60)


async def side_by_side(
    memory: SqliteMemory, connection: sqlite3.Connection, queries: list[Query]
) -> tuple[list[float], list[float]]:
    """Answer each query both ways, twice to warm up, and compare the rows; return the seconds of each."""
    ours: list[float] = []
    bare: list[float] = []
    for query in queries:
        for warm in (False, True):
            started = time.perf_counter()
            rows = floor(connection, query)
            between = time.perf_counter()
            page = await memory.search(query)
            ended = time.perf_counter()
            if warm:
                bare.append(between - started)
                ours.append(ended - between)
        check(rows, [(hit.stored.doc.id, hit.stored.doc.text) for hit in page.hits], query)
    return ours, bare


def check(rows: list[tuple[Any, ...]], found: list[tuple[str, str]], query: Query) -> None:
    """Insist that both ways gave the same rows; which of equal ones end a page is the memory's tie-break."""
    sure = {(row[2], row[13]) for row in rows if row[0] != rows[-1][0]}
    if len(rows) != len(found) or not sure <= set(found):
        raise RuntimeError(
            f"different rows for {query.text!r}: {[row[2] for row in rows]} and {[one[0] for one in found]}"
        )
