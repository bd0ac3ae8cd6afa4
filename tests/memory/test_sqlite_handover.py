"""Two memories of one process on one file: the second writes when the first has let go, and not before."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids

pytestmark = pytest.mark.anyio


async def test_a_write_waits_until_the_other_has_let_go(path, clock):
    first = await SqliteMemory(path, clock).__aenter__()
    await first.upsert([doc("a")])
    async with SqliteMemory(path, clock) as second:
        assert second.health().status is HealthStatus.DEGRADED
        assert ids(await find(second, "plain")) == ["a"]
        async with anyio.create_task_group() as tasks:
            for name in ("b", "c"):
                tasks.start_soon(second.upsert, [doc(name)])
            await anyio.lowlevel.checkpoint()
            await first.upsert([doc("a", "changed")])
            await first.__aexit__(None, None, None)
        assert second.health().status is HealthStatus.OK
        assert sorted(ids(await find(second))) == ["a", "b", "c"]


async def test_a_memory_that_is_closed_while_it_waits_says_so(path, clock):
    async with SqliteMemory(path, clock):
        second = await SqliteMemory(path, clock).__aenter__()
        async with anyio.create_task_group() as tasks:

            async def write():
                with pytest.raises(Closed):
                    await second.upsert([doc("b")])

            tasks.start_soon(write)
            await anyio.lowlevel.checkpoint()
            await second.__aexit__(None, None, None)


async def test_it_does_not_wait_for_ever(path, clock, monkeypatch):
    monkeypatch.setattr("gatehook.memory.sqlite.backend._HANDOVER_SECONDS", 0.0)
    async with SqliteMemory(path, clock), SqliteMemory(path, clock) as second:
        with pytest.raises(StorageUnavailable, match="this one only reads"):
            await second.upsert([doc("b")])


async def test_a_cancelled_wait_leaves_no_lock_behind(path, clock):
    first = await SqliteMemory(path, clock).__aenter__()
    async with SqliteMemory(path, clock) as second:
        with anyio.move_on_after(0.03):
            await second.upsert([doc("b")])
        await first.__aexit__(None, None, None)
        assert (await second.upsert([doc("c")])).inserted == ("c",)
    async with SqliteMemory(path, clock) as third:
        assert (await third.upsert([doc("d")])).inserted == ("d",)
