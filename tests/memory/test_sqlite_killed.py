"""SIGKILL in the middle of a batch, of maintaining, of a reindex: the file opens, is whole, and lacks nothing that was
acknowledged. ``GATEHOOK_KILLS`` asks for more rounds.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from contextlib import closing
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.memory import MemoryDoc
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.testing import memory_probes as probes

pytestmark = pytest.mark.anyio

KILLS = int(os.environ.get("GATEHOOK_KILLS", "3"))
NS = ("kill",)


@asynccontextmanager
async def opening(directory: Path, clock: SystemClock):
    """Open the memory, and write batches while the task that a file of the directory names runs beside them."""
    async with SqliteMemory(directory / "memory.sqlite", clock) as memory, anyio.create_task_group() as tasks:
        tasks.start_soon(write, memory)
        tasks.start_soon(TASKS[(directory / "task").read_text()], memory)
        yield memory


async def write(memory: SqliteMemory) -> None:
    run = random.randrange(1 << 60)
    for number in range(1_000_000):
        docs = [MemoryDoc(id=f"{run}-{number}-{n}", text=f"survivor {n}", namespace=NS, ts=n) for n in range(20)]
        await memory.upsert(docs)
        sys.stdout.write("".join(f"{one.id}\n" for one in docs))
        sys.stdout.flush()


async def nothing(memory: SqliteMemory) -> None:
    return


async def maintain(memory: SqliteMemory) -> None:
    while True:
        await memory.maintain(1.0)


async def reindex(memory: SqliteMemory) -> None:
    while True:
        async for _ in memory.reindex():
            pass


TASKS: dict[str, Callable[[SqliteMemory], object]] = {"batch": nothing, "maintain": maintain, "reindex": reindex}


def check_file(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as bare:
        assert bare.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        bare.execute("INSERT INTO fts(fts, rank) VALUES ('integrity-check', 1)")
        counts = "SELECT (SELECT count(*) FROM docs), (SELECT count(*) FROM fts_docsize)"
        docs, indexed = bare.execute(counts).fetchone()
        assert docs == indexed


@pytest.mark.parametrize("task", list(TASKS))
async def test_sigkill_loses_nothing_and_leaves_a_whole_file(tmp_path: Path, task: str) -> None:
    rng, acknowledged, path = random.Random(task), set[str](), tmp_path / "memory.sqlite"
    for _ in range(KILLS):
        (tmp_path / "task").write_text(task)
        with probes.child(opening, probes.write_until_killed, tmp_path) as process:
            lines = [await anyio.to_thread.run_sync(process.stdout.readline) for _ in range(rng.randrange(1, 2_000))]
            process.kill()
            lines += await anyio.to_thread.run_sync(process.stdout.readlines)
        acknowledged |= {line.strip() for line in lines if line.endswith("\n")}
        async with SqliteMemory(path, SystemClock()) as memory:
            assert None not in await memory.get(NS, sorted(acknowledged))
        check_file(path)
    async with SqliteMemory(path, SystemClock()) as memory:
        async for _ in memory.reindex():
            pass
        await memory.maintain(60.0)
    check_file(path)
