"""Writing: groups, revisions, the context column, sweeping; and the index always equals the table."""

from __future__ import annotations

import random
import sqlite3

import anyio
import pytest

from gatehook import MemoryDoc
from gatehook.kinds.errors import Conflict
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.sqlite import writer as writing
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.sqlite.writing import upsert
from gatehook.testing.memory_probes import SetClock

NS = ("n",)


def doc(id_: str, text: str = "words", **fields: object) -> MemoryDoc:
    return MemoryDoc(id=id_, text=text, **{"namespace": NS, "ts": 1, **fields})


async def found(memory: SqliteMemory, text: str, **fields: object) -> list[str]:
    page = await memory.search(Query(text=text, namespaces=(NamespaceSelector(namespace=NS),), **fields))
    return [hit.stored.doc.id for hit in page.hits]


def check_index(bare: sqlite3.Connection) -> None:
    bare.execute("INSERT INTO fts(fts, rank) VALUES ('integrity-check', 1)")
    assert bare.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert bare.execute("SELECT count(*) FROM facts WHERE rid NOT IN (SELECT rid FROM docs)").fetchone() == (0,)


@pytest.mark.anyio
class TestGroups:
    async def test_writes_that_wait_are_committed_together(self, memory: SqliteMemory) -> None:
        commits = []
        memory._writer._connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
        async with anyio.create_task_group() as tasks:
            for number in range(600):
                tasks.start_soon(memory.upsert, [doc(f"d{number}")])
        memory._writer._connection.set_trace_callback(None)
        assert (await memory.stats()).documents == 600
        assert len(commits) <= 600 / writing.GROUP + 3

    async def test_a_conflict_in_a_group_undoes_only_itself(self, memory: SqliteMemory) -> None:
        await memory.upsert([doc("a")])
        conflicts = []

        async def conflicting() -> None:
            with pytest.raises(Conflict):
                await memory.upsert([doc("new"), doc("a", "x")], if_revision={"a": 9})
            conflicts.append(1)

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(memory.upsert, [doc(f"d{number}")])
                tasks.start_soon(conflicting)
        assert len(conflicts) == 20
        assert (await memory.stats()).documents == 21

    async def test_a_write_that_raises_is_undone(self, memory: SqliteMemory) -> None:
        def half(connection: sqlite3.Connection) -> None:
            upsert(connection, [doc("half")], if_revision=None, now=1, max_bytes=100)
            raise RuntimeError("then this")

        with pytest.raises(RuntimeError):
            await memory._writer.write(half)
        assert await memory.get(NS, ["half"]) == [None]

    async def test_a_write_cancelled_before_its_turn_does_not_happen(self, memory: SqliteMemory) -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await memory.upsert([doc("never")])
        assert await memory.get(NS, ["never"]) == [None]
        assert not memory._writer._waiting

    async def test_a_full_disk_fails_the_write_and_keeps_what_was(
        self, memory: SqliteMemory, bare: sqlite3.Connection
    ) -> None:
        await memory.upsert([doc("before")])
        connection = memory._writer._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StorageUnavailable, match="full"):
            await memory.upsert([doc(f"d{n}", "long " * 5_000) for n in range(50)])
        connection.execute("PRAGMA max_page_count = 1000000")
        await memory.upsert([doc("after")])
        assert (await memory.stats()).documents == 2
        check_index(bare)


@pytest.mark.anyio
async def test_a_turn_is_found_by_its_neighbours_words_and_no_longer_when_they_change(memory: SqliteMemory) -> None:
    await memory.upsert([doc("1", "shall we hedge"), doc("2", "yes", prev_id="1"), doc("3", "done", prev_id="2")])
    assert await found(memory, "hedge") == ["1", "2"]
    assert set(await found(memory, "yes")) == {"1", "2", "3"}
    await memory.upsert([doc("1", "never mind")])
    assert await found(memory, "hedge") == []
    await memory.delete(NS, ["2"])
    assert await found(memory, "yes") == []
    await memory.upsert([doc("2", "again"), doc("3", "done", prev_id="2")])
    assert set(await found(memory, "done")) == {"2", "3"}
    await memory.upsert([doc("3", "done", prev_id="1")])
    assert set(await found(memory, "done")) == {"1", "3"}


@pytest.mark.anyio
async def test_a_search_as_of_a_time_does_not_use_the_context_of_later_turns(
    memory: SqliteMemory, clock: SetClock
) -> None:
    clock.time = 10
    await memory.upsert([doc("1", "question")])
    clock.time = 20
    await memory.upsert([doc("2", "answer", prev_id="1")])
    assert await found(memory, "answer", as_of=15) == []
    assert await found(memory, "question", as_of=15) == ["1"]


@pytest.mark.anyio
async def test_what_expired_is_swept_when_something_is_written(
    memory: SqliteMemory, clock: SetClock, bare: sqlite3.Connection
) -> None:
    await memory.upsert([doc("old", expires_at=clock.time + 1)])
    clock.time += 2
    memory._next_sweep = 0.0
    await memory.upsert([doc("new")])
    assert bare.execute("SELECT id FROM docs").fetchall() == [("new",)]


@pytest.mark.anyio
async def test_after_any_writes_the_index_is_whole(
    memory: SqliteMemory, clock: SetClock, bare: sqlite3.Connection
) -> None:
    rng = random.Random(3)
    ids = [f"d{n}" for n in range(12)]
    for _ in range(120):
        clock.time += 1
        name, other = rng.sample(ids, 2)
        text = " ".join(rng.choices(["stop", "loss", "成語", "é", "x" * 50], k=4))
        change = rng.random()
        if change < 0.7:
            tags = rng.sample(["a", "b"], rng.randrange(3))
            await memory.upsert([doc(name, text, tags=tags, meta={"symbol": other}, prev_id=rng.choice([None, other]))])
        elif change < 0.9:
            await memory.delete(NS, [name, other])
        else:
            await memory.forget(NS, [name])
    check_index(bare)


@pytest.mark.anyio
async def test_a_search_past_its_time_is_interrupted_and_the_next_one_runs(memory: SqliteMemory) -> None:
    await memory.upsert([doc(f"d{n}", "common words " * 50, ts=n) for n in range(3_000)])
    with pytest.raises(TimeoutError):
        await found(memory, "common words", timeout=0.0001)
    assert len(await found(memory, "common words", timeout=30.0)) == 10


@pytest.mark.anyio
async def test_what_has_every_word_comes_before_what_has_one_often(memory: SqliteMemory) -> None:
    await memory.upsert([doc("often", "gold gold rally rally"), doc("all", f"gold {'filler ' * 80} rally yesterday")])
    page = await memory.search(Query(text="gold rally yesterday", namespaces=(NamespaceSelector(namespace=NS),)))
    assert [hit.stored.doc.id for hit in page.hits] == ["all", "often"]
    assert page.hits[0].score > 0.5 > page.hits[1].score
