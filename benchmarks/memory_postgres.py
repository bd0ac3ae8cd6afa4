"""The memory in PostgreSQL, against the same server in the plain way, and against ``sqlite_fts`` with the same texts.

The floor is one connection and one table: the server's own English words (``to_tsvector``), any of the query's words,
``ts_rank``, the namespace by an index. It has no revisions, filters, paging or snippets, and its ranking does not know
how rare a word is, nor how long a text.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import psycopg

from benchmarks.measuring import Row
from benchmarks.memory_corpus import documents
from benchmarks.memory_search import LIMIT
from benchmarks.memory_search import NAMESPACES
from benchmarks.memory_search import everywhere
from benchmarks.memory_search import scoped
from gatehook.clocks import SystemClock
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Query
from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.postgres.target import Target
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.text import units_of
from gatehook.secrets import Secret
from tests.memory.postgres.server import NoServer
from tests.memory.postgres.server import running

_AT_ONCE = 1_000
#: Room for the pages of 100,000 documents, as a server of one's own has it.
BUFFERS = "512MB"
_FLOOR = "floor: to_tsvector and ts_rank, one connection"
_PEER = "sqlite_fts"
_TABLE = (
    "CREATE TABLE bare (id text PRIMARY KEY, space text, ts bigint, text text, words tsvector)",
    "CREATE INDEX ON bare USING gin (words)",
    "CREATE INDEX ON bare (space)",
)
_INSERT = (
    "INSERT INTO bare SELECT id, space, ts, text, to_tsvector('english', text)"
    " FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[]) AS w(id, space, ts, text)"
)
_SELECT = (
    "SELECT id, space, ts, text, ts_rank(words, q) AS rank FROM bare, to_tsquery('english', %s) AS q"
    " WHERE words @@ q AND (%s::text IS NULL OR space = %s) ORDER BY rank DESC LIMIT %s"
)


def open_postgres(dsn: str, schema: str = "bench") -> AbstractAsyncContextManager[PostgresMemory]:
    """Open the memory over a schema of a server."""
    return PostgresMemory(Target(dsn=Secret(dsn), schema=schema, timeout=600.0), SystemClock())


def run(quick: bool) -> Iterator[Row]:
    """Measure writing and searching; ``GATEHOOK_DOCUMENTS`` says how many documents. Nothing where no server runs."""
    count = 200 if quick else int(os.environ.get("GATEHOOK_DOCUMENTS", "100000"))
    try:
        with running(BUFFERS) as server, tempfile.TemporaryDirectory() as directory:
            yield from anyio.run(_measure, server.dsn, Path(directory), count, 5 if quick else 150)
    except NoServer as error:
        yield Row(work="postgres", note=f"no server runs here: {error}")


async def _measure(dsn: str, directory: Path, count: int, queries: int) -> list[Row]:
    rng = random.Random(7)
    docs, pool = documents(rng, count, NAMESPACES)
    sqlite = SqliteMemory(directory / "memory.sqlite", SystemClock())
    async with open_postgres(dsn) as memory, sqlite as peer:
        with psycopg.connect(dsn, autocommit=True) as bare:
            rows = await _inserts(memory, peer, bare, docs)
            await memory.maintain(60.0)
            bare.execute("ANALYZE bare")
            for where, make in (("within a namespace", scoped(NAMESPACES)), ("everywhere", everywhere)):
                asked = [make(rng, pool) for _ in range(queries)]
                ways = (_asking(memory), _bare(bare), _asking(peer))
                for way in ways:  # words are counted, pages are read
                    await _seconds(way, asked)
                ours, floor, theirs = [await _seconds(way, asked) for way in ways]
                work = f"postgres, {count:,} documents, {where}, p50"
                rows += [_row(work, ours, _FLOOR, floor), _row(work, ours, _PEER, theirs)]
        rows.append(await _single(memory, docs))
    return rows


async def _inserts(
    memory: PostgresMemory, peer: SqliteMemory, bare: psycopg.Connection, docs: list[MemoryDoc]
) -> list[Row]:
    for statement in _TABLE:
        bare.execute(statement.encode())
    spent = dict.fromkeys(("ours", "bare", "peer"), 0.0)
    for at in range(0, len(docs), _AT_ONCE):
        part = docs[at : at + _AT_ONCE]
        started = time.perf_counter()
        await memory.upsert(part)
        ended = time.perf_counter()
        columns = ([d.id for d in part], ["/".join(d.namespace) for d in part], [d.ts for d in part])
        bare.execute(_INSERT, (*columns, [d.text for d in part]))
        after = time.perf_counter()
        await peer.upsert(part)
        spent["ours"] += ended - started
        spent["bare"] += after - ended
        spent["peer"] += time.perf_counter() - after
    ours, floor, theirs = (len(docs) / spent[name] for name in ("ours", "bare", "peer"))
    work = f"postgres, upserts of {_AT_ONCE:,}"
    return [
        Row(work=work, figure=ours, unit="docs/s", against=_FLOOR, other=floor),
        Row(work=work, figure=ours, unit="docs/s", against=_PEER, other=theirs),
    ]


def _asking(memory: MemoryBackend) -> Callable[[Query], Any]:
    async def ask(query: Query) -> None:
        await memory.search(query)

    return ask


def _bare(connection: psycopg.Connection) -> Callable[[Query], Any]:
    async def ask(query: Query) -> None:
        words = " | ".join(word for unit in units_of(query.text) for word in unit.words)
        (selector,) = query.namespaces
        space = "/".join(selector.namespace) or None
        connection.execute(_SELECT, (words, space, space, LIMIT)).fetchall()

    return ask


async def _seconds(way: Callable[[Query], Any], queries: list[Query]) -> list[float]:
    times = []
    for query in queries:
        started = time.perf_counter()
        await way(query)
        times.append(time.perf_counter() - started)
    return times


def _row(work: str, ours: list[float], other: str, theirs: list[float]) -> Row:
    mine, floor = statistics.median(ours) * 1_000, statistics.median(theirs) * 1_000
    return Row(work=work, figure=mine, unit="ms", against=other, other=floor)


async def _single(memory: PostgresMemory, docs: list[MemoryDoc]) -> Row:
    times = []
    for number in range(200):
        changed = MemoryDoc(id=f"one{number}", text=docs[number % len(docs)].text, namespace=("single",), ts=number)
        started = time.perf_counter()
        await memory.upsert([changed])
        times.append(time.perf_counter() - started)
    return Row(work="postgres, one upsert until it is found, p50", figure=statistics.median(times) * 1_000, unit="ms")
