"""Searching by words and meaning: modes, filters, times, pages, what is lost and what is not."""

from __future__ import annotations

import random

import attrs
import pytest

from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import SearchMode
from gatehook.memory.fusion import WINDOW
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids

pytestmark = pytest.mark.anyio
VECTOR, HYBRID, LEXICAL = SearchMode.VECTOR, SearchMode.HYBRID, SearchMode.LEXICAL


async def write(memory, docs):
    await memory.upsert(docs)
    await memory.flush(vectors=True)


async def test_each_mode_is_what_it_says(hybrid):
    await write(hybrid, [doc("a", "gold rally"), doc("b", "silver")])
    for mode, used in ((SearchMode.AUTO, HYBRID), (HYBRID, HYBRID), (VECTOR, VECTOR), (LEXICAL, LEXICAL)):
        page = await find(hybrid, "gold", mode=mode)
        assert (ids(page), page.mode_used, page.degraded) == (["a"], used, ())


async def test_a_listing_asks_no_embedder(opened, asking, server):
    async with opened(asking) as memory:
        await write(memory, [doc("a", "gold")])
        asked = len(server.texts)
        for mode in (SearchMode.AUTO, HYBRID, VECTOR):
            page = await find(memory, "?!", mode=mode)
            assert (ids(page), page.mode_used, page.degraded) == (["a"], LEXICAL, ())
        assert len(server.texts) == asked


async def test_what_only_words_find_is_found_behind_what_both_do(hybrid):
    await write(hybrid, [doc(f"d{n:03}", f"gold {'rally ' * (n % 3)}{'x' * n}", ts=n) for n in range(2 * WINDOW + 50)])
    whole = ids(await find(hybrid, "gold rally", limit=1_000))
    assert len(whole) == 2 * WINDOW + 50
    pages, cursor = [], ""
    while cursor is not None:
        page = await find(hybrid, "gold rally", limit=37, cursor=cursor or None)
        pages += ids(page)
        cursor = page.cursor
    assert pages == whole


@pytest.mark.parametrize("half_life", [None, 40])
async def test_scores_fall_from_page_to_page(hybrid, half_life):
    await write(hybrid, [doc(f"d{n}", f"gold {'rally ' * (n % 5)}", ts=n) for n in range(300)])
    page = await find(hybrid, "gold rally", limit=300, half_life=half_life, now=300)
    scores = [hit.score for hit in page.hits]
    assert len(scores) == 300
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


async def test_a_filter_that_few_pass_still_fills_the_page_by_meaning(hybrid):
    await write(hybrid, [doc(f"d{n}", f"gold {n}", meta={"rare": n % 100 == 0}) for n in range(2_000)])
    for mode in (VECTOR, HYBRID):
        page = await find(hybrid, "gold", mode=mode, filter=Eq("meta.rare", True), limit=20)
        assert (len(page.hits), page.mode_used) == (20, mode)


async def test_namespaces_hold_for_meaning_too(hybrid):
    spaces = [("foo",), ("foobar",), ("FOO",), ("foo", "x"), ("a.b",), ("a", "b"), ("f%",)]
    await write(hybrid, [doc(str(at), namespace=space) for at, space in enumerate(spaces)])
    for space in spaces:
        below = {str(at) for at, one in enumerate(spaces) if one[: len(space)] == space}
        assert set(ids(await find(hybrid, "plain", space, mode=VECTOR))) == below
        exact = (NamespaceSelector(namespace=space, exact=True),)
        assert ids(await find(hybrid, "plain", namespaces=exact, mode=VECTOR)) == [str(spaces.index(space))]


async def test_meaning_knows_no_tomorrow(hybrid, clock):
    clock.time = 100
    await write(hybrid, [doc("a", "gold call", ts=10), doc("late", "gold", ts=10, available_at=400)])
    clock.time = 200
    await write(hybrid, [doc("a", "silver call", ts=10), doc("ahead", "gold", ts=300, available_at=300)])
    for mode in (VECTOR, HYBRID):
        for text, when, expected in (
            ("gold", 150, ["a"]),
            ("silver", 150, []),
            ("silver", 200, ["a"]),
            ("gold", 250, []),
            ("gold", 350, ["ahead"]),
        ):
            page = await find(hybrid, text, as_of=when, mode=mode)
            assert ids(page) == expected, (mode, text, when)
        (hit,) = (await find(hybrid, "gold", as_of=150, mode=mode)).hits
        assert (hit.stored.doc.text, hit.stored.revision) == ("gold call", 1)
    assert ids(await find(hybrid, "silver", mode=VECTOR)) == ["a"]


