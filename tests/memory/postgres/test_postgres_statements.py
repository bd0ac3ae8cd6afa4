"""The memory statements, for the built-in ``postgres`` as the real loader runs it, on a real server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatehook.testing.memory_suite import MemorySuite
from tests.memory.postgres.opening import open_postgres

PLUGIN = Path(__file__).parents[3] / "builtin_plugins" / "postgres"


class TestPostgres(MemorySuite):
    opener = staticmethod(open_postgres)
    manifest = PLUGIN / "plugin.json"
    kills = int(os.environ.get("GATEHOOK_MEMORY_KILLS", "5"))

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        return request.param
