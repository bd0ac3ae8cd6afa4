"""SIGKILL in the middle of a commit, a merge of segments, another build of the index: nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from gatehook.kinds.memory import NamespaceSelector
from gatehook.memory.tantivy.backend import TantivyMemory
from gatehook.memory.tantivy.filling import builds_of
from gatehook.memory.tantivy.indexer import Pace
from gatehook.testing.memory_probes import SetClock
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids

pytestmark = pytest.mark.anyio

ROUNDS = int(os.environ.get("GATEHOOK_KILLS", "3"))
WRITER = """
import sys, time
from pathlib import Path
import anyio
from gatehook.clocks import SystemClock
from gatehook.kinds.memory import MemoryDoc
from gatehook.memory.tantivy.backend import TantivyMemory
from gatehook.memory.tantivy.indexer import Pace

async def write(memory):
    run = time.time_ns()
    for number in range(1_000_000):
        docs = [MemoryDoc(id=f"{run}-{number}-{n}", text="survivor", namespace=("kill",), ts=n) for n in range(9)]
        # One document is written again and again: the same row, in one commit after the other.
        docs.append(MemoryDoc(id="same", text=f"survivor {run} {number}", namespace=("kill",), ts=1))
        await memory.upsert(docs)
        print(docs[0].id, docs[8].id, "same", flush=True)

async def build(memory):
    while True:
        async for _ in memory.reindex():
            pass

async def main():
    pace = Pace(window=0.01, heap=15_000_000)
    async with anyio.create_task_group() as tasks:
        async with TantivyMemory(Path(sys.argv[1]), SystemClock(), lambda: tasks, pace) as memory:
            tasks.start_soon(write, memory)
            if sys.argv[2] == "building":
                tasks.start_soon(build, memory)
            await anyio.sleep_forever()

anyio.run(main)
"""


@pytest.mark.parametrize("what", ["committing", "building"])
async def test_a_kill_loses_nothing_and_doubles_nothing(tmp_path: Path, what: str) -> None:
    rng, acknowledged = random.Random(what), {"same"}
    path = tmp_path / "memory.sqlite"
    for _ in range(ROUNDS):
        acknowledged |= await anyio.to_thread.run_sync(written_until_killed, path, what, rng.randrange(5, 80))
        async with (
            anyio.create_task_group() as tasks,
            TantivyMemory(path, SetClock(), lambda: tasks, Pace(heap=15_000_000)) as memory,
        ):
            found = await memory.get(("kill",), sorted(acknowledged))
            assert None not in found
            await check_all_found(memory)
            await memory.flush()
            await check_all_found(memory)
            assert sum(1 for _ in builds_of(path).iterdir()) == 1


async def check_all_found(memory: TantivyMemory) -> None:
    documents = [stored.doc async for stored in memory.scan(NamespaceSelector.everything())]
    page = await find(memory, "survivor", limit=len(documents) + 10)
    assert sorted(ids(page)) == sorted(one.id for one in documents)
    assert page.degraded == ()
    [same] = [one for one in documents if one.id == "same"]
    newest = await find(memory, same.text, limit=1)
    assert ids(newest) == ["same"]
    assert newest.hits[0].score > 0.5


def written_until_killed(path: Path, what: str, lines: int) -> set[str]:
    """Let another process write, kill it after some acknowledged writes; return the ids it was told are written."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-c", WRITER, str(path), what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    return {word for line in said if line.endswith("\n") for word in line.split()}
