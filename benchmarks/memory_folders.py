"""A folder of Markdown indexed by a gateway, and how far that holds up the event loop, through which orders go."""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from collections.abc import AsyncIterator
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from benchmarks.lateness import lateness
from benchmarks.lateness import quantile
from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.memory_corpus import documents
from gatehook.catalog import Places
from gatehook.catalog import builtin_directory
from gatehook.cli.client import Client
from gatehook.cli.responsive import responsive_loop
from gatehook.gateway import Gateway
from gatehook.host import PluginHost

SECTIONS = 6
IDLE = "the same timer in the same gateway at rest"


def run(quick: bool) -> Iterator[Row]:
    """Index a new folder, look at it again, and index it when every file has changed."""
    with tempfile.TemporaryDirectory() as directory:
        yield from anyio.run(measure, Path(directory), *((20, 0.2) if quick else (2_000, 5.0)))


async def measure(directory: Path, files: int, rest: float) -> list[Row]:
    """Measure with so many files, against so many seconds of rest."""
    rows: list[Row] = []
    notes = directory / "notes"
    notes.mkdir()
    async with running(directory / "data", notes) as client:
        _, idle = await lateness(anyio.sleep(rest))
        _, busy = await lateness(anyio.to_thread.run_sync(hash_for, rest))
        rows += told(f"a thread that only hashes for {rest:.1f} s", busy, idle, limited=False)
        for what, text in (("indexed", "first"), ("looked at, nothing changed", ""), ("indexed again", "second")):
            if text:
                await anyio.to_thread.run_sync(write, notes, files, text)
            begun = time.perf_counter()
            _, late = await lateness(anyio.to_thread.run_sync(index, client))
            took = time.perf_counter() - begun
            rows += told(f"{files:,} files {what}", late, idle, limited=True)
            rows.append(Row(work=f"{files:,} files {what}, files a second", figure=files / took, unit="/s"))
    return rows


@asynccontextmanager
async def running(data: Path, notes: Path) -> AsyncIterator[Client]:
    """Run a gateway with its memory of words and an empty folder."""
    config: dict[str, Any] = {
        "gateway": {"data_dir": data},
        "memory": {"follow_every": 3_600, "folders": [{"path": str(notes)}]},
    }
    host = PluginHost.from_config(config, places=Places(builtin=builtin_directory()))
    async with Gateway(host):
        client = Client(data)
        await anyio.to_thread.run_sync(index, client)
        with responsive_loop():
            yield client


def write(notes: Path, files: int, text: str) -> None:
    """Write notes of some sections of about 500 characters, with front matter."""
    made, _ = documents(random.Random(text), files * SECTIONS, 1)
    for number in range(files):
        sections = (
            f"## Section {at}\n\n{one.text}\n"
            for at, one in enumerate(made[number * SECTIONS : (number + 1) * SECTIONS])
        )
        front = f"---\ntitle: Note {number} {text}\ntags: [n{number % 20}]\ndate: 2024-05-01\n---\n"
        (notes / f"n{number}.md").write_text(front + "\n".join(sections))


def index(client: Client) -> None:
    """Ask the gateway to index; return when it has."""
    for _ in client.stream("memory.index", {"paths": []}):
        pass


def hash_for(seconds: float) -> None:
    """Keep a core busy without the interpreter: what the loop is late then is the machine's."""
    data, until = bytes(10_000_000), time.perf_counter() + seconds
    while time.perf_counter() < until:
        hashlib.sha256(data).digest()


def told(work: str, late: list[float], idle: list[float], *, limited: bool) -> Iterator[Row]:
    """Return how late the loop was; ``limited`` where that has a budget."""
    for name, part in (("p50", 0.5), ("p99", 0.99), ("most", 1.0)):
        figure, other = (quantile(times, part) * 1_000 for times in (late, idle))
        budget = Budget(5, "ms") if limited and part == 0.99 else None
        yield Row(work=f"{work}, loop late, {name}", figure=figure, unit="ms", against=IDLE, other=other, budget=budget)
