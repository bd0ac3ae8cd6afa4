"""The server goes away and comes back, hangs, or ends a connection; nothing that was acknowledged is lost."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import psycopg
import pytest

from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.postgres.connections import Pool
from gatehook.memory.postgres.target import Target
from gatehook.secrets import Secret
from gatehook.testing.hosting import HostMaker
from gatehook.testing.memory_probes import SetClock
from tests.memory.conftest import LateThreads
from tests.memory.postgres.server import Server
from tests.memory.postgres.server import running

pytestmark = pytest.mark.anyio

NS = ("n",)
HELLO = Query(text="hello", namespaces=(NamespaceSelector.everything(),), timeout=20)
#: How many connections of ours the server has.
OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gatehook'"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def own(server: Server) -> Iterator[Server]:
    """Give a server that a test may kill."""
    with running() as own:
        yield own


def doc(id_: str, text: str = "hello") -> MemoryDoc:
    return MemoryDoc(id=id_, text=text, namespace=NS, ts=1)


def target_of(server: Server, **settings: object) -> Target:
    return Target(dsn=Secret(server.dsn), **settings)


async def ids(memory: PostgresMemory, query: Query = HELLO) -> list[str]:
    return sorted(hit.stored.doc.id for hit in (await memory.search(query)).hits)


async def test_31_a_server_that_was_killed_is_met_again_with_all_that_was_acknowledged(own: Server) -> None:
    async with PostgresMemory(target_of(own), SetClock()) as memory:
        for number in range(20):
            await memory.upsert([doc(f"d{number:02}")])
        own.crash()
        for call in (partial(memory.search, HELLO), partial(memory.upsert, [doc("lost")]), memory.stats):
            with pytest.raises(NotConnected):
                await call()
            assert memory.health().status is HealthStatus.DOWN
            assert memory.health().reasons[0]
        await anyio.to_thread.run_sync(own.start)
        assert await ids(memory, Query(text="hello", namespaces=HELLO.namespaces, limit=50)) == [
            f"d{number:02}" for number in range(20)
        ]
        assert memory.health().status is HealthStatus.OK
        await memory.upsert([doc("after")])


async def test_31_a_reindex_that_the_server_did_not_survive_is_asked_again(own: Server) -> None:
    async with PostgresMemory(target_of(own), SetClock()) as memory:
        await memory.upsert([doc(f"d{number:03}", f"hello word{number}") for number in range(450)])
        own.execute("UPDATE gatehook.docs SET lexemes = ''")
        progress = memory.reindex()
        assert (await anext(progress)).done == 200
        own.crash()
        with pytest.raises(NotConnected):
            await anext(progress)
        await anyio.to_thread.run_sync(own.start)
        assert await ids(memory, Query(text="word7", namespaces=HELLO.namespaces, timeout=20)) == ["d007"]
        assert [one.done async for one in memory.reindex()] == [200, 400, 450]
        assert await ids(memory, Query(text="word444", namespaces=HELLO.namespaces, timeout=20)) == ["d444"]


async def test_connections_that_the_server_ended_are_not_noticed(memory: PostgresMemory, server: Server) -> None:
    await memory.upsert([doc("a")])
    await ids(memory)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatehook'"
    assert server.execute(end)
    assert await ids(memory) == ["a"]
    server.execute(end)
    assert (await memory.upsert([doc("b")])).inserted == ("b",)


async def test_a_search_that_hangs_ends_at_its_deadline_and_is_ended_on_the_server(
    memory: PostgresMemory, server: Server, schema: str
) -> None:
    await memory.upsert([doc("a")])
    with psycopg.connect(server.dsn) as other:
        other.execute(f"LOCK TABLE {schema}.docs IN ACCESS EXCLUSIVE MODE".encode())
        with pytest.raises(TimeoutError):
            await memory.search(Query(text="hello", namespaces=HELLO.namespaces, timeout=0.2))
        with anyio.move_on_after(0.1) as scope:
            await memory.search(HELLO)
        assert scope.cancelled_caught
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{schema}.docs'::regclass"
        await anyio.to_thread.run_sync(server.wait_for_none, waiting.format(schema=schema))
    assert await ids(memory) == ["a"]


async def test_a_write_that_hangs_says_that_nobody_knows(server: Server, schema: str, clock: SetClock) -> None:
    async with PostgresMemory(target_of(server, schema=schema, timeout=1.0), clock) as memory:
        await memory.upsert([doc("a")])
        with psycopg.connect(server.dsn) as other:
            other.execute(f"LOCK TABLE {schema}.docs IN ACCESS EXCLUSIVE MODE".encode())
            with pytest.raises((Ambiguous, TimeoutError)):
                await memory.upsert([doc("b")])
            with pytest.raises(TimeoutError):
                await memory.get(NS, ["a"])
            assert memory.health().status is HealthStatus.DOWN
        assert (await memory.upsert([doc("b")])).inserted == ("b",)


async def test_a_write_that_is_given_up_while_it_waits_for_its_turn_does_not_happen(
    memory: PostgresMemory, server: Server, schema: str
) -> None:
    await memory.upsert([doc("a")])
    with psycopg.connect(server.dsn) as other:
        other.execute(f"LOCK TABLE {schema}.docs IN ACCESS EXCLUSIVE MODE".encode())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(memory.upsert, [doc("first")])
            await anyio.wait_all_tasks_blocked()
            with anyio.move_on_after(0.05) as scope:
                await memory.upsert([doc("second")])
            other.rollback()
        assert scope.cancelled_caught
    assert await ids(memory) == ["a", "first"]


async def test_33_after_closing_every_method_raises_closed(target: Target, clock: SetClock) -> None:
    memory = PostgresMemory(target, clock)
    async with memory:
        await memory.upsert([doc("a")])
    await memory.__aexit__(None, None, None)
    for call in (
        memory.upsert([doc("a")]),
        memory.get(NS, ["a"]),
        memory.delete(NS, ["a"]),
        memory.search(HELLO),
        memory.stats(),
        memory.namespaces(),
        memory.maintain(1.0),
    ):
        with pytest.raises(Closed):
            await call


async def test_no_connection_stays_behind(target: Target, clock: SetClock, server: Server) -> None:
    async with PostgresMemory(target, clock) as memory, anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(memory.search, HELLO)
    await anyio.to_thread.run_sync(server.wait_for_none, OURS)


async def test_a_call_that_was_given_up_before_it_began_leaves_no_connection(
    target: Target, server: Server, late_threads: LateThreads
) -> None:
    pool, threads = Pool(target), anyio.CapacityLimiter(1)
    await late_threads.give_up(lambda: pool.use(lambda connection: connection.execute("SELECT 1"), 30.0, threads))
    await pool.close(1.0)
    await late_threads.begin()
    await anyio.to_thread.run_sync(server.wait_for_none, OURS)


async def test_a_start_without_a_server_is_tried_again_until_there_is_one(
    own: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_DSN", own.dsn)
    own.kill()
    config = {
        "supervision": {"backoff_base": 0.05, "backoff_cap": 0.2, "quarantine_failures": 1},
        "plugins": {
            "slots": {"memory": "postgres"},
            "deny": ["paper", "simulated", "replay"],
            "entries": {"postgres": {"config": {"dsn": {"env": "POSTGRES_DSN"}}}},
        },
    }
    async with HostMaker(tmp_path)(builtin=True, config=config) as host:
        (status,) = [one for one in host.statuses() if one.entry_id == "postgres"]
        assert status.state in ("backoff", "starting")
        await anyio.to_thread.run_sync(own.start)
        memory = host.memory()
        with anyio.fail_after(20):
            while True:
                if memory.capabilities.durable:
                    break
                await anyio.sleep(0.02)
        assert (await memory.upsert([doc("a")])).inserted == ("a",)
