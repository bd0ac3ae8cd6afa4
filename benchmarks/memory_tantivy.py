"""The memory with tantivy, against tantivy put to the same index bare, and against ``sqlite_fts`` with the same texts.

The floors are synchronous, build no objects and cut no snippets: they ask for all words, then, where that left room,
for any of them. One ends with the numbers of the rows, the other reads these, as whoever wants the texts must.
Searches begin when tantivy is done with merging what was just written.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AsyncExitStack
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import attrs
import tantivy

from benchmarks.measuring import Row
from benchmarks.memory_corpus import documents
from benchmarks.memory_search import COLUMNS
from benchmarks.memory_search import LIMIT
from benchmarks.memory_search import NAMESPACES
from benchmarks.memory_search import everywhere
from benchmarks.memory_search import scoped
from gatehook.clocks import SystemClock
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.sqlite.database import open_reader
from gatehook.memory.tantivy.backend import TantivyMemory
from gatehook.memory.tantivy.filling import builds_of
from gatehook.memory.tantivy.filling import open_index
from gatehook.memory.tantivy.filling import size_of
from gatehook.memory.tantivy.narrowing import Narrowing
from gatehook.memory.tantivy.wording import Wording
from gatehook.memory.tantivy.wording import words_query
from gatehook.memory.text import units_of

_AT_ONCE = 1_000
_ROWS = f"SELECT {COLUMNS} FROM json_each(?) AS wanted CROSS JOIN docs d ON d.rid = wanted.value"
_BARE = "floor: tantivy bare"
_FLOOR = "floor: tantivy bare, and the rows"
_PEER = "sqlite_fts"


def run(quick: bool) -> Iterator[Row]:
    """Measure within a namespace, and everywhere; ``GATEHOOK_DOCUMENTS`` says how many documents."""
    count = 200 if quick else int(os.environ.get("GATEHOOK_DOCUMENTS", "100000"))
    with tempfile.TemporaryDirectory() as directory:
        yield from anyio.run(_measure, Path(directory), count, 5 if quick else 150)


async def _measure(directory: Path, count: int, queries: int) -> list[Row]:
    rng = random.Random(7)
    docs, pool = documents(rng, count, NAMESPACES)
    clock, path = SystemClock(), directory / "tantivy.sqlite"
    async with anyio.create_task_group() as tasks, AsyncExitStack() as stack:
        memory = await stack.enter_async_context(TantivyMemory(path, clock, lambda: tasks))
        peer = await stack.enter_async_context(SqliteMemory(directory / "fts.sqlite", clock))
        rows = [await _inserts(memory, peer, docs), await _sizes(memory, peer)]
        await _merged(path)
        searcher = open_index(next(iter(builds_of(path).iterdir()))).searcher()
        with closing(open_reader(path)) as connection:
            for where, make in (("within a namespace", scoped(NAMESPACES)), ("everywhere", everywhere)):
                asked = [make(rng, pool) for _ in range(queries)]
                ours = await _seconds(_asking(memory), asked)
                work = f"tantivy, {count:,} documents, {where}, p50"
                for against, way in (
                    (_BARE, _bare(searcher)),
                    (_FLOOR, _with_rows(searcher, connection)),
                    (_PEER, _asking(peer)),
                ):
                    rows.append(_row(work, ours, against, await _seconds(way, asked)))
        rows.append(await _visible(memory, docs))
    return rows


async def _merged(path: Path) -> None:
    before = -1
    while before != (before := size_of(path)):  # noqa: ASYNC110  tantivy tells nobody
        await anyio.sleep(1)


async def _inserts(memory: TantivyMemory, peer: SqliteMemory, docs: list[MemoryDoc]) -> Row:
    figures = []
    for one in (memory, peer):
        started = time.perf_counter()
        for at in range(0, len(docs), _AT_ONCE):
            await one.upsert(docs[at : at + _AT_ONCE])
        await one.flush()
        figures.append(len(docs) / (time.perf_counter() - started))
    work = f"tantivy, upserts of {_AT_ONCE:,} until all are in the index"
    return Row(work=work, figure=figures[0], unit="1/s", against=_PEER, other=figures[1])


async def _sizes(memory: MemoryBackend, peer: MemoryBackend) -> Row:
    ours, theirs = (await memory.stats(), await peer.stats())
    per = [found.bytes_on_disk / max(found.documents, 1) for found in (ours, theirs)]
    return Row(work="tantivy, bytes on disk a document", figure=per[0], unit="B", against=_PEER, other=per[1])


async def _visible(memory: MemoryBackend, docs: list[MemoryDoc]) -> Row:
    """Measure one write and the search that finds it."""
    times = []
    for number, one in enumerate(docs[:50]):
        text = f"fresh{number} {one.text}"
        query = Query(text=f"fresh{number}", namespaces=(NamespaceSelector.everything(),), limit=1)
        started = time.perf_counter()
        await memory.upsert([attrs.evolve(one, id=f"fresh{number}", text=text)])
        page = await memory.search(query)
        times.append(time.perf_counter() - started)
        if [hit.stored.doc.id for hit in page.hits] != [f"fresh{number}"]:
            raise RuntimeError("what was written is not found")
    return Row(work="tantivy, one upsert and its search, p50", figure=statistics.median(times) * 1_000, unit="ms")


Way = Callable[[Query], Any]


def _asking(memory: MemoryBackend) -> Way:
    return memory.search


def _bare(searcher: tantivy.Searcher) -> Way:
    def ask(query: Query) -> list[int]:
        wording = Wording.of(units_of(query.text), context=True)
        narrowed = [*Narrowing.of(query).clauses(searcher)]
        rids: dict[int, None] = {}
        for complete in (True, False):
            wanted = words_query(wording, lambda field, _: field == "text", narrowed, complete=complete)
            if wanted is not None and len(rids) < LIMIT:
                hits = searcher.search(wanted, limit=LIMIT + len(rids), count=False).hits
                found = searcher.fast_field_values("rid", [address for _, address in hits])
                rids |= dict.fromkeys(int(rid or 0) for rid in found)
        return [*rids][:LIMIT]

    return ask


def _with_rows(searcher: tantivy.Searcher, connection: sqlite3.Connection) -> Way:
    numbers = _bare(searcher)

    def ask(query: Query) -> list[Any]:
        return connection.execute(_ROWS, (json.dumps(numbers(query)),)).fetchall()

    return ask


async def _seconds(way: Way, queries: list[Query]) -> list[float]:
    """Answer each query twice, and return the seconds of the second time."""
    times = []
    for query in queries:
        for warm in (False, True):
            started = time.perf_counter()
            answer = way(query)
            if not isinstance(answer, list):
                await answer
            if warm:
                times.append(time.perf_counter() - started)
    return times


def _row(work: str, ours: list[float], against: str, other: list[float]) -> Row:
    figures = [statistics.median(times) * 1_000 for times in (ours, other)]
    return Row(work=work, figure=figures[0], unit="ms", against=against, other=figures[1])
