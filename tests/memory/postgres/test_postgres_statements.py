"""The memory statements, for the built-in ``postgres`` as the real loader runs it, on a real server."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import pytest

from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.testing import memory_probes
from gatehook.testing.memory_finding_suite import FindingStatements
from gatehook.testing.memory_suite import MemorySuite
from tests.memory.postgres.opening import open_against
from tests.memory.postgres.opening import open_postgres
from tests.memory.postgres.opening import open_with_vectors

PLUGIN = Path(__file__).parents[3] / "builtin_plugins" / "postgres"


class TestPostgres(MemorySuite):
    """With an embedder: what configuration can take away is there."""

    opener = staticmethod(open_with_vectors)
    embedder = staticmethod(open_against)
    manifest = PLUGIN / "plugin.json"
    kills = int(os.environ.get("GATEHOOK_MEMORY_KILLS", "5"))

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        return request.param


class TestPostgresByWords(FindingStatements):
    """Without an embedder: it finds what it is to find, and says that it has no vectors."""

    opener = staticmethod(open_postgres)
    manifest = PLUGIN / "plugin.json"

    @pytest.fixture
    def capabilities(self) -> MemoryCapabilities:
        return attrs.evolve(memory_probes.declared_in(self.manifest), vectors=False)
