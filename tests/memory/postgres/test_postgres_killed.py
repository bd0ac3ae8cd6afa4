"""SIGKILL of a gateway in the middle of a batch, of building an index, of a migration, and of the server in the middle
of a batch: what was acknowledged is there, a batch is there or is not, and the next gateway just opens.
``GATEHOOK_KILLS`` asks for more rounds.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import asynccontextmanager
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread
import psycopg
import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.memory.postgres import backend
from gatehook.memory.postgres import vector_rows
from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.postgres.hybrid import PostgresHybridMemory
from gatehook.memory.postgres.schema import STORAGE
from gatehook.memory.postgres.schema import Part
from gatehook.memory.postgres.schema import migrate
from gatehook.memory.postgres.target import Target
from gatehook.memory.vectors import worker
from gatehook.secrets import Secret
from gatehook.testing import memory_probes as probes
from gatehook.testing.memory_probes import SetClock
from tests.memory.postgres.opening import schema_of
from tests.memory.postgres.server import VARIABLE
from tests.memory.postgres.server import Server
from tests.memory.postgres.server import running

pytestmark = pytest.mark.anyio

KILLS = int(os.environ.get("GATEHOOK_KILLS", "2"))
NS = ("kill",)
SIZE = 20
#: Of so many vectors the tests have an index made.
ENOUGH = 40
HERE = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gatehook' AND query LIKE '%{what}%'"


def target_in(directory: Path) -> Target:
    return Target(dsn=Secret(os.environ[VARIABLE]), schema=schema_of(directory))


def batch(name: str) -> list[MemoryDoc]:
    return [MemoryDoc(id=f"{name}-{n}", text=f"survivor {n}", namespace=NS, ts=n) for n in range(SIZE)]


async def write(memory: PostgresMemory, said: Callable[[str], object]) -> None:
    """Write batches for ever, and say the name of each that is acknowledged."""
    run = f"{random.randrange(1 << 60):x}"
    for number in range(1_000_000):
        await memory.upsert(batch(f"{run}:{number}"))
        said(f"{run}:{number}")


def check_whole(server: Server, schema: str, acknowledged: set[str]) -> None:
    """Find every batch that was acknowledged, none in part, and the counts as they are."""
    rows = server.execute(f"SELECT id FROM {schema}.docs WHERE id LIKE '%:%'")
    found = Counter(str(id_).split("-")[0] for (id_,) in rows)
    assert set(found.values()) <= {SIZE}
    assert acknowledged <= set(found)
    counts = f"SELECT (SELECT count(*) FROM {schema}.docs), (SELECT sum(documents) FROM {schema}.totals)"
    [(docs, counted)] = server.execute(counts)
    assert docs == counted


@asynccontextmanager
async def writing(directory: Path, clock: SystemClock) -> AsyncIterator[PostgresMemory]:
    async with PostgresMemory(target_in(directory), clock) as memory, anyio.create_task_group() as tasks:
        tasks.start_soon(write, memory, _say)
        tasks.start_soon(write, memory, _say)
        yield memory


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def test_a_gateway_killed_in_the_middle_of_a_batch(tmp_path: Path, server: Server, schema: str) -> None:
    rng, acknowledged = random.Random(7), set[str]()
    for _ in range(KILLS):
        with probes.child(writing, probes.write_until_killed, tmp_path) as process:
            lines = [await anyio.to_thread.run_sync(process.stdout.readline) for _ in range(rng.randrange(1, 200))]
            process.kill()
            lines += await anyio.to_thread.run_sync(process.stdout.readlines)
        acknowledged |= {line.strip() for line in lines if line.endswith("\n") and ":" in line}
        async with PostgresMemory(target_in(tmp_path), SystemClock()) as memory:
            assert (await memory.upsert(batch("again"))).rejected == ()
        check_whole(server, schema, acknowledged)


class Behind(HashingEmbedder):
    """Is slower than those who write: some text always waits."""

    async def embed(self, texts, kind="document"):
        await anyio.sleep(0.2)
        return await super().embed(texts, kind)


@asynccontextmanager
async def with_vectors(
    directory: Path, clock: SystemClock, embedder: type[HashingEmbedder] = HashingEmbedder
) -> AsyncIterator[PostgresHybridMemory]:
    async with (
        anyio.create_task_group() as tasks,
        PostgresHybridMemory(
            target_in(directory),
            clock,
            embedder=lambda: embedder(64, "words"),
            tasks=lambda: tasks,
            report=lambda _: None,
        ) as memory,
    ):
        yield memory


@asynccontextmanager
async def indexing(directory: Path, clock: SystemClock) -> AsyncIterator[PostgresHybridMemory]:
    vector_rows.INDEXED_FROM, worker.COUNTED = ENOUGH, 2
    async with with_vectors(directory, clock, Behind) as memory:
        yield memory


async def test_a_gateway_killed_while_an_index_is_built(
    tmp_path: Path, server: Server, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with with_vectors(tmp_path, SystemClock()) as memory:
        await memory.upsert([MemoryDoc(id=f"d{n}", text=f"before {n}", namespace=NS, ts=n) for n in range(ENOUGH // 2)])
        await memory.flush(vectors=True)
    valid = (
        "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE n.nspname = '{schema}' AND c.relname LIKE 'vectors_near%'"
    )
    with psycopg.connect(server.dsn) as other:
        # It is begun, and waits for whoever may still write by what was known before.
        other.execute(f"LOCK TABLE {schema}.vectors IN ROW EXCLUSIVE MODE".encode())
        with probes.child(indexing, probes.write_until_killed, tmp_path) as process:
            await _wait_for(lambda: process.poll() is not None or server.execute(valid) == [(False,)])
            assert process.poll() is None
            process.kill()
        await anyio.to_thread.run_sync(server.wait_for_none, HERE.format(what="CREATE INDEX"))
    assert server.execute(valid) == [(False,)]
    monkeypatch.setattr(vector_rows, "INDEXED_FROM", ENOUGH)
    async with with_vectors(tmp_path, SystemClock()) as memory:
        unfinished = f"SELECT count(*) FROM {schema}.spaces WHERE NOT indexed"
        await anyio.to_thread.run_sync(server.wait_for_none, unfinished)
        assert server.execute(valid) == [(True,)]
        await memory.flush(vectors=True)
        query = Query(
            text="before 7", namespaces=(NamespaceSelector.everything(),), mode=SearchMode.VECTOR, timeout=20.0
        )
        page = await memory.search(query)
        assert (page.hits[0].stored.doc.id, page.mode_used) == ("d7", SearchMode.VECTOR)


@asynccontextmanager
async def migrating(directory: Path, clock: SystemClock) -> AsyncIterator[PostgresMemory]:
    """Open a memory of the next release, whose migration takes long."""
    step = ("ALTER TABLE docs ADD COLUMN later text", "UPDATE docs SET later = id", "SELECT pg_sleep(600)")
    parts = (Part(STORAGE.name, (*STORAGE.steps, step)),)
    backend.migrate = lambda connection, schema, lock: migrate(connection, schema, lock, parts)
    async with PostgresMemory(target_in(directory), clock) as memory:
        yield memory


@pytest.mark.parametrize("filled", [True, False], ids=["an-older-version", "nothing"])
async def test_a_gateway_killed_in_the_middle_of_a_migration(
    tmp_path: Path, server: Server, schema: str, filled: bool
) -> None:
    if filled:
        async with PostgresMemory(target_in(tmp_path), SystemClock()) as memory:
            await memory.upsert(batch("before:0"))
    sleeping = HERE.format(what="pg_sleep")
    with probes.child(migrating, probes.write_until_killed, tmp_path) as process:
        await _wait_for(lambda: process.poll() is not None or server.execute(sleeping) != [(0,)])
        assert process.poll() is None
        process.kill()
    await anyio.to_thread.run_sync(server.wait_for_none, sleeping)
    if not filled:
        assert server.execute(f"SELECT to_regclass('{schema}.docs')") == [(None,)]
    async with PostgresMemory(target_in(tmp_path), SystemClock()) as memory:
        await memory.upsert(batch("after:0"))
    assert server.execute(f"SELECT version FROM {schema}.parts") == [(len(STORAGE.steps),)]
    check_whole(server, schema, {"before:0", "after:0"} if filled else {"after:0"})


@pytest.fixture
def own(server: Server) -> Iterator[Server]:
    """Give a server that a test may kill."""
    with running() as own:
        yield own


@pytest.mark.parametrize("victim", ["server", "backend"])
async def test_the_server_killed_in_the_middle_of_a_batch(own: Server, victim: str) -> None:
    rng, acknowledged = random.Random(victim), set[str]()
    async with PostgresMemory(Target(dsn=Secret(own.dsn)), SetClock()) as memory:
        for _ in range(KILLS):
            wanted, enough = len(acknowledged) + rng.randrange(2, 40), anyio.Event()

            def said(name: str, wanted: int = wanted, enough: anyio.Event = enough) -> None:
                acknowledged.add(name)
                if len(acknowledged) >= wanted:
                    enough.set()

            async def until_it_fails(said: Callable[[str], object] = said) -> None:
                with suppress(NotConnected, Ambiguous):
                    await write(memory, said)

            starts = _starts(own)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(until_it_fails)
                tasks.start_soon(until_it_fails)
                await enough.wait()
                await anyio.to_thread.run_sync(_kill, own, victim)
                await _wait_for(lambda starts=starts: _starts(own) > starts)
                tasks.cancel_scope.cancel()
            await memory.upsert(batch("again"))
            check_whole(own, "gatehook", acknowledged)


async def _wait_for(happened: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    with anyio.fail_after(60):
        while not await anyio.to_thread.run_sync(happened):  # noqa: ASYNC110  it has no way to tell
            await anyio.sleep(0.02)


def _starts(server: Server) -> int:
    """Count how often the server became ready, recovered or new."""
    return (server.folder / "log").read_text().count("ready to accept connections")


def _kill(server: Server, victim: str) -> None:
    """Kill the server and start it again; or a process of it, upon which it ends all others and recovers."""
    if victim == "server":
        server.crash()
        server.start()
        return
    busy = "SELECT pid FROM pg_stat_activity WHERE application_name = 'gatehook' ORDER BY state = 'idle' LIMIT 1"
    [(pid,)] = server.execute(busy)
    os.kill(int(str(pid)), signal.SIGKILL)
