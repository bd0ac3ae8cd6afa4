"""What PostgreSQL could take amiss: NUL, long texts, many words, long names, numbers, and its indices."""

from __future__ import annotations

import random

import attrs
import pytest

from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.filters import Eq
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import Ge
from gatehook.kinds.filters import Gt
from gatehook.kinds.filters import Le
from gatehook.kinds.filters import Lt
from gatehook.kinds.filters import matches
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.rules import fields_of
from gatehook.testing.memory_probes import SetClock
from tests.memory.postgres.server import Server

pytestmark = pytest.mark.anyio

NS = ("n",)
ALL = (NamespaceSelector.everything(),)


def doc(id_: str, text: str = "plain", **fields: object) -> MemoryDoc:
    return MemoryDoc(**{"id": id_, "text": text, "namespace": NS, "ts": 1, **fields})


async def ids(memory: PostgresMemory, text: str = "", **fields: object) -> list[str]:
    page = await memory.search(Query(**{"text": text, "namespaces": ALL, "timeout": 30, **fields}))
    return [hit.stored.doc.id for hit in page.hits]


async def test_nul_and_controls_come_back_as_they_were(memory: PostgresMemory) -> None:
    odd = "\0\1\2\x7f'\"\\ %s %% $1 {} \u202e é \U0001f642"
    first = doc(
        f"i{odd}", f"t{odd} needle", namespace=(f"s{odd}",), kind=f"k{odd}", tags={f"g{odd}"}, prev_id=f"p{odd}"
    )
    first = attrs.evolve(first, meta={f"m{odd}": (odd, 1, 1.0, True, None), "x": "\1\1"})
    await memory.upsert([first])
    (stored,) = await memory.get(first.namespace, [first.id])
    assert stored is not None
    assert _fields(stored.doc) == {**_fields(first), "available_at": stored.doc.available_at}
    assert [type(one) for one in stored.doc.meta[f"m{odd}"]] == [str, int, float, bool, type(None)]  # type: ignore[union-attr]
    assert await ids(memory, "needle", filter=Eq("kind", f"k{odd}")) == [first.id]
    assert await ids(memory, filter=Eq(f"meta.m{odd}", odd)) == [first.id]
    assert await memory.delete(first.namespace, [first.id]) == 1


def _fields(one: MemoryDoc) -> dict[str, object]:
    return {field.name: getattr(one, field.name) for field in attrs.fields(MemoryDoc)}


async def test_numbers_compare_as_in_python(memory: PostgresMemory) -> None:
    values = [
        0,
        -1,
        1,
        1.0,
        0.1,
        0.30000000000000004,
        2**53 + 1,
        float(2**53),
        2**62,
        float(2**62),
        -(2**63),
        2**63 - 1,
    ]
    values += [1e300, -1e300, 5e-324, 1e22, 123456789.5]
    docs = [doc(f"d{at:02}", meta={"v": value}, ts=at) for at, value in enumerate(values)]
    await memory.upsert(docs)
    for value in values:
        for operator in (Eq, Lt, Le, Gt, Ge):
            wanted: Filter = operator("meta.v", value)
            expected = sorted(one.id for one in docs if matches(wanted, fields_of(one)))
            assert sorted(await ids(memory, filter=wanted, limit=50)) == expected, wanted
            by_time: Filter = operator("ts", value)
            expected = sorted(one.id for one in docs if matches(by_time, fields_of(one)))
            assert sorted(await ids(memory, filter=by_time, limit=50)) == expected, by_time


async def test_a_long_text_is_found_by_its_first_and_last_words(memory: PostgresMemory) -> None:
    words = random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=450_000)
    middle = " ".join("".join(words[at : at + 6]) for at in range(0, 450_000, 6))
    long = f"alphabegin {middle} omegafinish"
    assert 500_000 < len(long) <= 1_000_000
    assert (await memory.upsert([doc("long", long), doc("other")])).rejected == ()
    assert await ids(memory, "alphabegin") == await ids(memory, "omegafinish") == ["long"]
    assert await ids(memory, "alphabegin omegafinish") == ["long"]


