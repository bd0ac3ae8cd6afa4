"""Several gateways write to one memory."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from gatehook.kinds.errors import Conflict
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.postgres.target import Target
from gatehook.testing import memory_probes as probes
from gatehook.testing.memory_probes import SetClock
from tests.memory.postgres.opening import open_postgres

pytestmark = pytest.mark.anyio

ALL = (NamespaceSelector.everything(),)


def doc(id_: str, text: str = "shared words", *namespace: str) -> MemoryDoc:
    return MemoryDoc(id=id_, text=text, namespace=namespace or ("n",), ts=1)


async def test_gateways_that_start_at_once_make_the_schema_once(target: Target, clock: SetClock) -> None:
    memories = [PostgresMemory(target, clock) for _ in range(4)]
    async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
        for memory in memories:
            tasks.start_soon(stack.enter_async_context, memory)
    async with PostgresMemory(target, clock) as memory:
        assert (await memory.stats()).documents == 0


async def test_of_writers_that_expect_the_same_revision_one_wins(target: Target, clock: SetClock) -> None:
    async with PostgresMemory(target, clock) as one, PostgresMemory(target, clock) as other:
        await one.upsert([doc("a", "zero")])
        won: list[str] = []

        async def write(memory: PostgresMemory, name: str, revision: int) -> None:
            try:
                await memory.upsert([doc("a", f"text {name}")], if_revision={"a": revision})
            except Conflict:
                return
            won.append(name)

        for revision in range(1, 6):
            async with anyio.create_task_group() as tasks:
                for number, memory in enumerate((one, other) * 3):
                    tasks.start_soon(write, memory, f"{revision}-{number}", revision)
        assert [name.split("-")[0] for name in won] == ["1", "2", "3", "4", "5"]
        (stored,) = await one.get(("n",), ["a"])
        assert stored is not None
        assert (stored.revision, stored.doc.text) == (6, f"text {won[-1]}")


async def test_batches_that_overlap_in_opposite_orders_wait_for_each_other(target: Target, clock: SetClock) -> None:
    spaces = [f"s{number}" for number in range(20)]
    forth = [doc(f"d{number}", "forth", space) for space in spaces for number in range(3)]
    back = [doc(one.id, "back", *one.namespace) for one in reversed(forth)]
    async with PostgresMemory(target, clock) as one, PostgresMemory(target, clock) as other:
        with anyio.fail_after(30):
            for _ in range(5):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(one.upsert, forth)
                    tasks.start_soon(other.upsert, back)
                    tasks.start_soon(one.delete, ("s3",), ["d1"])
                    tasks.start_soon(other.delete, ("s17",), ["d2"])
        assert {(await one.get((space,), ["d0"]))[0] is None for space in spaces} == {False}


async def test_upserts_that_wait_together_are_judged_each_alone(memory: PostgresMemory) -> None:
    await memory.upsert([doc("a", "zero")])
    caught: list[str] = []

    async def write(text: str, revision: int) -> None:
        try:
            await memory.upsert([doc("a", text), doc(f"with-{text}")], if_revision={"a": revision})
        except Conflict:
            caught.append(text)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(memory.upsert, [doc("holds the turn")])
        for text, revision in (("one", 1), ("stale", 1), ("two", 2), ("three", 3)):
            tasks.start_soon(write, text, revision)
            await anyio.wait_all_tasks_blocked()
    assert caught == ["stale"]
    found = await memory.get(("n",), ["a", "with-one", "with-stale", "with-two", "with-three"])
    assert [one and one.revision for one in found] == [4, 1, None, 1, 1]


async def test_31_a_gateway_that_is_killed_while_another_writes_harms_nothing(
    tmp_path: Path, clock: SetClock, memory: PostgresMemory
) -> None:
    with probes.child(open_postgres, probes.write_until_killed, tmp_path) as process:
        said = [await anyio.to_thread.run_sync(process.stdout.readline) for _ in range(20)]
        for number in range(20):
            await memory.upsert([doc(f"mine{number}", "mine")])
        process.kill()
        said += await anyio.to_thread.run_sync(process.stdout.readlines)
    acknowledged = [line.strip() for line in said if line.endswith("\n")]
    assert None not in await memory.get(("kill",), acknowledged)
    found = await memory.search(Query(text="mine", namespaces=ALL, limit=30, timeout=20))
    assert len(found.hits) == 20
    await memory.upsert([doc("after", "after the kill", "kill")])
