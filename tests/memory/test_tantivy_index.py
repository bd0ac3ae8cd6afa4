"""The index of the memory with tantivy is disposable: whatever happens to its files, everything is found again."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextlib import closing
from pathlib import Path

import anyio
import anyio.to_thread
import attrs
import pytest

from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.filters import Eq
from gatehook.kinds.filters import Gt
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.sqlite.database import files_of
from gatehook.memory.tantivy import builds
from gatehook.memory.tantivy import filling
from gatehook.memory.tantivy import view
from gatehook.memory.tantivy.backend import TantivyMemory
from gatehook.memory.tantivy.engine import IndexFault
from gatehook.memory.tantivy.filling import builds_of
from gatehook.memory.tantivy.indexer import Pace
from gatehook.testing.memory_probes import SetClock
from gatehook.testing.memory_probes import files_with
from gatehook.testing.memory_statements import NS
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids

pytestmark = pytest.mark.anyio

PROMPT = Pace(window=0.01, heap=15_000_000)
NEVER = Pace(window=3_600.0, heap=15_000_000)
ROWS = 60


@asynccontextmanager
async def opened(path: Path, pace: Pace = PROMPT) -> AsyncIterator[TantivyMemory]:
    async with anyio.create_task_group() as tasks, TantivyMemory(path, SetClock(), lambda: tasks, pace) as memory:
        yield memory


async def filled(path: Path) -> Path:
    """Write some documents, and return where the index of them is."""
    async with opened(path) as memory:
        await memory.upsert([doc(f"d{number:02}", f"plain words {number}", ts=number) for number in range(ROWS)])
        await memory.flush()
    [build] = builds_of(path).iterdir()
    return build


async def whole(memory: TantivyMemory, count: int = ROWS) -> None:
    """Check that everything is found, in the index alone."""
    await memory.flush()
    page = await find(memory, "plain", limit=count + 10)
    assert len(set(ids(page))) == len(page.hits) == count
    assert page.degraded == ()
    assert (await memory.stats()).details["pending"] == 0


# --- an index that cannot be used


def cut(build: Path) -> None:
    largest = max(build.glob("*.term"), key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:10])


def garbled(build: Path) -> None:
    (build / "meta.json").write_text("no JSON")


def emptied(build: Path) -> None:
    shutil.rmtree(build)
    build.mkdir()


def another_format(build: Path) -> None:
    index = filling.open_index(build)
    writer = index.writer(15_000_000, 1)
    writer.delete_documents_by_term("mark", "state")
    writer.add_document(filling.Mark(build.name, commit=9_999, format=99).document())
    writer.commit()


def another_memorys(build: Path) -> None:
    index = filling.open_index(build)
    writer = index.writer(15_000_000, 1)
    writer.add_document(filling.Mark("another", commit=9_999, upto=ROWS).document())
    writer.commit()


def older_than_the_rows(build: Path) -> None:
    index = filling.open_index(build)
    writer = index.writer(15_000_000, 1)
    writer.add_document(filling.Mark(build.name, commit=9_999, upto=ROWS - 1).document())
    writer.commit()


def newer_than_the_rows(build: Path) -> None:
    index = filling.open_index(build)
    writer = index.writer(15_000_000, 1)
    writer.add_document(filling.Mark(build.name, commit=9_999, upto=ROWS + 1).document())
    writer.commit()


FAULTS = (
    shutil.rmtree,
    cut,
    garbled,
    emptied,
    another_format,
    another_memorys,
    older_than_the_rows,
    newer_than_the_rows,
)


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda spoil: spoil.__name__)
async def test_an_index_that_does_not_fit_is_built_again(tmp_path: Path, spoil) -> None:
    path = tmp_path / "memory.sqlite"
    build = await filled(path)
    spoil(build)
    async with opened(path) as memory:
        assert len((await find(memory, "plain", limit=100)).hits) == ROWS
        await whole(memory)
        assert [one.name for one in builds_of(path).iterdir()] != [build.name]
        assert memory.health().status is HealthStatus.OK


async def test_a_page_says_what_is_searched_while_the_index_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "memory.sqlite"
    shutil.rmtree(await filled(path))
    monkeypatch.setattr(builds, "AT_ONCE", ROWS - 1)
    async with opened(path) as memory:
        page = await find(memory, "plain", limit=100)
        assert page.hits == ()
        assert page.degraded == ("index: it is being built; 0 documents of it and the 0 newest are searched",)
        await memory.upsert([doc("new", "plain")])
        assert "new" in ids(await find(memory, "plain", limit=100))
        await whole(memory, ROWS + 1)


async def test_files_that_vanish_while_it_runs_are_made_again(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    async with opened(path) as memory:
        await memory.upsert([doc("one", "plain")])
        await memory.flush()
        [build] = builds_of(path).iterdir()
        shutil.rmtree(build)
        await memory.upsert([doc("two", "plain")])
        assert set(ids(await find(memory, "plain"))) <= {"one", "two"}
        await until_flushed(memory)
        await whole(memory, 2)


async def until_flushed(memory: TantivyMemory) -> None:
    with anyio.fail_after(10):
        while not await flushed(memory):  # noqa: ASYNC110  nothing tells when a disk can be written again
            await anyio.sleep(0.02)


async def flushed(memory: TantivyMemory) -> bool:
    try:
        await memory.flush()
    except StorageUnavailable:
        assert memory.health().status is HealthStatus.DEGRADED
        return False
    return True


@pytest.mark.parametrize("kind", ["pos", "idx", "fast"])
async def test_content_that_tantivy_trips_over_is_made_again(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "memory.sqlite"
    build = await filled(path)
    async with opened(path) as memory:
        await whole(memory)
        await anyio.to_thread.run_sync(overwrite, build, kind)
        page = await find(memory, "plain-words", limit=100)
        assert page.degraded[0].startswith("index: its files are damaged: ")
        await until_flushed(memory)
        assert [one.name for one in builds_of(path).iterdir()] != [build.name]
        await whole(memory)


def overwrite(build: Path, kind: str) -> None:
    """Damage files in place, as they are mapped into memory."""
    for file in build.glob(f"*.{kind}"):
        with file.open("r+b") as content:
            content.write(b"\xff" * (file.stat().st_size - 90))


async def test_a_passing_trouble_costs_no_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "memory.sqlite"
    build = await filled(path)
    async with opened(path) as memory:
        with monkeypatch.context() as patch:
            patch.setattr(view, "open_index", no_descriptors)
            page = await find(memory, "plain")
        assert page.degraded == ("index: too many open files; only the 0 newest documents are searched",)
        await until_flushed(memory)
        assert memory.health().status is HealthStatus.OK
        assert [one.name for one in builds_of(path).iterdir()] == [build.name]
        await whole(memory)


def no_descriptors(directory: Path) -> object:
    raise IndexFault("too many open files")


async def test_an_index_that_cannot_be_written_loses_nothing_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    builds_of(path).write_text("a file where a directory should be")
    async with opened(path) as memory:
        await memory.upsert([doc(f"d{number}", "plain") for number in range(30)])
        page = await find(memory, "plain", limit=50)
        assert len(page.hits) == 30
        assert page.degraded[0].startswith("index: ")
        assert memory.health().status is HealthStatus.DEGRADED
        with pytest.raises(StorageUnavailable, match="index"):
            await memory.flush()
        builds_of(path).unlink()
        await until_flushed(memory)
        await whole(memory, 30)


# --- what is not yet in the index


async def test_what_changed_is_in_the_index_once(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    await filled(path)
    async with opened(path) as memory:
        await memory.upsert([doc("d00", "plain and other"), doc("d01", "other")])
        await memory.delete(NS, ["d02"])
        await whole(memory, ROWS - 2)
        seen = memory._finder._views._view
        assert seen is not None
        assert seen.documents == ROWS - 1 + 2  # past revisions are in it too


async def test_what_is_pending_hides_what_the_index_knows_of_it(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    await filled(path)
    async with opened(path, NEVER) as memory:
        await memory.upsert([doc("d00", "other", ts=0), doc("d01", "plain words 1 again", ts=1)])
        await memory.delete(NS, ["d02"])
        found = ids(await find(memory, "plain", limit=100))
        assert len(found) == len(set(found)) == ROWS - 2
        assert {"d00", "d02"}.isdisjoint(found)
        assert ids(await find(memory, "other")) == ["d00"]
        assert ids(await find(memory, "again")) == ["d01"]
        assert (await memory.stats()).details["pending"] > 0


async def test_a_commit_moves_no_score_and_no_place(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    await filled(path)
    async with opened(path, NEVER) as memory:
        await memory.upsert([doc(f"e{n}", f"plain {'long ' * n}words {n}", tags={"words"}, ts=n) for n in range(40)])
        queries = [{"text": text, "limit": 7} for text in ("plain words", "words 7", "long plain 31", "tags words")]
        before = [await find(memory, **query) for query in queries]
        seconds = [await find(memory, **query, cursor=page.cursor) for query, page in zip(queries, before, strict=True)]
        await memory.flush()
        after = [await find(memory, **query) for query in queries]
        assert [hits(page) for page in after] == [hits(page) for page in before]
        late = [await find(memory, **query, cursor=page.cursor) for query, page in zip(queries, before, strict=True)]
        assert [hits(page) for page in late] == [hits(page) for page in seconds]


def hits(page) -> list[tuple[str, float]]:
    return [(hit.stored.doc.id, hit.score) for hit in page.hits]


async def test_pending_documents_are_narrowed_as_indexed_ones_are(tmp_path: Path) -> None:
    async with opened(tmp_path / "memory.sqlite", NEVER) as memory:
        for _ in range(2):
            await memory.upsert(
                [
                    doc("a", kind="trade", tags={"x"}, meta={"symbol": "BTC/USDT"}, ts=1, namespace=("n", "1")),
                    doc("b", kind="note", tags={"y"}, ts=2, namespace=("n", "2")),
                ]
            )
            for text in ("plain", ""):
                assert ids(await find(memory, text, filter=Eq("kind", "trade"))) == ["a"]
                assert ids(await find(memory, text, filter=Eq("tags", "y"))) == ["b"]
                assert ids(await find(memory, text, filter=Eq("meta.symbol", "BTC/USDT"))) == ["a"]
                assert ids(await find(memory, text, ("n", "2"))) == ["b"]
                assert ids(await find(memory, text, filter=Gt("ts", 1))) == ["b"]
            await memory.flush()


async def test_writes_wait_where_too_much_is_pending(tmp_path: Path) -> None:
    tight = attrs.evolve(NEVER, pending=50)
    async with opened(tmp_path / "memory.sqlite", tight) as memory:
        for start in range(0, 600, 60):
            await memory.upsert([doc(f"d{number}", "plain") for number in range(start, start + 60)])
            assert (await memory.stats()).details["pending"] <= 2 * 50
            page = await find(memory, "plain", limit=1_000)
            assert (len(page.hits), page.degraded) == (start + 60, ())


async def test_long_texts_wait_sooner(tmp_path: Path) -> None:
    tight = attrs.evolve(NEVER, chars=1_000)
    async with opened(tmp_path / "memory.sqlite", tight) as memory:
        await memory.upsert([doc("a", "plain " * 1_000)])
        assert (await memory.stats()).details["pending"] == 0


async def test_what_was_left_in_the_queue_is_brought_in_by_the_next_opening(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    async with opened(path, NEVER) as memory:
        await memory.upsert([doc(f"d{number}", "plain") for number in range(20)])
        assert (await memory.stats()).details["pending"] == 20
    async with opened(path) as memory:
        with anyio.fail_after(10):
            while (await memory.stats()).details["pending"]:  # noqa: ASYNC110  nothing tells of a commit that nobody asked for
                await anyio.sleep(0.02)
        await whole(memory, 20)


# --- building again


async def test_reindex_goes_on_beside_searches_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "memory.sqlite"
    build = await filled(path)
    monkeypatch.setattr(filling, "COPIED", 7)
    async with opened(path) as memory:
        written = 0
        async for progress in memory.reindex(IndexPart.LEXICAL):
            page = await find(memory, "plain", limit=500)
            assert (len(page.hits), page.degraded) == (ROWS + written, ())
            await memory.upsert([doc(f"new{written}", "plain")])
            written += 1
            assert progress.total is not None
            assert 0 < progress.done <= progress.total
        assert ROWS / 7 < written < ROWS
        await whole(memory, ROWS + written)
        assert [one.name for one in builds_of(path).iterdir()] != [build.name]
        with pytest.raises(UnsupportedCapability):
            memory.reindex(IndexPart.VECTORS)


async def test_what_a_build_left_behind_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    build = await filled(path)
    shutil.copytree(build, build.with_name("left"))
    async with opened(path) as memory:
        assert [one.name for one in builds_of(path).iterdir()] == [build.name]
        await whole(memory)


async def test_maintain_builds_an_index_again_that_was_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "memory.sqlite"
    build = await filled(path)
    async with opened(path) as memory:
        await memory.maintain(5.0)
        assert [one.name for one in builds_of(path).iterdir()] == [build.name]
        monkeypatch.setattr("gatehook.memory.tantivy.backend._ROWS_A_SECOND", 1)
        await memory.delete(NS, [f"d{number:02}" for number in range(40)])
        await memory.flush()
        await memory.maintain(5.0)
        assert [one.name for one in builds_of(path).iterdir()] == [build.name]
        await memory.maintain(500.0)
        assert [one.name for one in builds_of(path).iterdir()] != [build.name]
        await whole(memory, ROWS - 40)


async def test_nothing_of_what_was_forgotten_stays_in_the_index(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    secret = "xqzzyforgetmetoken"  # a word to look for, no credential
    async with opened(path) as memory:
        await memory.upsert([doc("a", f"one {secret}"), doc("b", "plain", prev_id="a")])
        await memory.flush()
        await memory.upsert([doc("a", "two")])
        await memory.upsert([doc("b", "plain")])
        await memory.flush()
        # Deleted there, not gone; the dictionary of words is no text that could be looked through for bytes.
        assert known_words(path, secret) == [secret]
        assert await memory.forget(NS, ["a"]) == 1
        assert known_words(path, secret) == []
        assert files_with(tmp_path, secret.encode()) == []
        await whole(memory, 1)


def known_words(path: Path, prefix: str) -> list[str]:
    [build] = builds_of(path).iterdir()
    searcher = filling.open_index(build).searcher()
    fields = ("text", "tags", "ctx", "scope")
    return sorted({word for field in fields for word, _ in searcher.terms_with_prefix(field, prefix)})


# --- more than one opening


async def test_who_only_reads_follows_the_rows_and_the_builds(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    await filled(path)
    async with opened(path) as memory, opened(path) as reader:
        assert reader.health().status is HealthStatus.DEGRADED
        for number in range(3):
            await memory.upsert([doc(f"new{number}", "plain")])
            assert len((await find(reader, "plain", limit=100)).hits) == ROWS + number + 1
            async for _ in memory.reindex():
                pass
            page = await find(reader, "plain", limit=100)
            assert (len(page.hits), page.degraded) == (ROWS + number + 1, ())
        with pytest.raises(StorageUnavailable):
            reader.reindex()
        with pytest.raises(StorageUnavailable):
            await reader.flush()


async def test_a_file_that_another_memory_wrote_to_is_caught_up_with(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    async with SqliteMemory(path, SetClock()) as other:
        await other.upsert([doc("first", "plain")])
    await filled(path)
    async with SqliteMemory(path, SetClock()) as other:
        assert len((await find(other, "plain", limit=100)).hits) == ROWS + 1
        await other.upsert([doc("last", "plain"), doc("d00", "changed")])
        await other.delete(NS, ["d01"])
    async with opened(path) as memory:
        assert "last" in ids(await find(memory, "plain", limit=100))
        await whole(memory, ROWS)


async def test_the_rows_of_a_backup_do_not_meet_an_index_that_knows_more(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    await filled(path)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(tmp_path / "backup")) as backup:
        source.backup(backup)
    async with opened(path) as memory:
        await memory.upsert([doc("later", "plain")])
        await memory.flush()
    for file in files_of(path):
        file.unlink()
    (tmp_path / "backup").rename(path)
    async with opened(path) as memory:
        assert "later" not in ids(await find(memory, "plain", limit=100))
        await whole(memory)
