"""The memory statements, for a second memory that shares no storage code with the first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gatehook.context import Clock
from gatehook.kinds.memory import MemoryBackend
from gatehook.testing.memory_suite import MemorySuite
from tests.memory.dict_backend.plugin import DictMemory


@asynccontextmanager
async def open_dict(directory: Path, clock: Clock) -> AsyncIterator[MemoryBackend]:
    async with DictMemory(clock) as memory:
        yield memory


class TestDictBackend(MemorySuite):
    opener = staticmethod(open_dict)
    manifest = Path(__file__).parent / "dict_backend" / "plugin.json"
