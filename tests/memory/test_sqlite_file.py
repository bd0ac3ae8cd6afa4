"""The database file: versions, damage, one writer, what is in it."""

# ruff: noqa: ASYNC240  the files of these tests are small and local

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from gatehook import GatehookError
from gatehook import MemoryDoc
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.sqlite.database import WriteLock
from gatehook.memory.sqlite.database import open_writer
from gatehook.memory.sqlite.schema import LEXICAL
from gatehook.memory.sqlite.schema import STORAGE
from gatehook.memory.sqlite.schema import Part
from gatehook.memory.sqlite.schema import versions_of
from gatehook.testing.memory_probes import SetClock

pytestmark = pytest.mark.anyio

DOC = MemoryDoc(id="a", text="hello", namespace=("n",), ts=1)
ALL = (NamespaceSelector.everything(),)


async def opening(path: Path) -> str:
    """Return the code with which the file is refused."""
    with pytest.raises(GatehookError) as caught:
        async with SqliteMemory(path, SetClock()):
            pass
    return caught.value.diagnostics[0].code


async def filled(path: Path) -> bytes:
    async with SqliteMemory(path, SetClock()) as memory:
        await memory.upsert([DOC])
    return path.read_bytes()


def later(*statements: str) -> tuple[Part, ...]:
    """Return the parts of a release that has one step more."""
    return (attrs.evolve(STORAGE, steps=(*STORAGE.steps, statements)), LEXICAL)


