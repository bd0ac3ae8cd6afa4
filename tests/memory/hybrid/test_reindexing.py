"""Vectors that are made again are made anew: nothing of what is remembered of the service before gets among them."""

from __future__ import annotations

import anyio
import pytest

from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.memory.embedding.hashing import HashingEmbedder

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
