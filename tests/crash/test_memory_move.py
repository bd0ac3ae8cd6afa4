"""A move of a memory that is killed in its middle goes on where it was, and ends with everything on the other side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import anyio
import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.memory import MemoryDoc
from gatehook.memory.sqlite.backend import SqliteMemory

DOCUMENTS = int(os.environ.get("GATEHOOK_MOVE_DOCUMENTS", "2000"))
KILLS = int(os.environ.get("GATEHOOK_MOVE_KILLS", "2"))
DEADLINE = 60


@pytest.fixture
def migrate(tmp_path):
    """Start `gatehook memory migrate a b` in a process of its own."""
    slots = f'[gateway]\ndata_dir = "{tmp_path / "data"}"\n[plugins.slots]\nmemory = "a"\n'
    entries = (
        f'[plugins.entries.{name}]\nplugin = "sqlite_fts"\nconfig = {{ path = "{tmp_path / name}.sqlite" }}\n'
        for name in ("a", "b")
    )
    config = tmp_path / "gatehook.toml"
    config.write_text(slots + "".join(entries))

    def start():
        words = ["memory", "migrate", "a", "b", "--json", "--config", str(config)]
        return subprocess.Popen([sys.executable, "-m", "gatehook", *words], stdout=subprocess.PIPE, text=True)

    return start


async def fill(path):
    async with SqliteMemory(path, SystemClock()) as memory:
        for start in range(0, DOCUMENTS, 500):
            numbers = range(start, min(start + 500, DOCUMENTS))
            await memory.upsert(
                [MemoryDoc(id=f"d{n}", text=f"note {n}", namespace=(f"n{n % 7}",), ts=n) for n in numbers]
            )


def copied(state):
    try:
        return json.loads(state.read_text())["copied"]
    except (OSError, ValueError):
        return 0


def test_a_move_survives_its_process(tmp_path, migrate):
    anyio.run(fill, tmp_path / "a.sqlite")
    state = tmp_path / "data" / "moves" / "a--b.json"
    before = 0
    for _ in range(KILLS):
        process = migrate()
        end = time.monotonic() + DEADLINE
        while process.poll() is None and copied(state) <= before:
            assert time.monotonic() < end
        process.kill()
        process.communicate()
        assert copied(state) >= before
        before = copied(state)
    assert before > 0
    process = migrate()
    out, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    parity = json.loads(out)["parity"]
    assert parity["holds"]
    assert parity["documents"] == DOCUMENTS
    assert not state.exists()