@pytest.mark.parametrize(
    "change", ["PRAGMA user_version = 2", "UPDATE parts SET version = version + 1 WHERE name = 'lexical'"]
)
async def test_37_a_newer_version_is_refused_and_the_file_untouched(path: Path, change: str) -> None:
    await filled(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(change)
    connection.close()
    before = path.read_bytes()
    assert await opening(path) == "memory.database-newer"
    assert path.read_bytes() == before


async def test_37_a_newer_version_in_the_log_of_a_killed_process_is_refused_untouched(path: Path) -> None:
    await filled(path)
    killed, copy = sqlite3.connect(path, isolation_level=None), path.with_name("copy.sqlite")
    killed.execute("UPDATE parts SET version = 9 WHERE name = 'storage'")
    for suffix in ("", "-wal"):
        copy.with_name(f"{copy.name}{suffix}").write_bytes(path.with_name(f"{path.name}{suffix}").read_bytes())
    killed.close()
    before = copy.read_bytes()
    assert await opening(copy) == "memory.database-newer"
    assert copy.read_bytes() == before


async def test_37_an_older_version_is_migrated(path: Path) -> None:
    await filled(path)
    with closing(open_writer(path, later("ALTER TABLE docs ADD COLUMN later TEXT"))) as connection:
        assert versions_of(connection) == {"storage": STORAGE.version + 1, "lexical": LEXICAL.version}
        assert connection.execute("SELECT id, later FROM docs").fetchall() == [("a", None)]


async def test_37_a_file_whose_rows_were_numbered_one_by_one_is_written_on(
    path: Path, bare: sqlite3.Connection
) -> None:
    await filled(path)
    bare.executescript("DROP TABLE blocks; UPDATE parts SET version = 1 WHERE name = 'storage'")
    async with SqliteMemory(path, SetClock()) as memory:
        await memory.upsert([attrs.evolve(DOC, id="b")])
        assert {hit.stored.doc.id for hit in (await memory.search(Query(text="hello", namespaces=ALL))).hits} == {
            "a",
            "b",
        }


async def test_rows_of_a_namespace_stand_together_whatever_is_written_between(
    memory: SqliteMemory, bare: sqlite3.Connection
) -> None:
    for n in range(3):
        await memory.upsert([attrs.evolve(DOC, id=f"{n}", namespace=(name,)) for name in ("a", "b", "c")])
    rows = bare.execute("SELECT ns FROM docs ORDER BY rid").fetchall()
    assert [ns for (ns,) in rows] == sorted(ns for (ns,) in rows)


async def test_no_row_gets_the_number_of_one_that_is_gone(memory: SqliteMemory, bare: sqlite3.Connection) -> None:
    async def number_of_next() -> int:
        await memory.upsert([DOC])
        return int(bare.execute("SELECT rid FROM docs").fetchone()[0])

    first = await number_of_next()
    await memory.delete(DOC.namespace, [DOC.id])
    assert await number_of_next() > first


async def test_37_a_migration_that_fails_leaves_the_old_version(path: Path) -> None:
    await filled(path)
    with pytest.raises(sqlite3.OperationalError):
        open_writer(path, later("CREATE TABLE new (x)", "no SQL at all"))
    with closing(sqlite3.connect(path)) as connection:
        assert versions_of(connection) == {"storage": STORAGE.version, "lexical": LEXICAL.version}
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'new'").fetchall() == []


async def test_a_part_of_another_memory_goes_on_working(path: Path, bare: sqlite3.Connection) -> None:
    queue = "CREATE TRIGGER queued AFTER INSERT ON docs BEGIN INSERT INTO queue VALUES (new.rid); END"
    theirs = Part("vectors", (("CREATE TABLE queue (rid)",), (queue,)))
    open_writer(path, (STORAGE, theirs)).close()
    await filled(path)
    assert versions_of(bare) == {"storage": STORAGE.version, "lexical": LEXICAL.version, "vectors": 2}
    assert bare.execute("SELECT count(*) FROM queue").fetchone() == (1,)


async def test_a_file_that_a_memory_without_words_began_is_found_by_words(path: Path, clock: SetClock) -> None:
    async with SqliteMemory(path, clock, parts=(STORAGE,)) as memory:
        await memory.upsert([DOC])
        assert await memory.forget(("n",), ["other"]) == 0
    async with SqliteMemory(path, clock) as memory:
        assert len((await memory.search(Query(text="hello", namespaces=ALL))).hits) == 1


@pytest.mark.parametrize("keep", [10, 99, 100, 4096, 5000, 40_000])
async def test_a_truncated_file_is_damaged_and_untouched(path: Path, keep: int) -> None:
    cut = (await filled(path))[:keep]
    path.write_bytes(cut)
    assert await opening(path) == "memory.database-damaged"
    assert path.read_bytes() == cut


async def test_another_file_is_not_overwritten(path: Path) -> None:
    path.write_text("a diary, " * 1_000)
    assert await opening(path) == "memory.database-damaged"
    assert path.read_text().startswith("a diary")


@pytest.mark.parametrize("version", [0, 1])
async def test_another_programs_database_is_not_taken(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(f"CREATE TABLE theirs (x); PRAGMA user_version = {version}")
    connection.close()
    assert await opening(path) == "memory.database-damaged"


async def test_an_empty_file_is_a_new_memory(path: Path) -> None:
    path.touch()
    await filled(path)


async def test_32_the_second_only_reads_and_says_who_writes(memory: SqliteMemory, path: Path, clock: SetClock) -> None:
    await memory.upsert([DOC])
    async with SqliteMemory(path, clock) as second:
        assert second.health().status is HealthStatus.DEGRADED
        assert "only reads" in second.health().reasons[0]
        assert [hit.stored.doc for hit in (await second.search(Query(text="hello", namespaces=ALL))).hits]
        with pytest.raises(StorageUnavailable, match="writes"):
            await second.upsert([DOC])
        assert second.health().status is HealthStatus.DEGRADED
    await memory.upsert([MemoryDoc(id="b", text="still the writer", namespace=("n",), ts=1)])


async def test_the_lock_is_free_after_closing(path: Path) -> None:
    await filled(path)
    lock = WriteLock(path)
    assert lock.take()
    lock.release()


async def test_33_after_closing_every_method_raises_closed(path: Path, clock: SetClock) -> None:
    memory = SqliteMemory(path, clock)
    async with memory:
        pass
    await memory.__aexit__(None, None, None)
    calls = (
        lambda: memory.upsert([DOC]),
        lambda: memory.get(("n",), ["a"]),
        lambda: memory.delete(("n",), ["a"]),
        lambda: memory.forget(("n",), ["a"]),
        lambda: memory.search(Query(namespaces=ALL)),
        memory.stats,
        memory.namespaces,
        lambda: anext(memory.scan(ALL[0])),
    )
    for call in calls:
        with pytest.raises(Closed):
            await call()


async def test_a_damage_found_while_running_is_seen_in_health(
    memory: SqliteMemory, bare: sqlite3.Connection, clock: SetClock
) -> None:
    await memory.upsert([DOC])
    bare.execute("ALTER TABLE docs RENAME TO gone")
    with pytest.raises(StorageUnavailable):
        await memory.stats()
    assert memory.health().status is HealthStatus.DOWN
    bare.execute("ALTER TABLE gone RENAME TO docs")
    await memory.stats()
    assert memory.health().status is HealthStatus.OK


async def test_only_the_owner_can_read_the_lock(memory: SqliteMemory, path: Path) -> None:
    assert path.with_name("memory.sqlite.lock").stat().st_mode & 0o077 == 0


async def test_35_forgetting_rewrites_an_index_that_no_merge_has_touched(memory: SqliteMemory, path: Path) -> None:
    kept = [MemoryDoc(id=f"k{n}", text=f"kept {n}", namespace=("n",), ts=1) for n in range(50)]
    await memory.upsert([*kept, MemoryDoc(id="s", text="one xqzzyforgetmetoken", namespace=("n",), ts=1)])
    assert await memory.forget(("n",), ["s"]) == 1
    for file in path.parent.iterdir():
        assert b"xqzzyforgetmetoken" not in file.read_bytes(), file
