"""The memory slot changes hands, A to B to A, while it is searched and written to: nothing fails, nothing is lost."""

from __future__ import annotations

import anyio
import anyio.to_thread
import pytest

from gatehook.cli.client import Client
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from tests.orders.conftest import eventually

pytestmark = pytest.mark.anyio

EVERYTHING = NamespaceSelector.everything()
WRITERS = 4
SEARCHERS = 8
LEAST = 40
#: Seconds that anything here may take on a machine with much else to do: a search that has no time left fails.
PATIENCE = 60.0


def note(id_, text):
    return MemoryDoc(id=id_, text=text, namespace=("slot",), ts=1, kind="owner" if id_ == "owner" else "note")


@pytest.fixture(params=["sqlite_fts", "hybrid_embeddings", "tantivy"])
def config(request, tmp_path):
    """Two memories: by words, and what the parameter says."""
    hashing = {"embedder": {"type": "hashing"}} if request.param == "hybrid_embeddings" else {}
    entries = {
        "a": {"plugin": "sqlite_fts", "config": {"path": str(tmp_path / "a.sqlite")}},
        "b": {"plugin": request.param, "config": {"path": str(tmp_path / "b.sqlite"), **hashing}},
    }
    return {"plugins": {"slots": {"memory": "a"}, "entries": entries}}


class Traffic:
    """Searches and writes until it is told to end; knows what was asked and what was acknowledged."""

    def __init__(self, memory):
        self.memory = memory
        self.written = set()
        self.answers = []
        self.ended = False

    async def write(self, number):
        count = 0
        while not self.ended:
            id_ = f"w{number}-{count}"
            report = await self.memory.upsert([note(id_, f"written {id_}")])
            assert report.inserted == (id_,)
            self.written.add(id_)
            count += 1

    async def search(self):
        query = Query(text="owner", namespaces=(EVERYTHING,), filter=Eq("kind", "owner"), timeout=PATIENCE)
        while not self.ended:
            page = await self.memory.search(query)
            self.answers.append([hit.stored.doc.text for hit in page.hits])

    async def until_more(self):
        """Wait until some more of both was done."""
        written, answered = len(self.written) + LEAST, len(self.answers) + LEAST
        await eventually(lambda: len(self.written) >= written and len(self.answers) >= answered, PATIENCE)


async def test_nothing_fails_and_nothing_is_lost_while_the_slot_changes_hands(gateway, config):
    async with gateway(config) as running:
        host = running.host
        client = Client(host.config.gateway.data_dir)
        for name in ("a", "b"):
            async with host.memory_beside(name) as memory:
                await memory.upsert([note("owner", f"owner {name}")])
        traffic = Traffic(host.memory())
        async with anyio.create_task_group() as tasks:
            for number in range(WRITERS):
                tasks.start_soon(traffic.write, number)
            for _ in range(SEARCHERS):
                tasks.start_soon(traffic.search)
            for name in ("b", "a", "b", "a"):
                await traffic.until_more()
                call = {"slot": "memory", "entry": name}
                await anyio.to_thread.run_sync(lambda call=call: client.call("slots.use", call, timeout=PATIENCE))
            await traffic.until_more()
            traffic.ended = True
        assert {tuple(answer) for answer in traffic.answers} == {("owner a",), ("owner b",)}
        assert len(traffic.answers) > 200
        found = []
        for name in ("a", "b"):
            async with host.memory_beside(name) as memory:
                found.append({one.doc.id async for one in memory.scan(EVERYTHING)} - {"owner"})
    assert found[0] | found[1] == traffic.written
    assert not found[0] & found[1]
    assert found[0]
    assert found[1]


async def test_a_move_with_traffic_ends_with_everything_in_the_one_that_took_the_slot(gateway, config):
    async with gateway(config) as running:
        host = running.host
        client = Client(host.config.gateway.data_dir)
        await host.memory().upsert([note("owner", "owner")] + [note(f"d{n}", f"before {n}") for n in range(300)])
        traffic = Traffic(host.memory())

        def move():
            params = {"source": "a", "target": "b", "use": True}
            return list(client.stream("memory.migrate", params))

        async with anyio.create_task_group() as tasks:
            for number in range(WRITERS):
                tasks.start_soon(traffic.write, number)
            tasks.start_soon(traffic.search)
            await traffic.until_more()
            items = await anyio.to_thread.run_sync(move)
            await traffic.until_more()
            traffic.ended = True
        result = items[-1]["result"]
        assert result["inSlot"], result
        assert host.slot("memory") == "b"
        assert all(answer == ["owner"] for answer in traffic.answers)
        there = {one.doc.id async for one in host.memory().scan(EVERYTHING)}
    assert there == traffic.written | {"owner"} | {f"d{n}" for n in range(300)}


@pytest.mark.parametrize("config", ["sqlite_fts", "hybrid_embeddings"], indirect=True)
async def test_two_memories_on_one_file_change_hands_too(gateway, config, tmp_path):
    entries = config["plugins"]["entries"]
    entries["b"]["config"]["path"] = entries["a"]["config"]["path"]
    async with gateway(config) as running:
        host = running.host
        traffic = Traffic(host.memory())
        await host.memory().upsert([note("owner", "owner")])
        async with anyio.create_task_group() as tasks:
            for number in range(WRITERS):
                tasks.start_soon(traffic.write, number)
            for _ in range(SEARCHERS):
                tasks.start_soon(traffic.search)
            for name in ("b", "a", "b"):
                await traffic.until_more()
                await host.use_slot("memory", name)
            await traffic.until_more()
            traffic.ended = True
        assert {tuple(answer) for answer in traffic.answers} == {("owner",)}
        there = {one.doc.id async for one in host.memory().scan(EVERYTHING)}
        assert there == traffic.written | {"owner"}
        await host.memory().flush(vectors=True)
        assert not [reason for reason in host.memory().health().reasons if "only reads" in reason]
