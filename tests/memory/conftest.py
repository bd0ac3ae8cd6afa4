"""What the tests of the file have: a memory over it, opened without a host, and connections to look behind it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.testing.memory_probes import SetClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.sqlite"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def memory(path: Path, clock: SetClock) -> AsyncIterator[SqliteMemory]:
    async with SqliteMemory(path, clock) as memory:
        yield memory


@pytest.fixture
def bare(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


class LateThreads:
    """Holds up the thread of a call that may be given up, until the test lets it begin."""

    def __init__(self, run):
        self._run = run
        self._may_begin = threading.Event()
        self._ended = threading.Event()
        self.called = anyio.Event()

    async def run_sync(self, function, *args, abandon_on_cancel=False, **options):
        if not abandon_on_cancel:
            return await self._run(function, *args, **options)
        return await self._run(self._late, function, args, abandon_on_cancel=True, **options)

    def _late(self, function, args):
        anyio.from_thread.run_sync(self.called.set)
        assert self._may_begin.wait(30)
        try:
            return function(*args)
        finally:
            self._ended.set()

    async def give_up(self, call):
        """Call, and stop waiting for it before it began."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await self.called.wait()
            tasks.cancel_scope.cancel()

    async def begin(self):
        """Let it begin, and return when it ended."""
        self._may_begin.set()
        assert await self._run(self._ended.wait, 30)


@pytest.fixture
def late_threads(monkeypatch: pytest.MonkeyPatch) -> LateThreads:
    late = LateThreads(anyio.to_thread.run_sync)
    monkeypatch.setattr(anyio.to_thread, "run_sync", late.run_sync)
    return late
