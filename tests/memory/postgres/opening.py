"""Opens the memory over a directory of a test: each directory has a schema of its own."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from gatehook.context import Clock
from gatehook.kinds.memory import MemoryBackend
from gatehook.testing.hosting import HostMaker
from tests.memory.postgres.server import VARIABLE


def schema_of(directory: Path) -> str:
    return f"m{hashlib.blake2b(str(directory).encode(), digest_size=8).hexdigest()}"


@asynccontextmanager
async def open_postgres(directory: Path, clock: Clock) -> AsyncIterator[MemoryBackend]:
    async with _opened(directory, clock) as memory:
        yield memory


@asynccontextmanager
async def open_with_vectors(directory: Path, clock: Clock) -> AsyncIterator[MemoryBackend]:
    async with _opened(directory, clock, embedder={"type": "hashing"}) as memory:
        yield memory


@asynccontextmanager
async def open_against(directory: Path, clock: Clock, url: str, model: str) -> AsyncIterator[MemoryBackend]:
    embedder = {"type": "openai", "url": url, "model": model, "dims": 64, "timeout": 5}
    async with _opened(directory, clock, embedder=embedder) as memory:
        yield memory


@asynccontextmanager
async def _opened(directory: Path, clock: Clock, **config: Any) -> AsyncIterator[MemoryBackend]:
    plugins = {
        "slots": {"memory": "postgres"},
        "deny": ["paper", "simulated", "replay"],
        "entries": {"postgres": {"config": {"dsn": {"env": VARIABLE}, "schema": schema_of(directory), **config}}},
    }
    make = HostMaker(directory / f"host-{uuid4().hex}")
    async with make(builtin=True, clock=clock, config={"plugins": plugins}) as host:
        yield host.memory(caller="suite")
