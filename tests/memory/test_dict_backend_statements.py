"""The memory statements, for a second memory that shares no storage code with the first, through the real loader."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gatehook.context import Clock
from gatehook.kinds.memory import MemoryBackend
from gatehook.testing.hosting import HostMaker
from gatehook.testing.memory_suite import MemorySuite

PLUGIN = Path(__file__).parent / "dict_backend"


@asynccontextmanager
async def open_dict(directory: Path, clock: Clock) -> AsyncIterator[MemoryBackend]:
    config = {"plugins": {"slots": {"memory": "dict-backend"}}}
    async with HostMaker(directory)(paths=[PLUGIN], clock=clock, config=config) as host:
        yield host.memory(caller="suite")


class TestDictBackend(MemorySuite):
    opener = staticmethod(open_dict)
    manifest = PLUGIN / "plugin.json"
    bulk = 20  # it does all its work on the loop, so it is for few documents
