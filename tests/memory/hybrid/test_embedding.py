"""Vectors follow the texts: outages, refusals, races, other models, one file shared with sqlite_fts."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import anyio
import numpy as np
import pytest

from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.embedding.embedder import Blame
from gatehook.memory.embedding.embedder import EmbeddingFailed
from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.memory.vectors import bytewise
from gatehook.testing.embedding_server import POISON
from gatehook.testing.embedding_server import Fault
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids

pytestmark = pytest.mark.anyio
VECTOR = SearchMode.VECTOR


class Scripted(HashingEmbedder):
    """Does what a test says before it answers."""

    def __init__(self, before=None):
        super().__init__()
        self.before = before
        self.asked = []

    async def embed(self, texts, kind="document"):
        self.asked.append((kind, list(texts)))
        if self.before is not None:
            await self.before(kind)
        return self.vectors(texts)


async def test_a_search_does_not_wait_for_a_slow_embedder(opened):
    slow = False

    async def before(kind):
        if slow and kind == "query":
            await anyio.sleep(30)

    async with opened(lambda: Scripted(before), query_seconds=0.02) as memory:
        await memory.upsert([doc("a", "gold")])
        await memory.flush(vectors=True)
        slow = True
        page = await find(memory, "gold")
        assert (ids(page), page.degraded) == (["a"], ("embedder: slow: no vector of the query within 20 ms",))


async def test_an_embedder_that_failed_is_left_alone_for_a_while(opened):
    embedder = Scripted()

    async def fail(kind):
        raise EmbeddingFailed("it broke", retry_after=60)

    async with opened(lambda: embedder) as memory:
        await memory.flush(vectors=True)
        embedder.before = fail
        for text in ("one", "two", "three"):
            assert (await find(memory, text)).degraded == ("embedder: it broke",)
        assert [kind for kind, _ in embedder.asked] == ["query"]
        assert memory.health().reasons[-1] == "embedder: it broke"


async def test_the_vectors_of_queries_are_remembered(opened):
    embedder = Scripted()
    async with opened(lambda: embedder) as memory:
        for _ in range(3):
            await find(memory, "gold")
        assert [texts for kind, texts in embedder.asked if kind == "query"] == [["gold"]]


async def test_any_exception_of_an_embedder_is_its_failure(opened):
    async def crash(kind):
        raise ZeroDivisionError

    async with opened(lambda: Scripted(crash)) as memory:
        await memory.upsert([doc("a", "gold")])
        page = await find(memory, "gold")
        assert (ids(page), page.degraded) == (["a"], ("embedder: it raises ZeroDivisionError",))
        with pytest.raises(StorageUnavailable, match="ZeroDivisionError"):
            await memory.flush(vectors=True)


async def test_a_text_that_changes_while_it_is_embedded_gets_the_vector_of_what_it_is(opened):
    asked, go_on = anyio.Event(), anyio.Event()

    async def before(kind):
        asked.set()
        await go_on.wait()

    async with opened(lambda: Scripted(before)) as memory:
        await memory.upsert([doc("a", "gold")])
        await asked.wait()
        await memory.upsert([doc("a", "silver")])
        go_on.set()
        await memory.flush(vectors=True)
        assert ids(await find(memory, "silver", mode=VECTOR)) == ["a"]
        assert ids(await find(memory, "gold", mode=VECTOR)) == []


async def test_a_text_that_is_refused_costs_only_itself_its_vector(opened, asking, said):
    async with opened(lambda: asking(batch=8)) as memory:
        await memory.upsert([doc(f"d{n}", f"gold {POISON if n == 5 else n}") for n in range(20)])
        await memory.flush(vectors=True)
        details = (await memory.stats()).details
        assert (details["vectors"], details["vectors_waiting"], details["vectors_refused"]) == (19, 0, 1)
        assert len((await find(memory, "gold", mode=VECTOR, limit=50)).hits) == 19
        assert ids(await find(memory, POISON))[:1] == ["d5"]
        assert [one.code for one in said] == ["memory.text-refused"]


async def test_an_outage_is_no_attempt_of_a_text(opened, asking, server):
    async with opened(asking) as memory:
        await server.misbehave(Fault.NAN)
        await memory.upsert([doc("a", "gold")])
        for _ in range(8):
            with pytest.raises(StorageUnavailable):
                await memory.flush(vectors=True)
        await server.behave()
        await memory.flush(vectors=True)
        assert ids(await find(memory, "gold", mode=VECTOR)) == ["a"]


async def test_silence_that_was_asked_for_is_kept(opened, asking, server):
    server.retry_after = 300
    async with opened(asking) as memory:
        await server.misbehave(Fault.BUSY)
        await memory.upsert([doc("a", "gold")])
        with pytest.raises(StorageUnavailable, match="429"):
            await memory.flush(vectors=True)
        await server.behave()
        with pytest.raises(StorageUnavailable, match="429"):
            await memory.flush(vectors=True)
        assert server.texts == []


async def test_requests_an_hour_are_bounded(opened, asking, server):
    async with opened(lambda: asking(batch=1, concurrency=1), requests_per_hour=3) as memory:
        await memory.upsert([doc(f"d{n}", f"gold {n}") for n in range(5)])
        with pytest.raises(StorageUnavailable, match="3 requests an hour"):
            await memory.flush(vectors=True)
        assert len(server.texts) == 3


async def test_a_model_of_this_machine_costs_no_requests(opened):
    async with opened(requests_per_hour=1) as memory:
        await memory.upsert([doc(f"d{n}", f"gold {n}") for n in range(200)])
        await memory.flush(vectors=True)
        assert (await memory.stats()).details["vectors"] == 200


async def test_an_endpoint_that_answers_as_another_model_is_not_believed(opened, asking, server):
    async with opened(asking) as memory:
        await memory.upsert([doc("a", "gold")])
        await memory.flush(vectors=True)
    await server.misbehave(Fault.OTHER_MODEL)
    async with opened(asking) as memory:
        page = await find(memory, "gold", mode=VECTOR)
        assert page.mode_used is SearchMode.LEXICAL
        assert "answers with the model 'm-renamed'" in page.degraded[0]
        async for _ in memory.reindex(IndexPart.VECTORS):  # somebody who knows says that it is right
            pass
        assert (await find(memory, "gold now", mode=VECTOR)).mode_used is VECTOR


async def test_going_back_before_the_new_space_is_complete_costs_no_request(opened, asking, server):
    async with opened(asking) as memory:
        await memory.upsert([doc(f"d{n}", f"gold {n}") for n in range(5)])
        await memory.flush(vectors=True)
    server.allowance = {"other": 0}
    async with opened(lambda: asking(model="other")) as memory:
        page = await find(memory, "gold", mode=VECTOR)
        assert (page.mode_used, page.degraded[0].partition(":")[0]) == (SearchMode.LEXICAL, "vectors")
        assert memory.health().status is HealthStatus.DEGRADED
    asked = len(server.texts)
    async with opened(asking) as memory:
        await memory.flush(vectors=True)
        assert len(server.texts) == asked
        assert len((await find(memory, "gold", mode=VECTOR)).hits) == 5


async def test_vectors_of_the_embedder_before_are_deleted_when_the_new_ones_are_complete(opened, path):
    for model in ("one", "two"):
        async with opened(lambda model=model: HashingEmbedder(model=model)) as memory:
            await memory.upsert([doc("a", "gold"), doc("b", "silver")])
            await memory.flush(vectors=True)
            await memory.flush(vectors=True)
    with closing(sqlite3.connect(path)) as bare:
        assert bare.execute("SELECT count(*) FROM space").fetchall() == [(1,)]
        assert bare.execute("SELECT count(*) FROM vec").fetchall() == [(2,)]


async def test_what_sqlite_fts_writes_into_the_file_gets_its_vectors(opened, path, clock):
    async with SqliteMemory(path, clock) as memory:
        await memory.upsert([doc("before", "gold one")])
    async with opened() as memory:
        await memory.flush(vectors=True)
        assert ids(await find(memory, "gold", mode=VECTOR)) == ["before"]
    async with SqliteMemory(path, clock) as memory:
        await memory.upsert([doc("meanwhile", "gold two"), doc("before", "copper")])
        assert ids(await find(memory, "gold")) == ["meanwhile"]
    async with opened() as memory:
        await memory.flush(vectors=True)
        assert ids(await find(memory, "gold", mode=VECTOR)) == ["meanwhile"]
        assert ids(await find(memory, "copper", mode=VECTOR)) == ["before"]


async def test_a_second_process_reads_by_meaning_too(opened):
    async with opened() as writer, opened() as reader:
        await writer.upsert([doc("a", "gold")])
        await writer.flush(vectors=True)
        assert ids(await find(reader, "gold", mode=VECTOR)) == ["a"]
        await writer.upsert([doc("b", "gold too")])
        await writer.flush(vectors=True)
        assert ids(await find(reader, "gold", mode=VECTOR)) == ["a", "b"]


async def test_a_memory_that_takes_the_file_over_fills_the_vectors(opened, path, clock):
    async with SqliteMemory(path, clock) as before:
        await before.upsert([doc("a", "gold")])
        after = opened()
        memory = await after.__aenter__()
        assert ids(await find(memory, "gold")) == ["a"]
    try:
        await memory.upsert([doc("b", "gold too")])
        await memory.flush(vectors=True)
        assert ids(await find(memory, "gold", mode=VECTOR)) == ["a", "b"]
    finally:
        await after.__aexit__(None, None, None)


async def test_what_is_forgotten_leaves_no_vector(opened, path):
    async with opened() as memory:
        await memory.upsert([doc("a", "gold"), doc("b", "silver")])
        await memory.flush(vectors=True)
        (vector,) = bytewise.pack([HashingEmbedder().vectors(["gold"])[0].astype("<f2").tobytes()])
        assert vector in path.read_bytes() + path.with_name(f"{path.name}-wal").read_bytes()
        await memory.forget(("suite",), ["a"])
        assert vector not in path.read_bytes() + path.with_name(f"{path.name}-wal").read_bytes()


async def test_reindexing_tells_how_far_it_is(hybrid):
    await hybrid.upsert([doc(f"d{n}", f"gold {n}") for n in range(10)])
    await hybrid.flush(vectors=True)
    told = [(one.done, one.total) async for one in hybrid.reindex(IndexPart.VECTORS)]
    assert told[-1] == (10, 10)
    assert len((await find(hybrid, "gold", mode=VECTOR)).hits) == 10


async def test_the_test_double_says_that_it_is_one(hybrid):
    assert "test double" in hybrid.health().reasons[0]
    assert "test double" in str((await hybrid.stats()).details["embedder_caveat"])


async def test_the_key_goes_out_and_a_refused_one_is_said(opened, server, asking):
    from gatehook.secrets import Secret

    server._key = "let-me-in"
    for key, degraded in (("let-me-in", ()), ("wrong-key", ("embedder: it refuses the key (401)",))):
        embedder = asking(key=Secret(key))
        async with opened(lambda embedder=embedder: embedder) as memory:
            page = await find(memory, f"gold {key}")
            assert page.degraded == degraded


@pytest.mark.parametrize(
    ("fault", "blame"),
    [
        (Fault.DOWN, Blame.SERVICE),
        (Fault.BUSY, Blame.SERVICE),
        (Fault.FAILING, Blame.SERVICE),
        (Fault.WRONG_DIMS, Blame.SETTINGS),
        (Fault.NOT_JSON, Blame.SETTINGS),
        (Fault.WRONG_COUNT, Blame.SETTINGS),
        (Fault.NAN, Blame.TEXTS),
    ],
)
async def test_each_failure_says_what_has_to_change(asking, server, fault, blame):
    await server.misbehave(fault)
    with pytest.raises(EmbeddingFailed) as caught:
        await asking().embed(["gold", "silver"])
    assert caught.value.blame is blame
    assert caught.value.retry_after == (1.0 if fault is Fault.BUSY else None)


async def test_vectors_come_back_in_the_order_of_the_texts(asking):
    embedder = asking(query_prefix="gold ")
    vectors = await embedder.embed(["gold", "silver", "gold silver"])
    assert np.allclose(vectors, HashingEmbedder(64, "m").vectors(["gold", "silver", "gold silver"]), atol=1e-6)
    assert np.allclose((await embedder.embed(["silver"], "query"))[0], vectors[2], atol=1e-6)
