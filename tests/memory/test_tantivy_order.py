"""A page of the memory with tantivy is the beginning of the whole answer, whatever of it is in the index or not yet."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio
import attrs
import pytest

from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Query
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.tantivy import finding
from gatehook.memory.tantivy.backend import TantivyMemory
from gatehook.memory.tantivy.fields import stems
from gatehook.memory.tantivy.fields import stems_at
from gatehook.memory.tantivy.fields import words_in
from gatehook.memory.tantivy.indexer import Pace
from gatehook.memory.tantivy.narrowing import Narrowing
from gatehook.memory.tantivy.strength import occurrences
from gatehook.memory.tantivy.wording import Wording
from gatehook.memory.text import units_of
from gatehook.testing.memory_probes import SetClock
from gatehook.testing.memory_statements import EVERYTHING
from gatehook.testing.memory_statements import NS
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids

pytestmark = pytest.mark.anyio

STILL = Pace(window=3_600.0, heap=15_000_000)
WORDS = (
    "gold",
    "rally",
    "stops",
    "stopping",
    "btc/usdt",
    "ord-2024-001",
    "成語",
    "下跌",
    "é",
    "the",
    "f",
    "trade",
    "trades",
)


def random_documents(rng: random.Random, names: Sequence[str]) -> list[MemoryDoc]:
    made = []
    for name in names:
        text = " ".join(rng.choices(WORDS, weights=range(len(WORDS), 0, -1), k=rng.choice((2, 5, 30, 90))))
        tags = rng.sample(("gold", "x", "news"), rng.randrange(3))
        previous = rng.choice((None, None, rng.choice(names)))
        made.append(
            doc(name, text, tags=tags, ts=rng.randrange(5), prev_id=previous, namespace=rng.choice((NS, ("n",))))
        )
    return made


async def test_any_page_begins_as_the_whole_answer_and_both_memories_find_the_same(tmp_path: Path) -> None:
    rng, clock = random.Random(5), SetClock()
    async with (
        anyio.create_task_group() as tasks,
        SqliteMemory(tmp_path / "other.sqlite", clock) as other,
        TantivyMemory(tmp_path / "memory.sqlite", clock, lambda: tasks, STILL) as memory,
    ):
        for turn in range(8):
            clock.time += 1
            docs = random_documents(rng, [f"d{rng.randrange(90)}" for _ in range(25)])
            gone = [f"d{rng.randrange(90)}" for _ in range(3)]
            for one in (memory, other):
                await one.upsert(docs)
                await one.delete(NS, gone)
            if turn % 3 == 1:
                await memory.flush()
            for _ in range(6):
                await compare(memory, other, rng)


async def compare(memory: TantivyMemory, other: SqliteMemory, rng: random.Random) -> None:
    query = {"text": " ".join(rng.choices(WORDS, k=rng.randrange(1, 4)))}
    query |= rng.choice(({}, {"filter": Eq("tags", "gold")}, {"half_life": 2, "now": 6}, {"as_of": 1_000_003}))
    whole = await find(memory, **query, limit=500)
    assert sorted(ids(whole)) == sorted(ids(await find(other, **query, limit=500))), query
    for limit in (1, 4, 17):
        page = await find(memory, **query, limit=limit)
        assert [*map(key, page.hits)] == [*map(key, whole.hits)][:limit], query
    scores = [hit.score for hit in whole.hits]
    assert scores == sorted(scores, reverse=True)


def key(hit) -> tuple[str, tuple[str, ...], float]:
    return hit.stored.doc.id, hit.stored.doc.namespace, hit.score


async def test_a_listing_is_selected_by_the_index_only_where_that_is_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        anyio.create_task_group() as tasks,
        TantivyMemory(tmp_path / "memory.sqlite", SetClock(), lambda: tasks, STILL) as memory,
    ):
        await memory.upsert([doc(f"d{number:02}", tags={"x"} if number % 2 else (), ts=number) for number in range(40)])
        expected = [f"d{number:02}" for number in range(39, 0, -2)]
        for few in (100, 1):
            monkeypatch.setattr(finding, "FEW", few)
            assert ids(await find(memory, filter=Eq("tags", "x"), limit=100)) == expected
            await memory.flush()
            assert ids(await find(memory, filter=Eq("tags", "x"), limit=100)) == expected
            assert ids(await find(memory, filter=Eq("tags", "nobodys"), limit=100)) == []


async def test_explain_says_how_strong_a_match_is(tmp_path: Path) -> None:
    async with (
        anyio.create_task_group() as tasks,
        TantivyMemory(tmp_path / "memory.sqlite", SetClock(), lambda: tasks, STILL) as memory,
    ):
        await memory.upsert([doc("both", "gold rally"), doc("one", "gold")])
        for _ in range(2):
            hits = (await find(memory, "gold rally", explain=True)).hits
            assert [hit.stored.doc.id for hit in hits] == ["both", "one"]
            assert all(hit.parts["lexical_normalised"] == hit.parts["lexical"] for hit in hits)
            assert hits[0].parts["lexical_raw"] > hits[1].parts["lexical_raw"] > 0
            assert set((await find(memory, "gold rally")).hits[0].parts) == {"lexical", "recency"}
            await memory.flush()
        assert "lexical_raw" not in (await find(memory, "", explain=True)).hits[0].parts


@pytest.mark.parametrize(
    ("words", "phrase", "count"),
    [("a b a b a", "a", 3), ("a b a b a", "a b", 2), ("a a a", "a a", 2), ("b a", "a b", 0), ("a", "b", 0)],
)
def test_a_phrase_is_counted_where_it_stands(words: str, phrase: str, count: int) -> None:
    assert occurrences(words.split(), tuple(phrase.split())) == count


def test_a_stem_begins_as_its_word() -> None:
    # The irregular ones of the stemmer, what loses most, and what no English is.
    words = "skis skies dying lying tying idly gently ugly early only singly news ies ied ying yed y aye ing ed s é 成"
    words += " Ωs traded trades generously nationalizations happily orders eyed yens 1s 2nds ßs straßen"
    found = stems(words.split())
    assert [stem[:1] for stem in found] == [word[:1] for word in words.split()]
    assert stems_at(words.split(), frozenset("s")) == [stem if stem[0] == "s" else "" for stem in found]


async def test_scores_are_those_of_tantivy(tmp_path: Path) -> None:
    rng = random.Random(9)
    async with (
        anyio.create_task_group() as tasks,
        TantivyMemory(tmp_path / "memory.sqlite", SetClock(), lambda: tasks, STILL) as memory,
    ):
        docs = random_documents(rng, [f"d{number}" for number in range(300)])
        await memory.upsert([attrs.evolve(one, prev_id=None) for one in docs])
        await memory.flush()
        for text in ("gold", "rally trade", "btc/usdt 成語 x"):
            # The index counts its own notes for documents, we do not.
            assert await memory._read(partial(differences, memory, text)) < 0.03


def differences(memory: TantivyMemory, text: str, connection: sqlite3.Connection) -> float:
    """Return how far the strengths we compute are from those of the index, at most."""
    narrowing = Narrowing.of(Query(text=text, namespaces=EVERYTHING))
    found = memory._finder.find(connection, Wording.of(units_of(text), context=True), narrowing)
    assert found.view is not None
    worst = 0.0
    for complete in (True, False):
        leg = found.leg(complete=complete)
        hits = [] if leg.query is None else found.view.searcher.search(leg.query, limit=500).hits
        assert hits or complete
        for score, address in hits:
            [rid] = found.view.searcher.fast_field_values("rid", [address])
            [(content, tags)] = connection.execute("SELECT text, tags FROM docs WHERE rid = ?", (rid,))
            ours = leg.scorer.strength({"text": stems(words_in(content)), "tags": stems(words_in(tags)), "ctx": []})
            worst = max(worst, abs(ours - score) / score)
            assert score * leg.excess >= ours
    return worst
