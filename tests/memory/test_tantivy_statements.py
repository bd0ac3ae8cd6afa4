"""The memory statements, for the built-in ``tantivy`` as the real loader runs it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from gatehook.context import Clock
from gatehook.kinds.memory import MemoryBackend
from gatehook.testing.hosting import HostMaker
from gatehook.testing.memory_suite import MemorySuite

PLUGIN = Path(__file__).parents[2] / "builtin_plugins" / "tantivy"


@asynccontextmanager
async def open_tantivy(directory: Path, clock: Clock) -> AsyncIterator[MemoryBackend]:
    entry = {"config": {"path": str(directory / "memory.sqlite")}}
    plugins = {
        "slots": {"memory": "tantivy"},
        "deny": ["paper", "simulated", "replay"],
        "entries": {"tantivy": entry},
    }
    make = HostMaker(directory / f"host-{uuid4().hex}")
    async with make(builtin=True, clock=clock, config={"plugins": plugins}) as host:
        yield host.memory(caller="suite")


class TestTantivy(MemorySuite):
    opener = staticmethod(open_tantivy)
    manifest = PLUGIN / "plugin.json"
    #: On each of two event loops.
    kills = int(os.environ.get("GATEHOOK_MEMORY_KILLS", "6"))

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        return request.param
