"""What keeps the file fast: maintain, flush, reindex; and a search that runs out of time still answers."""

# ruff: noqa: ASYNC240  the files of these tests are small and local

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import anyio
import pytest

from gatehook import MemoryDoc
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.sqlite import hasty
from gatehook.memory.sqlite import reindexing
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.sqlite.schema import BY_WORDS
from gatehook.memory.sqlite.searching import Search
from gatehook.testing.memory_probes import SetClock
from gatehook.testing.memory_probes import files_with

pytestmark = pytest.mark.anyio

NS = ("n",)
LONG = 3_600.0


def doc(id_: str, text: str = "words", **fields: object) -> MemoryDoc:
    return MemoryDoc(id=id_, text=text, **{"namespace": NS, "ts": 1, **fields})


async def found(memory: SqliteMemory, text: str, **fields: object) -> list[str]:
    query = Query(**{"text": text, "namespaces": (NamespaceSelector(namespace=NS),), "timeout": 30.0, **fields})
    return [hit.stored.doc.id for hit in (await memory.search(query)).hits]


def check_index(bare: sqlite3.Connection) -> None:
    bare.execute("INSERT INTO fts(fts, rank) VALUES ('integrity-check', 1)")
    assert bare.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def segments(bare: sqlite3.Connection) -> int:
    return bare.execute("SELECT count(DISTINCT segid) FROM fts_idx").fetchone()[0]


async def fill(memory: SqliteMemory, batches: int = 7, size: int = 300) -> None:
    for batch in range(batches):
        await memory.upsert([doc(f"d{batch}-{n}", f"word{n} common batch{batch}", ts=n) for n in range(size)])


async def test_maintaining_merges_the_index_and_empties_the_log(
    memory: SqliteMemory, bare: sqlite3.Connection, path: Path
) -> None:
    await fill(memory)
    assert segments(bare) > 1
    before = await found(memory, "common word7")
    await memory.maintain(LONG)
    assert segments(bare) == 1
    assert path.with_name("memory.sqlite-wal").stat().st_size == 0
    assert await found(memory, "common word7") == before
    check_index(bare)


async def test_maintaining_without_time_does_little_and_harms_nothing(
    memory: SqliteMemory, bare: sqlite3.Connection
) -> None:
    await fill(memory, 3)
    await memory.maintain(0.0)
    assert segments(bare) > 1
    check_index(bare)


async def test_maintaining_sweeps_everything_that_expired(
    memory: SqliteMemory, clock: SetClock, bare: sqlite3.Connection
) -> None:
    await memory.upsert([doc(f"d{n}", expires_at=clock.time + 1) for n in range(250)])
    await memory.upsert([doc("kept")])
    clock.time += 2
    await memory.maintain(LONG)
    assert bare.execute("SELECT id FROM docs").fetchall() == [("kept",)]


async def test_who_only_reads_leaves_it_to_the_writer(memory: SqliteMemory, path: Path, clock: SetClock) -> None:
    async with SqliteMemory(path, clock) as second:
        await second.maintain(LONG)
        await second.flush()


async def test_after_a_flush_the_database_itself_has_what_was_written(memory: SqliteMemory, path: Path) -> None:
    await memory.upsert([doc("a", "xqzzyflushed")])
    await memory.flush()
    assert b"xqzzyflushed" in path.read_bytes()


async def test_closed_means_closed(path: Path, clock: SetClock) -> None:
    async with SqliteMemory(path, clock) as memory:
        pass
    for call in (lambda: memory.maintain(1.0), memory.flush, lambda: anext(memory.reindex())):
        with pytest.raises(Closed):
            await call()


async def test_there_are_no_vectors_to_index(memory: SqliteMemory) -> None:
    with pytest.raises(UnsupportedCapability):
        memory.reindex(IndexPart.VECTORS)


async def test_a_damaged_index_is_whole_again_after_a_reindex(memory: SqliteMemory, bare: sqlite3.Connection) -> None:
    await fill(memory)
    bare.execute("DELETE FROM fts_data WHERE id > 10")
    with pytest.raises(sqlite3.DatabaseError):
        check_index(bare)
    progress = [(one.done, one.total) async for one in memory.reindex()]
    assert progress[-1] == (2_100, 2_100)
    assert progress == sorted(progress)
    check_index(bare)
    assert len(await found(memory, "batch3 word7")) == 10
    await memory.upsert([doc("after", "fresh")])
    assert await found(memory, "fresh") == ["after"]


