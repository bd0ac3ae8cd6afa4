"""What the tests of the file have: a memory over it, opened without a host, and connections to look behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from collections.abc import Iterator
from pathlib import Path

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
