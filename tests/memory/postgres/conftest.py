"""One server for all tests of a process; each test has a schema of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.postgres.target import Target
from gatehook.secrets import Secret
from gatehook.testing.memory_probes import SetClock
from tests.memory.postgres.opening import schema_of
from tests.memory.postgres.server import VARIABLE
from tests.memory.postgres.server import NoServer
from tests.memory.postgres.server import Server
from tests.memory.postgres.server import running


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server | str]:
    try:
        with running() as server, pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, server.dsn)
            yield server
    except NoServer as error:
        yield f"PostgreSQL does not run here: {error}"


@pytest.fixture(autouse=True)
def server(shared_server: Server | str) -> Server:
    if isinstance(shared_server, str):
        pytest.skip(shared_server)
    return shared_server


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def schema(tmp_path: Path) -> str:
    return schema_of(tmp_path)


@pytest.fixture
def target(server: Server, schema: str) -> Target:
    return Target(dsn=Secret(server.dsn), schema=schema)


@pytest.fixture
async def memory(target: Target, clock: SetClock) -> AsyncIterator[PostgresMemory]:
    async with PostgresMemory(target, clock) as memory:
        yield memory
