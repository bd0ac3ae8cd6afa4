"""How far each leg is believed: words as far as they cover the query, and alone where there is no vector yet."""

from __future__ import annotations

import anyio
import pytest

from gatehook.kinds.memory import SearchMode
from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.memory.fusion import TAIL
from gatehook.memory.fusion import Leg
from gatehook.memory.fusion import by_one
from gatehook.memory.fusion import coverage
from gatehook.memory.fusion import fuse
from gatehook.memory.fusion import worth
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids

pytestmark = pytest.mark.anyio
MEANT = {"bullion": "gold", "trim": "closed", "exposure": "position", "payrolls": "jobs"}
OTHERS = ("office", "team", "desk", "bank", "fund", "press", "board", "client")
ASKED = "why did I trim bullion exposure ahead of payrolls on a Monday"


class Synonyms(HashingEmbedder):
    """Knows what some words mean; does not answer while ``free`` is not set."""

    def __init__(self):
        super().__init__(256)
        self.free = anyio.Event()
        self.free.set()

    async def embed(self, texts, kind="document"):
        if kind == "document":
            await self.free.wait()
        return self.vectors([" ".join(MEANT.get(word, word) for word in text.lower().split()) for text in texts])


async def filled(memory):
    chatter = [f"{word} meeting on a Monday with tea" for word in OTHERS]
    texts = ["closed the gold position before the jobs report", "order #A-10293 was filled", *chatter]
    await memory.upsert([doc(f"d{n}", text) for n, text in enumerate(texts)])
    await memory.flush(vectors=True)


async def test_a_common_word_does_not_outweigh_the_meaning(opened):
    async with opened(Synonyms) as memory:
        await filled(memory)
        assert ids(await find(memory, ASKED, mode=SearchMode.LEXICAL))[0] != "d0"
        assert ids(await find(memory, ASKED))[0] == "d0"


async def test_an_identifier_is_believed_among_other_words(opened):
    async with opened(Synonyms) as memory:
        await filled(memory)
        assert ids(await find(memory, "what became of A-10293 and the tea meeting"))[0] == "d1"


async def test_the_best_score_tells_how_much_of_the_query_was_found(opened):
    async with opened(Synonyms) as memory:
        await filled(memory)
        best = [(await find(memory, text)).hits[0].score for text in ("gold position", "tulip auction on a Monday")]
        assert best[0] > 0.75
        assert best[1] < 0.4
        assert (await find(memory, "tulip auction on a Monday", min_score=0.5)).hits == ()


async def test_what_has_no_vector_yet_is_judged_by_its_words(opened):
    embedder = Synonyms()
    async with opened(lambda: embedder) as memory:
        await filled(memory)
        await memory.upsert([doc("e0", "gold gold gold position of the whole desk and of the bank")])
        await memory.flush(vectors=True)
        embedder.free = anyio.Event()
        await memory.upsert([doc("fresh", "gold position")])
        page = await find(memory, "gold position")
        assert page.mode_used is SearchMode.HYBRID
        assert ids(page)[0] == "fresh"
        assert "vector" not in page.hits[0].parts
        embedder.free.set()


def test_a_leg_counts_as_far_as_it_is_trusted():
    fused = fuse([Leg("lexical", 0.6, [("a", 8.0), ("b", 4.0)], trust=0.5), Leg("vector", 0.4, [("b", 0.9)])])
    assert {key: one.score for key, one in fused.items()} == pytest.approx({"a": 0.3, "b": 0.15 + 0.4})
    assert by_one(fused["a"], "lexical").score == pytest.approx(0.5)


def test_what_a_query_is_covered_to():
    assert coverage(3.0, 12.0) == 0.25
    assert coverage(15.0, 12.0) == 1.0
    assert coverage(0.0, 0.0) == 1.0
    assert [worth(0.25, 0.5), worth(1.0, 0.5), worth(0.0, -0.5), worth(0.0, 1.5)] == [0.5, 1.0, TAIL, 1.0]


async def test_an_identifier_that_differs_in_a_digit_is_behind_the_right_one(opened):
    embedder = Synonyms()
    async with opened(lambda: embedder, dense_weight=0.6) as memory:
        await filled(memory)
        others = [doc(f"e{n}", f"transfer TX-2024-05-000{n} transfer of 1,000 dollars to the wallet") for n in range(9)]
        await memory.upsert([*others, doc("it", "sent between the wallets TX-2024-05-0017")])
        await memory.flush(vectors=True)
        assert ids(await find(memory, "TX-2024-05-0017"))[0] == "it"
