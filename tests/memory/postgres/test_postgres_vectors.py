"""Vectors in a schema: gateways that share them, embedders that differ, an index, a server without the extension."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from contextlib import asynccontextmanager
from uuid import uuid4

import anyio
import attrs
import psycopg
import pytest

from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.memory.postgres import vector_rows
from gatehook.memory.postgres.connections import snapshot
from gatehook.memory.postgres.hybrid import PostgresHybridMemory
from gatehook.memory.postgres.near import Near
from gatehook.memory.postgres.searching import Search
from gatehook.memory.postgres.target import Target
from gatehook.memory.postgres.vector_schema import find_extension
from gatehook.memory.vectors.asking import NOT_ALL
from gatehook.memory.vectors.settings import VectorSettings
from gatehook.secrets import Secret
from gatehook.testing.memory_probes import SetClock
from tests.memory.postgres.opening import open_postgres
from tests.memory.postgres.server import Server

pytestmark = pytest.mark.anyio
Opener = Callable[..., AbstractAsyncContextManager[PostgresHybridMemory]]


class Counting(HashingEmbedder):
    """Notes what it is asked for, and waits while it is told to."""

    def __init__(self, model: str = "words") -> None:
        super().__init__(64, model)
        self.asked: list[str] = []
        self.free = anyio.Event()
        self.free.set()

    async def embed(self, texts, kind="document"):
        if kind == "document":
            await self.free.wait()
            self.asked += texts
        return await super().embed(texts, kind)


def doc(id_, text, **more):
    return MemoryDoc(id=id_, text=text, namespace=("notes",), ts=1, **more)


def asking(text, **more):
    return Query(text=text, namespaces=(NamespaceSelector.everything(),), timeout=20.0, **more)


def ids(page):
    return [hit.stored.doc.id for hit in page.hits]


@pytest.fixture
def opened(target: Target, clock: SetClock) -> Opener:
    @asynccontextmanager
    async def open_(embedder=None, to: Target = target) -> AsyncIterator[PostgresHybridMemory]:
        made = embedder or Counting()
        async with (
            anyio.create_task_group() as tasks,
            PostgresHybridMemory(
                to,
                clock,
                embedder=lambda: made,
                tasks=lambda: tasks,
                report=lambda _: None,
                settings=VectorSettings(query_seconds=10.0),
            ) as memory,
        ):
            yield memory

    return open_


async def test_gateways_embed_a_text_once(opened):
    texts = [f"text number{n}" for n in range(300)]
    ours, theirs = Counting(), Counting()
    async with opened(ours) as one, opened(theirs) as other:
        for at in range(0, 300, 30):
            memory = one if at % 60 else other
            await memory.upsert([doc(f"d{n}", texts[n]) for n in range(at, at + 30)])
        await one.flush(vectors=True)
        await other.flush(vectors=True)
        assert sorted(ours.asked + theirs.asked) == sorted(texts)
        for memory in (one, other):
            page = await memory.search(asking("number7", mode=SearchMode.VECTOR))
            assert (ids(page)[0], page.mode_used) == ("d7", SearchMode.VECTOR)


async def test_gateways_with_two_embedders_leave_each_other_alone(opened):
    async with opened(Counting("one")) as one:
        await one.upsert([doc("a", "alpha")])
        await one.flush(vectors=True)
        async with opened(Counting("two")) as two:
            await two.upsert([doc("b", "beta")])
            for memory in (one, two):
                await memory.flush(vectors=True)
                for word, id_ in (("alpha", "a"), ("beta", "b")):
                    page = await memory.search(asking(word, mode=SearchMode.VECTOR))
                    assert (ids(page), page.mode_used, page.degraded) == ([id_], SearchMode.VECTOR, ())


async def test_what_a_gateway_took_and_did_not_answer_is_anybodys_after_a_while(opened, server, schema):
    held = Counting()
    held.free = anyio.Event()
    async with opened(held) as memory:
        await memory.upsert([doc("a", "alpha")])
    later = f"UPDATE {schema}.embed_queue SET holder = 'gone', held_until = now() + interval"
    server.execute(f"{later} '1 hour'")
    embedder = Counting()
    async with opened(embedder) as memory:
        with anyio.move_on_after(0.3):
            await memory.flush(vectors=True)
        assert embedder.asked == []
        server.execute(f"{later} '-1 second'")
        await memory.flush(vectors=True)
        assert embedder.asked == ["alpha"]


async def test_a_gateway_that_ends_gives_back_what_it_took(opened):
    held, embedder = Counting(), Counting()
    held.free = anyio.Event()
    async with opened(held) as memory:
        await memory.upsert([doc("a", "alpha")])
    async with opened(embedder) as memory:
        await memory.flush(vectors=True)
        assert embedder.asked == ["alpha"]


async def test_no_gateway_searches_a_space_that_another_one_fills_again(opened):
    one, other = Counting(), Counting()
    async with opened(one) as filling, opened(other) as searching:
        await filling.upsert([doc("a", "alpha")])
        for memory in (filling, searching):
            await memory.flush(vectors=True)
        one.free, other.free = anyio.Event(), anyio.Event()
        again = filling.reindex(IndexPart.VECTORS)
        await anext(again)
        page = await searching.search(asking("alpha", mode=SearchMode.HYBRID))
        assert (ids(page), page.mode_used, page.degraded) == (["a"], SearchMode.LEXICAL, (NOT_ALL,))
        one.free.set()
        other.free.set()
        assert [step.done async for step in again][-1] == 1
        for memory in (filling, searching):
            await memory.flush(vectors=True)
        page = await searching.search(asking("alpha", mode=SearchMode.HYBRID))
        assert (page.mode_used, page.degraded) == (SearchMode.HYBRID, ())


async def test_a_document_takes_its_vectors_with_it(opened, server, schema):
    async with opened() as memory:
        await memory.upsert([doc("a", "alpha"), doc("b", "beta")])
        await memory.flush(vectors=True)
        await memory.delete(("notes",), ["a", "b"])
        await memory.flush(vectors=True)
    for table in ("vectors", "embed_queue"):
        assert server.execute(f"SELECT count(*) FROM {schema}.{table}") == [(0,)]


async def test_what_no_gateway_had_for_a_week_goes(opened, server, schema):
    async with opened(Counting("old")) as memory:
        await memory.upsert([doc("a", "alpha")])
        await memory.flush(vectors=True)
    counted = f"SELECT count(*) FROM {schema}.spaces"
    async with opened(Counting("new")) as memory:
        await memory.flush(vectors=True)
        assert server.execute(counted) == [(2,)]
    server.execute(f"UPDATE {schema}.spaces SET seen = now() - interval '8 days' WHERE identity LIKE '%old%'")
    async with opened(Counting("new")) as memory:
        await memory.upsert([doc("b", "beta")])
        await memory.flush(vectors=True)
        server.wait_for_none(f"SELECT count(*) FROM {schema}.spaces WHERE identity LIKE '%old%'")
        page = await memory.search(asking("alpha", mode=SearchMode.VECTOR))
        assert ids(page) == ["a"]


async def test_behind_a_filter_the_index_goes_on_until_the_page_is_full(opened, server, schema, monkeypatch):
    monkeypatch.setattr(vector_rows, "INDEXED_FROM", 500)
    async with opened() as memory:
        await memory.upsert([doc(f"d{n}", f"gold word{n} word{n % 7}", tags={f"part{n % 20}"}) for n in range(600)])
        await memory.flush(vectors=True)
        # The round that saw that all are there builds it.
        server.wait_for_none(f"SELECT count(*) FROM {schema}.spaces WHERE NOT indexed")
        query = asking("gold word3", mode=SearchMode.VECTOR, filter=Eq("tags", "part3"), limit=10)
        page = await memory.search(query)
        assert (len(page.hits), ids(page)[0]) == (10, "d3")
    found = _both_ways(server, schema, query)
    assert len(found[0]) == len(found[1]) == 30
    assert len({*found[0][:10]} & {*found[1][:10]}) >= 9


def _both_ways(server: Server, schema: str, query: Query) -> list[list[int]]:
    """Ask the leg of meaning by the index, and by measuring everything."""
    embedder = Counting()
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f"SET search_path = {schema}")
        space = vector_rows.find(connection, embedder.identity)
        assert space is not None
        (vector,) = embedder.vectors([query.text])
        near = Near(space, find_extension(connection, schema), vector, least=-1.0)
        found = []
        for measured in (0, 1_000):
            with snapshot(connection):
                leg = attrs.evolve(near, measured=measured)
                found.append([rid for rid, _ in leg.top(connection, Search.prepare(query, 1).condition, 100)])
    return found


async def test_texts_that_were_there_before_get_their_vectors(memory, opened):
    await memory.upsert([doc("a", "alpha")])
    async with opened() as hybrid:
        await hybrid.flush(vectors=True)
        assert ids(await hybrid.search(asking("alpha", mode=SearchMode.VECTOR))) == ["a"]
        # A gateway that knows of no vectors writes on.
        await memory.upsert([doc("b", "beta")])
        await hybrid.flush(vectors=True)
        assert ids(await hybrid.search(asking("beta", mode=SearchMode.VECTOR))) == ["b"]
        assert (await hybrid.stats()).details["vectors"] == 2


@pytest.fixture
def poor(server: Server) -> Iterator[Target]:
    """A database whose owner may not make the extension."""
    name = f"poor{uuid4().hex[:8]}"
    server.execute(f"CREATE ROLE {name} LOGIN")
    server.execute(f"CREATE DATABASE {name} OWNER {name}")
    yield Target(dsn=Secret(f"host={server.folder} user={name} dbname={name}"), schema="poor")
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.execute(f"DROP ROLE {name}")


async def test_without_the_extension_it_goes_by_words_and_says_why(opened, poor):
    async with opened(to=poor) as memory:
        await memory.upsert([doc("a", "alpha")])
        page = await memory.search(asking("alpha"))
        assert (ids(page), page.mode_used) == (["a"], SearchMode.LEXICAL)
        (reason,) = page.degraded
        assert reason.startswith("vectors: this database has no extension vector: permission denied")
        assert (memory.health().status, memory.health().reasons) == (HealthStatus.DEGRADED, (reason,))
        with pytest.raises(StorageUnavailable, match="no extension"):
            await memory.flush(vectors=True)
        assert [step.done async for step in memory.reindex()] == [1]


async def test_without_an_embedder_no_vectors_are_declared(tmp_path, clock):
    async with open_postgres(tmp_path, clock) as memory:
        with pytest.raises(UnsupportedCapability):
            await memory.search(asking("alpha", mode=SearchMode.VECTOR))
