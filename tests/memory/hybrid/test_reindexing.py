"""Vectors that are made again are made anew: nothing of what is remembered of the service before gets among them."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from gatehook.kinds.errors import Closed
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.memory.embedding.embedder import Blame
from gatehook.memory.embedding.embedder import EmbeddingFailed
from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.memory.vectors import worker
from gatehook.memory.vectors.sqlite_store import SqliteStore

pytestmark = pytest.mark.anyio


class Counting(HashingEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def embed(self, texts, kind="document"):
        self.asked += texts
        return await super().embed(texts, kind)


async def test_a_reindex_asks_for_every_text_again(opened):
    embedder = Counting()
    async with opened(lambda: embedder) as memory:
        await memory.upsert([MemoryDoc(id="a", text="alpha", namespace=("notes",), ts=1)])
        await memory.flush(vectors=True)
        assert [step.done async for step in memory.reindex(IndexPart.VECTORS)][-1] == 1
        assert embedder.asked == ["alpha", "alpha"]


class Slow(Counting):
    """Answers its first question when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asking, self.go = anyio.Event(), anyio.Event()

    async def embed(self, texts, kind="document"):
        answer = await super().embed(texts, kind)
        if not self.asking.is_set():
            self.asking.set()
            await self.go.wait()
            return -answer  # as the service before made it
        return answer


async def test_what_is_being_made_while_everything_is_begun_again_is_made_again(opened):
    embedder = Slow()
    async with opened(lambda: embedder) as memory:
        await memory.upsert([MemoryDoc(id="a", text="alpha", namespace=("notes",), ts=1)])
        await embedder.asking.wait()
        async for _ in memory.reindex(IndexPart.VECTORS):
            embedder.go.set()
        assert embedder.asked == ["alpha", "alpha"]
        query = Query(text="alpha", namespaces=(NamespaceSelector.everything(),), mode=SearchMode.VECTOR)
        assert [hit.score for hit in (await memory.search(query)).hits] == [pytest.approx(1.0, abs=1e-2)]


async def test_who_waits_for_vectors_hears_that_the_memory_is_closed(opened):
    embedder, heard = Slow(), anyio.Event()

    async def wait(memory):
        with pytest.raises(Closed):
            await memory.flush(vectors=True)
        heard.set()

    async with anyio.create_task_group() as waiting:
        async with opened(lambda: embedder) as memory:
            await memory.upsert([MemoryDoc(id="a", text="alpha", namespace=("notes",), ts=1)])
            await embedder.asking.wait()
            waiting.start_soon(wait, memory)
            await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(10):
            await heard.wait()


async def test_what_is_written_now_does_not_wait_for_an_archive_of_another_namespace(opened, clock):
    embedder = Slow()
    async with opened(lambda: embedder) as memory:
        await memory.upsert([MemoryDoc(id="old", text="old", namespace=("notes",), ts=1)])
        await embedder.asking.wait()
        archive = [MemoryDoc(id=f"a{n}", text=f"archived {n}", namespace=("archive",), ts=1) for n in range(1_200)]
        await memory.upsert(archive)
        clock.time += 1
        await memory.upsert([MemoryDoc(id="new", text="fresh", namespace=("notes",), ts=2)])
        embedder.go.set()
        await memory.flush(vectors=True)
    assert embedder.asked.index("fresh") < 600  # of 1,202: what was taken before it was written goes first


class Mended(HashingEmbedder):
    """Fails at its first question, when it is told to; answers from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.asking, self.go = anyio.Event(), anyio.Event()

    async def embed(self, texts, kind="document"):
        if not self.asking.is_set():
            self.asking.set()
            await self.go.wait()
            raise EmbeddingFailed("it is down", Blame.SERVICE)
        return await super().embed(texts, kind)


async def test_a_round_that_fails_while_a_flush_begins_is_not_the_flushs_failure(opened, monkeypatch):
    embedder, count = Mended(), SqliteStore.filling

    async def filling(store, space):
        monkeypatch.setattr(SqliteStore, "filling", count)
        embedder.go.set()
        while not memory.health().reasons:
            await anyio.lowlevel.checkpoint()
        return await count(store, space)

    monkeypatch.setattr(worker, "_REST", 60.0)
    async with opened(lambda: embedder) as memory:
        await memory.upsert([MemoryDoc(id="a", text="alpha", namespace=("notes",), ts=1)])
        await embedder.asking.wait()
        monkeypatch.setattr(SqliteStore, "filling", filling)
        with anyio.fail_after(30):
            await memory.flush(vectors=True)
        assert (await memory.stats()).details["vectors"] == 1
