"""The memory statements, for the built-in ``hybrid_embeddings`` as the real loader runs it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gatehook.context import Clock
from gatehook.kinds.memory import MemoryBackend
from gatehook.testing.hosting import HostMaker
from gatehook.testing.memory_suite import MemorySuite

PLUGIN = Path(__file__).parents[3] / "builtin_plugins" / "hybrid_embeddings"


@asynccontextmanager
async def open_hybrid(directory: Path, clock: Clock) -> AsyncIterator[MemoryBackend]:
    async with opened(directory, clock, {"type": "hashing"}) as memory:
        yield memory


@asynccontextmanager
async def open_against(directory: Path, clock: Clock, url: str, model: str) -> AsyncIterator[MemoryBackend]:
    embedder = {"type": "openai", "url": url, "model": model, "dims": 64, "timeout": 5}
    async with opened(directory, clock, embedder) as memory:
        yield memory


@asynccontextmanager
async def opened(directory: Path, clock: Clock, embedder: dict[str, Any]) -> AsyncIterator[MemoryBackend]:
    entry = {"config": {"path": str(directory / "memory.sqlite"), "embedder": embedder}}
    plugins = {
        "slots": {"memory": "hybrid_embeddings"},
        "deny": ["paper", "simulated", "replay"],
        "entries": {"hybrid_embeddings": entry},
    }
    make = HostMaker(directory / f"host-{uuid4().hex}")
    async with make(builtin=True, clock=clock, config={"plugins": plugins}) as host:
        yield host.memory(caller="suite")


class TestHybridEmbeddings(MemorySuite):
    opener = staticmethod(open_hybrid)
    embedder = staticmethod(open_against)
    manifest = PLUGIN / "plugin.json"
    kills = int(os.environ.get("GATEHOOK_MEMORY_KILLS", "3"))

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        return request.param