async def test_searches_and_writes_go_on_during_a_reindex(memory: SqliteMemory, bare: sqlite3.Connection) -> None:
    await fill(memory, 3)
    steps = 0
    async for _ in memory.reindex(IndexPart.LEXICAL):
        steps += 1
        await memory.upsert([doc("d0-1", f"rewritten{steps}"), doc(f"new{steps}", "newcomer")])
        await memory.delete(NS, [f"d0-{steps + 1}", f"new{steps - 1}"])
        assert await found(memory, f"rewritten{steps}") == ["d0-1"]
    assert steps > 3
    assert await found(memory, "newcomer") == [f"new{steps}"]
    assert await found(memory, f"rewritten{steps}") == ["d0-1"]
    assert await found(memory, "rewritten1") == []
    check_index(bare)
    tables = {name for (name,) in bare.execute("SELECT name FROM sqlite_master")}
    assert not {name for name in tables if name.startswith(("fts_next", "reindexing", "next_"))}


async def test_a_reindex_that_was_left_goes_on_and_forgetting_sees_both(
    memory: SqliteMemory, bare: sqlite3.Connection, path: Path
) -> None:
    await memory.upsert([doc("s", "one xqzzyforgetmetoken")])
    await fill(memory, 3)
    left = memory.reindex()
    await anext(left)
    await left.aclose()
    assert reindexing.indices_of(bare) == ["fts", "fts_next"]
    await memory.forget(NS, ["s"])
    assert files_with(path.parent, b"xqzzyforgetmetoken") == []
    first = await anext(memory.reindex())
    assert first.done > 250
    async for _ in memory.reindex():
        pass
    check_index(bare)


def hold(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let a search in earnest wait until nobody waits for it."""
    let_go = threading.Event()
    patient = Search.run

    def run(self: Search, connection: sqlite3.Connection) -> object:
        if type(self) is Search:
            let_go.wait(30)
        return patient(self, connection)

    monkeypatch.setattr(Search, "run", run)
    return let_go


async def test_a_search_at_its_deadline_answers_by_the_rarest_words_and_says_so(
    memory: SqliteMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hasty, "FEW", 20)
    await memory.upsert([doc(f"d{n:03}", "common words" if n else "common rareword", ts=n) for n in range(100)])
    let_go = hold(monkeypatch)
    query = Query(text="common rareword", namespaces=(NamespaceSelector(namespace=NS),), timeout=1.5)
    page = await memory.search(query)
    let_go.set()
    assert [hit.stored.doc.id for hit in page.hits] == ["d000"]
    assert page.degraded[0].startswith("deadline:")
    assert page.cursor is None
    assert page.hits[0].score < 0.5


async def test_a_hasty_search_for_frequent_words_looks_at_the_newest(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(hasty, "FEW", 20)
    async with SqliteMemory(path, SetClock(), parts=BY_WORDS) as memory:
        await memory.upsert([doc(f"d{n:03}", "common words", ts=n) for n in range(100)])
        search = Search.prepare(Query(text="common words", namespaces=(NamespaceSelector.everything(),), limit=50), 10)
        hits = await memory._read(lambda connection: hasty.run(connection, search))
    assert {hit.stored.doc.id for hit in hits} == {f"d{n:03}" for n in range(79, 100)}


async def test_a_full_disk_stops_a_reindex_and_harms_nothing(memory: SqliteMemory, bare: sqlite3.Connection) -> None:
    await fill(memory, 5)
    connection = memory._writer._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    with pytest.raises(StorageUnavailable, match="full"):
        async for _ in memory.reindex():
            pass
    assert len(await found(memory, "batch3 word7")) == 10
    connection.execute("PRAGMA max_page_count = 1000000")
    async for _ in memory.reindex():
        pass
    check_index(bare)


async def test_a_query_of_ten_megabytes_is_a_query(memory: SqliteMemory) -> None:
    await memory.upsert([doc("a", "needle in a stack")])
    assert await found(memory, "needle " + 'stack\0 "x OR (' * 700_000) == ["a"]


async def test_searches_are_cancelled_and_the_next_one_runs(memory: SqliteMemory) -> None:
    await fill(memory, 3)
    for delay in (0.0, 0.0005, 0.002):
        with anyio.move_on_after(delay):
            async with anyio.create_task_group() as tasks:
                for _ in range(10):
                    tasks.start_soon(found, memory, "common word1 word2 word3")
    assert len(await found(memory, "common")) == 10
