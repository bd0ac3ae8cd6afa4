"""Every memory with the same documents in one run, and beside them what others would take: LangGraph's SQLite store,
which has no search for words without sqlite-vec and an embedder, and bm25s, which has nothing but the search.

Figures of the other memories stand against those of ``sqlite_fts``. ``GATEHOOK_DOCUMENTS`` says how many documents,
``GATEHOOK_MEMORIES`` which memories, with commas between. What a memory takes of main memory is the growth of the
process while it is filled and searched: what an earlier one gave back counts for a later one.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio
import attrs

from benchmarks.lateness import lateness
from benchmarks.lateness import quantile
from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.measuring import skipped
from benchmarks.memory_corpus import documents
from benchmarks.memory_search import NAMESPACES
from benchmarks.memory_search import everywhere
from benchmarks.memory_search import scoped
from gatehook.clocks import SystemClock
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query

T = TypeVar("T")

AT_ONCE = 1_000
FIRST = "sqlite_fts"
Opener = Callable[[Path], AbstractAsyncContextManager[MemoryBackend]]


class NotHere(Exception):
    """A memory whose server does not run on this machine."""


@asynccontextmanager
async def _sqlite_fts(directory: Path) -> AsyncIterator[MemoryBackend]:
    from gatehook.memory.sqlite.backend import SqliteMemory

    async with SqliteMemory(directory / "words.sqlite", SystemClock()) as memory:
        yield memory


@asynccontextmanager
async def _hybrid(directory: Path) -> AsyncIterator[MemoryBackend]:
    from benchmarks.memory_hybrid import opened

    async with opened(directory / "hybrid.sqlite") as memory:
        yield memory


@asynccontextmanager
async def _tantivy(directory: Path) -> AsyncIterator[MemoryBackend]:
    from gatehook.memory.tantivy.backend import TantivyMemory

    async with (
        anyio.create_task_group() as tasks,
        TantivyMemory(directory / "tantivy.sqlite", SystemClock(), lambda: tasks) as memory,
    ):
        yield memory


@asynccontextmanager
async def _postgres(_: Path) -> AsyncIterator[MemoryBackend]:
    from benchmarks.memory_postgres import BUFFERS
    from benchmarks.memory_postgres import open_postgres
    from tests.memory.postgres.server import NoServer
    from tests.memory.postgres.server import running

    try:
        with running(BUFFERS) as server:
            async with open_postgres(server.dsn) as memory:
                yield memory
    except NoServer as error:
        raise NotHere(str(error)) from error


MEMORIES: dict[str, tuple[Opener, str]] = {
    FIRST: (_sqlite_fts, "sqlite3"),
    "hybrid_embeddings": (_hybrid, "numpy"),
    "tantivy": (_tantivy, "tantivy"),
    "postgres": (_postgres, "psycopg"),
}
BUDGETS = {
    "upserts, 1,000 at once": Budget(10_000, "1/s", ceiling=False),
    "one upsert until a search finds it, p50": Budget(5, "ms"),
    "search within a namespace, p50": Budget(2, "ms"),
    "event loop held up while 1,000 at once are written, p99": Budget(5, "ms"),
    "event loop held up by searches, p99": Budget(5, "ms"),
}


def run(quick: bool) -> Iterator[Row]:
    """Measure every memory that is installed, then the peers."""
    count = 300 if quick else int(os.environ.get("GATEHOOK_DOCUMENTS", "100000"))
    wanted = os.environ.get("GATEHOOK_MEMORIES", ",".join(MEMORIES)).split(",")
    docs, pool = documents(random.Random(7), count, NAMESPACES)
    rng = random.Random(8)
    ask = Asked.make(rng, pool, 5 if quick else 100)
    first: dict[str, tuple[float, str]] = {}
    for name in wanted:
        opener, package = MEMORIES[name]
        if (row := skipped(f"{name}, {count:,} documents", package)) is not None:
            yield row
            continue
        try:
            with tempfile.TemporaryDirectory() as directory:
                figures = anyio.run(_measure, opener, Path(directory), docs, ask)
        except NotHere as error:
            yield Row(work=f"{name}, {count:,} documents", note=f"skipped: no server runs here: {error}")
            continue
        first = first or figures
        yield from _rows(name, count, figures, first if name != FIRST else {})
    yield from _peers(docs, ask, first)


@attrs.frozen
class Asked:
    """The queries: within a namespace, there with a filter, and everywhere."""

    scoped: list[Query]
    filtered: list[Query]
    everywhere: list[Query]

    @classmethod
    def make(cls, rng: random.Random, pool: list[str], count: int) -> Asked:
        """Make ``count`` of each."""
        within = [scoped(NAMESPACES)(rng, pool) for _ in range(count)]
        filtered = [attrs.evolve(one, filter=Eq("meta.symbol", f"S{rng.randrange(50)}")) for one in within]
        return cls(within, filtered, [everywhere(rng, pool) for _ in range(count)])


def _rows(
    name: str, count: int, figures: dict[str, tuple[float, str]], first: dict[str, tuple[float, str]]
) -> Iterator[Row]:
    for what, (figure, unit) in figures.items():
        other = first.get(what)
        yield Row(
            work=f"{name}, {count:,} documents: {what}",
            figure=figure,
            unit=unit,
            against=FIRST if other else "",
            other=other[0] if other else None,
            budget=BUDGETS.get(what) if name == FIRST and count == 100_000 else None,
        )


async def _measure(opener: Opener, directory: Path, docs: list[MemoryDoc], ask: Asked) -> dict[str, tuple[float, str]]:
    figures: dict[str, tuple[float, str]] = {}
    before = _resident()
    async with opener(directory) as memory:
        rate, lag = await _held_up(_fill(memory, docs))
        figures["upserts, 1,000 at once"] = (rate, "1/s")
        figures["event loop held up while 1,000 at once are written, p99"] = (lag, "ms")
        await memory.flush(vectors=True)
        await memory.maintain(120.0)
        figures["one upsert until a search finds it, p50"] = (await _visible(memory, docs), "ms")
        for what, queries in (
            ("within a namespace", ask.scoped),
            ("within a namespace, filtered", ask.filtered),
            ("everywhere", ask.everywhere),
        ):
            times = await _search(memory, queries)
            figures[f"search {what}, p50"], figures[f"search {what}, p99"] = (
                (quantile(times, part) * 1_000, "ms") for part in (0.5, 0.99)
            )
        figures["event loop held up by searches, p99"] = ((await _held_up(_search(memory, ask.scoped)))[1], "ms")
        figures["event loop held up by nothing, p99"] = ((await _held_up(anyio.sleep(1)))[1], "ms")
        times = await _search_while_writing(memory, docs, ask.scoped)
        figures["search within a namespace while writing, p50"] = (quantile(times, 0.5) * 1_000, "ms")
        figures["search within a namespace while writing, p99"] = (quantile(times, 0.99) * 1_000, "ms")
        figures["on disk"] = ((await memory.stats()).bytes_on_disk / len(docs), "B/document")
        figures["resident"] = ((_resident() - before) / 1e6, "MB more")
    return figures


async def _fill(memory: MemoryBackend, docs: list[MemoryDoc]) -> float:
    started = time.perf_counter()
    for at in range(0, len(docs), AT_ONCE):
        await memory.upsert(docs[at : at + AT_ONCE])
    return len(docs) / (time.perf_counter() - started)


async def _visible(memory: MemoryBackend, docs: list[MemoryDoc]) -> float:
    times = []
    for number, one in enumerate(docs[:60]):
        word = f"fresh{number}"
        query = Query(text=word, namespaces=(NamespaceSelector(namespace=one.namespace),), limit=1)
        started = time.perf_counter()
        await memory.upsert([attrs.evolve(one, id=word, text=f"{word} {one.text}")])
        page = await memory.search(query)
        times.append(time.perf_counter() - started)
        if [hit.stored.doc.id for hit in page.hits] != [word]:
            raise RuntimeError("what was written is not found")
    return statistics.median(times) * 1_000


async def _search(memory: MemoryBackend, queries: Sequence[Query]) -> list[float]:
    times = []
    for query in queries:
        for _ in range(2):
            started = time.perf_counter()
            await memory.search(query)
            took = time.perf_counter() - started
        times.append(took)
    return times


async def _search_while_writing(memory: MemoryBackend, docs: list[MemoryDoc], queries: Sequence[Query]) -> list[float]:
    async def write() -> None:
        for at in range(0, len(docs) * 1_000, 20):
            some = [docs[(at + n) % len(docs)] for n in range(20)]
            await memory.upsert([attrs.evolve(one, id=f"w{at + n}") for n, one in enumerate(some)])
            await anyio.sleep(0.02)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        times = await _search(memory, queries)
        tasks.cancel_scope.cancel()
    return times


async def _held_up(work: Awaitable[T]) -> tuple[T, float]:
    """Do some work; return what it returned, and by how much the event loop is late, p99, in ms."""
    result, late = await lateness(work)
    return result, quantile(late, 0.99) * 1_000


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _peers(docs: list[MemoryDoc], ask: Asked, first: dict[str, tuple[float, str]]) -> Iterator[Row]:
    for name, package, measure in (
        ("LangGraph's SQLite store", "langgraph", _langgraph),
        ("bm25s", "bm25s", _bm25s),
    ):
        if (row := skipped(f"{name}, {len(docs):,} documents", package)) is not None:
            yield row
            continue
        with tempfile.TemporaryDirectory() as directory:
            yield from _rows(name, len(docs), measure(Path(directory), docs, ask), first)


def _langgraph(directory: Path, docs: list[MemoryDoc], ask: Asked) -> dict[str, tuple[float, str]]:
    from langgraph.store.base import PutOp
    from langgraph.store.sqlite import SqliteStore

    path = directory / "store.sqlite"
    with SqliteStore.from_conn_string(str(path)) as store:
        store.setup()
        started = time.perf_counter()
        for at in range(0, len(docs), AT_ONCE):
            some = docs[at : at + AT_ONCE]
            store.batch([PutOp(one.namespace, one.id, {"text": one.text, **one.meta}) for one in some])
        rate = len(docs) / (time.perf_counter() - started)
        puts, lists = [], []
        for number, query in enumerate(ask.filtered):
            started = time.perf_counter()
            store.put(docs[0].namespace, f"fresh{number}", {"text": docs[0].text})
            between = time.perf_counter()
            store.search(query.namespaces[0].namespace, filter={"symbol": query.filter.value}, limit=10)
            puts.append(between - started)
            lists.append(time.perf_counter() - between)
    return {
        "upserts, 1,000 at once": (rate, "1/s"),
        "one upsert, not found by its words, p50": (quantile(puts, 0.5) * 1_000, "ms"),
        "a filter within a namespace, without words, p50": (quantile(lists, 0.5) * 1_000, "ms"),
        "on disk": (path.stat().st_size / len(docs), "B/document"),
    }


def _bm25s(directory: Path, docs: list[MemoryDoc], ask: Asked) -> dict[str, tuple[float, str]]:
    import bm25s

    started = time.perf_counter()
    tokens = bm25s.tokenize([one.text for one in docs], stopwords="en", show_progress=False)
    index = bm25s.BM25()
    index.index(tokens, show_progress=False)
    rate = len(docs) / (time.perf_counter() - started)
    times = []
    for query in ask.everywhere:
        started = time.perf_counter()
        words = bm25s.tokenize(query.text, stopwords="en", show_progress=False)
        index.retrieve(words, k=min(10, len(docs)), show_progress=False)
        times.append(time.perf_counter() - started)
    index.save(directory, show_progress=False)
    size = sum(file.stat().st_size for file in directory.iterdir())
    return {
        "indexed all at once, none added later": (rate, "1/s"),
        "search everywhere, p50": (quantile(times, 0.5) * 1_000, "ms"),
        "search everywhere, p99": (quantile(times, 0.99) * 1_000, "ms"),
        "on disk, without the texts": (size / len(docs), "B/document"),
    }
