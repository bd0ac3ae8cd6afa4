"""SIGKILL in the middle of making every vector again, and of a change to another embedder: nothing is lost, no vector
of another embedder is taken for one of this, and what waited gets its vector. ``GATEHOOK_KILLS`` asks for more rounds.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextlib import closing
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import MemoryDoc
from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.memory.vectors import bytewise
from gatehook.memory.vectors.hybrid import HybridMemory
from gatehook.testing import memory_probes as probes

pytestmark = pytest.mark.anyio

KILLS = int(os.environ.get("GATEHOOK_KILLS", "2"))
NS = ("kill",)
BEFORE = 200
MIDDLE = "in the middle\n"


class Stuck(HashingEmbedder):
    """Says so and stays there after some more batches, once it is ``armed``."""

    batch = 16

    def __init__(self, model: str, batches: int, *, armed: bool) -> None:
        super().__init__(64, model)
        self.armed = armed
        self._left = batches

    async def embed(self, texts, kind="document"):
        if self.armed:
            if not self._left:
                sys.stdout.write(MIDDLE)
                sys.stdout.flush()
                await anyio.sleep_forever()
            self._left -= 1
        return await super().embed(texts, kind)


@asynccontextmanager
async def opening(directory: Path, clock: SystemClock):
    """Open the memory as the file ``task`` in its directory says, and let it get stuck."""
    task = json.loads((directory / "task").read_text())
    embedder = Stuck(task["model"], task["batches"], armed=not task["reindex"])
    async with opened(directory, embedder) as memory, anyio.create_task_group() as tasks:
        if task["reindex"]:
            tasks.start_soon(reindex, memory, embedder)
        yield memory


async def reindex(memory: HybridMemory, embedder: Stuck) -> None:
    async for _ in memory.reindex(IndexPart.VECTORS):
        embedder.armed = True


@asynccontextmanager
async def opened(directory: Path, embedder: HashingEmbedder) -> AsyncIterator[HybridMemory]:
    async with anyio.create_task_group() as tasks:
        path = directory / "memory.sqlite"
        memory = HybridMemory(path, SystemClock(), embedder=lambda: embedder, tasks=lambda: tasks, report=print)
        async with memory:
            yield memory


def killed_in_the_middle(directory: Path, more: int) -> set[str]:
    """Kill a process that got stuck, some acknowledged writes later; return the ids that it said are written."""
    with probes.child(opening, probes.write_until_killed, directory) as process:
        lines = []
        while MIDDLE not in lines:
            lines.append(process.stdout.readline())
            assert lines[-1], "it ended by itself"
        lines += [process.stdout.readline() for _ in range(more)]
        process.kill()
        lines += process.stdout.readlines()
    return {line.strip() for line in lines if line.endswith("\n") and line != MIDDLE}


def counted(directory: Path) -> tuple[int, int]:
    """Return how many texts have no vector of the embedder in use, and how many have."""
    with closing(sqlite3.connect(directory / "memory.sqlite")) as bare:
        assert bare.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        missing, there = bare.execute(
            "SELECT count(*) FILTER (WHERE v.rid IS NULL), count(v.rid) FROM docs d LEFT JOIN"
            " (SELECT rid FROM vec WHERE space = (SELECT id FROM space WHERE state <> 'left')) v ON v.rid = d.rid"
        ).fetchone()
        return missing, there


def check_each_has_its_own(directory: Path, embedder: HashingEmbedder) -> None:
    """Compare every vector that is searched with what this embedder makes of its text."""
    with closing(sqlite3.connect(directory / "memory.sqlite")) as bare:
        [(space, identity)] = bare.execute("SELECT id, identity FROM space WHERE state = 'active'").fetchall()
        assert identity == embedder.identity.to_json()
        joined = "SELECT d.text, v.e FROM docs d LEFT JOIN vec v ON v.space = ? AND v.rid = d.rid"
        rows = bare.execute(joined, (space,)).fetchall()
        vectors = embedder.vectors([text for text, _ in rows])
        assert [e for _, e in rows] == bytewise.pack([one.astype("<f2").tobytes() for one in vectors])
        assert bare.execute("SELECT count(*) FROM embed_queue").fetchone() == (0,)


@pytest.mark.parametrize("reindexing", [True, False], ids=["reindexing", "switching"])
async def test_a_kill_in_the_middle_of_embedding_anew(tmp_path: Path, reindexing: bool) -> None:
    rng, model = random.Random(reindexing), "first"
    docs = [MemoryDoc(id=f"d{n}", text=f"before {n}", namespace=NS, ts=n) for n in range(BEFORE)]
    acknowledged = {one.id for one in docs}
    async with opened(tmp_path, HashingEmbedder(64, model)) as memory:
        await memory.upsert(docs)
        await memory.flush(vectors=True)
    for round_ in range(KILLS):
        other = model if reindexing else f"another {round_}"
        task = {"model": other, "batches": rng.randrange(1, 6), "reindex": reindexing}
        (tmp_path / "task").write_text(json.dumps(task))
        acknowledged |= await anyio.to_thread.run_sync(killed_in_the_middle, tmp_path, rng.randrange(1, 50))
        missing, there = counted(tmp_path)
        assert missing
        assert there
        # After a switch that was killed, either embedder may be the one that is configured.
        model = rng.choice([model, other])
        embedder = HashingEmbedder(64, model)
        async with opened(tmp_path, embedder) as memory:
            assert None not in await memory.get(NS, sorted(acknowledged))
            await memory.flush(vectors=True)
            assert (await memory.stats()).details["vectors_waiting"] == 0
        check_each_has_its_own(tmp_path, embedder)
