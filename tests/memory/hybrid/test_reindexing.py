"""Vectors that are made again are made anew: nothing of what is remembered of the service before gets among them."""

from __future__ import annotations

import pytest

from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import MemoryDoc
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