async def test_what_the_indices_cannot_hold_is_rejected_by_name(memory: PostgresMemory) -> None:
    tags = {f"{number:x}é{number:x}" for number in range(40_000)}
    bad = [doc("many", tags=tags), doc("deep", namespace=("é" * 1_300,)), doc("🙂" * 700)]
    report = await memory.upsert([doc("good"), *bad])
    assert report.inserted == ("good",)
    assert [name for name, reason in report.rejected if reason] == [one.id for one in bad]
    assert await ids(memory) == ["good"]


async def test_the_turns_beside_a_turn_help_to_find_it(memory: PostgresMemory) -> None:
    await memory.upsert([doc("q", "which hedge do we use"), doc("a", "short yen", prev_id="q"), doc("z", "unrelated")])
    assert await ids(memory, "hedge") == ["q", "a"]
    assert await ids(memory, "yen") == ["a", "q"]
    assert await ids(memory, "hedge", as_of=5_000_000) == ["q"]
    await memory.upsert([doc("q", "which broker do we use")])
    assert await ids(memory, "hedge") == []
    assert await ids(memory, "broker") == ["q", "a"]
    await memory.delete(NS, ["q"])
    assert await ids(memory, "broker") == []


async def test_turns_that_come_in_any_order_find_their_neighbours(memory: PostgresMemory) -> None:
    await memory.upsert([doc("a", "short yen", prev_id="q")])
    await memory.upsert([doc("q", "which hedge")])
    await memory.upsert([doc("z", "done", prev_id="a")])
    assert await ids(memory, "hedge") == ["q", "a"]
    assert await ids(memory, "done") == ["z", "a"]
    await memory.upsert([doc("a", "short yen", prev_id="z")])
    assert await ids(memory, "hedge") == ["q"]


async def test_a_later_turn_makes_no_document_stronger_as_of_a_time_before_it(
    memory: PostgresMemory, clock: SetClock
) -> None:
    then, clock.time = clock.time, 2 * clock.time
    await memory.upsert([doc("asked", "hedge the yen", available_at=then)])
    await memory.upsert([doc("answer", "hedge", prev_id="asked", ts=clock.time)])
    now = Query(text="hedge", namespaces=ALL, explain=True, timeout=30)
    strengths = []
    for query in (now, attrs.evolve(now, as_of=clock.time)):
        hits = (await memory.search(query)).hits
        strengths.append({hit.stored.doc.id: hit.parts["lexical_raw"] for hit in hits}["asked"])
    assert strengths[1] < strengths[0]


async def test_rare_words_weigh_more_and_short_texts_too(memory: PostgresMemory) -> None:
    common = [doc(f"c{number}", "market market note about gold") for number in range(30)]
    await memory.upsert([*common, doc("rare", "a rhodium note"), doc("long", f"rhodium {'and more words ' * 40}")])
    assert (await ids(memory, "market rhodium"))[:2] == ["rare", "long"]
    assert await ids(memory, "market gold rhodium note", limit=40) == await ids(
        memory, "note rhodium gold market", limit=40
    )


async def test_explain_says_how_strong_a_match_is(memory: PostgresMemory) -> None:
    await memory.upsert([doc("a", "gold rally"), doc("b", "gold")])
    page = await memory.search(Query(text="gold rally", namespaces=ALL, explain=True, timeout=30))
    raw = [hit.parts["lexical_raw"] for hit in page.hits]
    assert raw == sorted(raw, reverse=True)
    assert [hit.parts["lexical_normalised"] for hit in page.hits] == [hit.parts["lexical"] for hit in page.hits]


async def test_a_phrase_outweighs_its_scattered_words(memory: PostgresMemory) -> None:
    scattered = [doc(f"s{number}", f"ord {number} 2024 and 001 closed", ts=number + 10) for number in range(5)]
    await memory.upsert([*scattered, doc("it", "the fill of ORD-2024-001 came late")])
    assert (await ids(memory, "why ORD-2024-001 slipped"))[0] == "it"


