"""A hybrid memory without a host, and the endpoint that can be told to misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from gatehook.diagnostics import Diagnostic
from gatehook.memory.embedding.hashing import HashingEmbedder
from gatehook.memory.embedding.openai import Endpoint
from gatehook.memory.embedding.openai import OpenAIEmbedder
from gatehook.memory.vectors.hybrid import HybridMemory
from gatehook.memory.vectors.hybrid import VectorSettings
from gatehook.testing.embedding_server import EmbeddingServer
from gatehook.testing.memory_probes import SetClock

Opener = Callable[..., AbstractAsyncContextManager[HybridMemory]]


@pytest.fixture
def said() -> list[Diagnostic]:
    """Collect what memories report."""
    return []


@pytest.fixture
def opened(path: Path, clock: SetClock, said: list[Diagnostic]) -> Opener:
    """Open memories over one file: ``opened(embedder=…, dense_weight=…)``; the hashing embedder by default.

    A query's vector may take long: these tests share the machine with others.
    """

    @asynccontextmanager
    async def open_(embedder: Any = HashingEmbedder, **settings: Any) -> AsyncIterator[HybridMemory]:
        async with anyio.create_task_group() as tasks:
            memory = HybridMemory(
                path,
                clock,
                embedder=embedder,
                tasks=lambda: tasks,
                report=said.append,
                settings=VectorSettings(**{"query_seconds": 10.0, **settings}),
            )
            async with memory:
                yield memory

    return open_


@pytest.fixture
async def server() -> AsyncIterator[EmbeddingServer]:
    async with EmbeddingServer() as server:
        yield server


@pytest.fixture
async def asking(server: EmbeddingServer) -> AsyncIterator[Callable[..., OpenAIEmbedder]]:
    """Make embedders that ask the server: ``asking(model=…, batch=…)``."""
    async with httpx2.AsyncClient() as client:

        def make(**endpoint: Any) -> OpenAIEmbedder:
            return OpenAIEmbedder(
                Endpoint(**{"url": server.url, "model": "m", "dims": 64, "timeout": 2.0, **endpoint}), lambda: client
            )

        yield make


@pytest.fixture
async def hybrid(opened: Opener) -> AsyncIterator[HybridMemory]:
    async with opened() as memory:
        yield memory