async def test_a_text_that_changed_is_not_found_by_what_it_meant(hybrid):
    await write(hybrid, [doc("a", "gold"), doc("b", "copper")])
    assert ids(await find(hybrid, "gold", mode=VECTOR)) == ["a"]
    await hybrid.upsert([doc("a", "silver")])
    assert ids(await find(hybrid, "gold", mode=VECTOR)) == []
    await hybrid.flush(vectors=True)
    assert ids(await find(hybrid, "silver", mode=VECTOR)) == ["a"]
    assert ids(await find(hybrid, "gold", mode=VECTOR)) == []


async def test_what_is_deleted_or_expired_is_not_found(hybrid, clock):
    await write(hybrid, [doc("a", "gold"), doc("b", "gold", expires_at=clock.time + 5), doc("c", "gold")])
    await hybrid.delete(("suite",), ["a"])
    clock.time += 5
    assert ids(await find(hybrid, "gold", mode=VECTOR)) == ["c"]


async def test_a_half_that_was_deleted_leaves_the_other_half_to_be_found(hybrid):
    await write(hybrid, [doc(f"d{n:04}", "gold", ts=n) for n in range(1_500)])
    assert len((await find(hybrid, "gold", mode=VECTOR, limit=50)).hits) == 50
    await hybrid.delete(("suite",), [f"d{n:04}" for n in range(100, 1_500)])
    assert len((await find(hybrid, "gold", mode=VECTOR, limit=200)).hits) == 100


async def test_explain_says_what_each_leg_thought(hybrid):
    await write(hybrid, [doc("a", "gold rally"), doc("b", "gold")])
    plain, more = [await find(hybrid, "gold rally", explain=explain) for explain in (False, True)]
    assert [hit.score for hit in plain.hits] == [hit.score for hit in more.hits]
    assert set(plain.hits[0].parts) == {"lexical", "vector", "recency"}
    assert (more.hits[0].parts["lexical_rank"], more.hits[0].parts["vector_rank"]) == (1, 1)
    assert more.hits[0].parts["vector_raw"] == pytest.approx(1.0, abs=1e-3)


async def test_a_cursor_of_one_mode_is_not_one_of_another(hybrid):
    await write(hybrid, [doc(f"d{n}", f"gold {n}") for n in range(5)])
    page = await find(hybrid, "gold", mode=VECTOR, limit=2)
    with pytest.raises(CursorExpired):
        await find(hybrid, "silver", mode=VECTOR, cursor=page.cursor)


async def test_meaning_alone_and_words_alone_are_the_ends_of_the_weight(opened):
    docs = [doc("words", "gold gold gold and a good deal of other things to say"), doc("near", "gold")]
    async with opened(dense_weight=0.0) as memory:
        await write(memory, docs)
        words = await find(memory, "gold")
        assert ids(words) == ids(await find(memory, "gold", mode=LEXICAL))
    async with opened(dense_weight=1.0) as memory:
        meaning = await find(memory, "gold")
        assert ids(meaning) == ids(await find(memory, "gold", mode=VECTOR)) == ["near", "words"]


async def test_the_codes_find_what_measuring_everything_does(hybrid):
    rng = random.Random(3)
    words = [f"w{n}" for n in range(60)]
    docs = [MemoryDoc(id=f"d{n}", text=" ".join(rng.choices(words, k=6)), namespace=("n",), ts=n) for n in range(1_500)]
    await write(hybrid, docs)
    hits, total = 0, 0
    for _ in range(20):
        text = " ".join(rng.choices(words, k=3))
        best = await find(hybrid, text, mode=VECTOR, limit=1_000)
        top = await find(hybrid, text, mode=HYBRID, limit=10, explain=True)
        exact = {hit.stored.doc.id for hit in best.hits[:10]}
        ranked = sorted((hit.parts["vector_rank"], hit.stored.doc.id) for hit in top.hits if "vector_rank" in hit.parts)
        hits += len(exact & {name for rank, name in ranked if rank <= 10})
        total += sum(rank <= 10 for rank, _ in ranked)
    assert hits >= 0.95 * total


async def test_a_closed_memory_says_so(opened):
    async with opened() as memory:
        await memory.upsert([doc("a", "gold")])
    for call in (find(memory, "gold"), find(memory, "gold", mode=VECTOR), memory.flush(vectors=True), memory.stats()):
        with pytest.raises(Closed):
            await call
    assert attrs.asdict(memory.health())["reasons"] == ()