async def test_very_old_documents_still_have_a_place(memory: PostgresMemory) -> None:
    await memory.upsert([doc("old", ts=-(2**63)), doc("new", ts=2**62), doc("mid", ts=0)])
    assert await ids(memory, "plain", half_life=1, now=2**62) == ["new", "mid", "old"]
    first = await memory.search(Query(text="plain", namespaces=ALL, half_life=1, now=2**62, limit=2, timeout=30))
    assert await ids(memory, "plain", half_life=1, now=2**62, limit=2, cursor=first.cursor) == ["old"]


async def test_what_no_server_can_hold_is_only_not_found(memory: PostgresMemory) -> None:
    await memory.upsert([doc("a")])
    odd = NamespaceSelector(namespace=("\ud800",))
    for text in ("plain", ""):
        assert (await memory.search(Query(text=text, namespaces=(odd,), timeout=30))).hits == ()
        both = Query(text=text, namespaces=(odd, NamespaceSelector(namespace=NS)), timeout=30)
        assert len((await memory.search(both)).hits) == 1
        assert await ids(memory, text, limit=10**30) == ["a"]
        assert await ids(memory, text, as_of=10**30) == ["a"]
        assert await ids(memory, text, as_of=-(10**30)) == []
        assert await ids(memory, text, now=10**30, half_life=10**30) == ["a"]
    assert (await memory.stats(odd)).documents == 0
    assert await memory.get(("\ud800",), ["a"]) == [None]
    assert await memory.delete(("\ud800",), ["a"]) == 0
    assert [one and one.doc.id for one in await memory.get(NS, ["\ud800", "a"])] == [None, "a"]


async def test_counts_follow_every_change(memory: PostgresMemory, server: Server, schema: str, clock: SetClock) -> None:
    totals = f"SELECT coalesce(sum(documents), 0), coalesce(sum(words), 0) FROM {schema}.totals"
    rows = f"SELECT count(*), coalesce(sum(words), 0) FROM {schema}.docs"
    steps = [
        memory.upsert([doc("a", "one two three"), doc("b", "four", prev_id="a")]),
        memory.upsert([doc("a", "one")]),
        memory.upsert([doc("c", "gone soon", expires_at=clock.time + 1)]),
        memory.delete(NS, ["b"]),
    ]
    for step in steps:
        await step
        assert server.execute(totals) == server.execute(rows)
    clock.time += 1
    for budget in (0.0, 0.001, 5.0):
        await memory.maintain(budget)
    assert server.execute(rows) == server.execute(totals)
    assert server.execute(f"SELECT count(*) FROM {schema}.docs WHERE id = 'c'") == [(0,)]


async def test_an_index_is_built_again_while_searches_go_on(
    memory: PostgresMemory, server: Server, schema: str
) -> None:
    await memory.upsert([doc(f"d{number:03}", f"word{number}", ts=number) for number in range(250)])
    await memory.upsert([doc("d000", "changed", ts=0)])
    server.execute(f"UPDATE {schema}.docs SET lexemes = ''")
    assert await ids(memory, "word7") == []
    seen = [(one.done, one.total) async for one in memory.reindex(IndexPart.LEXICAL)]
    assert seen == [(200, 251), (251, 251)]
    assert await ids(memory, "word7") == ["d007"]
    assert await ids(memory, "word0", as_of=1_000_000) == []
    with pytest.raises(UnsupportedCapability):
        memory.reindex(IndexPart.VECTORS)


async def test_what_is_told_of_it(memory: PostgresMemory) -> None:
    await memory.upsert([doc("a", namespace=("x", "y")), doc("b", namespace=("x",))])
    stats = await memory.stats()
    assert (stats.documents, stats.namespaces) == (2, 2)
    assert stats.bytes_on_disk > 0
    assert str(stats.details["engine"]).startswith("PostgreSQL ")
    assert list(await memory.namespaces(("x",))) == [("x",), ("x", "y")]
    assert list(await memory.namespaces(limit=1)) == [("x",)]
    with pytest.raises(UnsupportedCapability):
        await memory.forget(NS, ["a"])
