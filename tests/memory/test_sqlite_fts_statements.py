"""The memory statements, for the built-in ``sqlite_fts``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from builtin_plugins.sqlite_fts.backend import SqliteFts
from gatehook.context import Clock
from gatehook.kinds.memory import MemoryBackend
from gatehook.testing.memory_suite import MemorySuite

PLUGIN = Path(__file__).parents[2] / "builtin_plugins" / "sqlite_fts"


@asynccontextmanager
async def open_sqlite(directory: Path, clock: Clock) -> AsyncIterator[MemoryBackend]:
    async with SqliteFts(directory / "memory.sqlite", clock) as memory:
        yield memory


class TestSqliteFts(MemorySuite):
    opener = staticmethod(open_sqlite)
    manifest = PLUGIN / "plugin.json"

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        return request.param
