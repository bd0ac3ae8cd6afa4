"""Statement 37: versions of the schema."""

from __future__ import annotations

import psycopg
import pytest

from gatehook import GatehookError
from gatehook.kinds.memory import MemoryDoc
from gatehook.memory.postgres import schema as tables
from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.postgres.connections import transaction
from gatehook.memory.postgres.schema import Part
from gatehook.memory.postgres.schema import migrate
from gatehook.memory.postgres.target import Target
from gatehook.secrets import Secret
from gatehook.testing.memory_probes import SetClock
from tests.memory.postgres.server import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
async def filled(memory: PostgresMemory) -> None:
    await memory.upsert([MemoryDoc(id="a", text="hello", namespace=("n",), ts=1)])


def bring(server: Server, schema: str, *more: str) -> None:
    """Migrate by one step more than this release has."""
    storage = Part("storage", (*tables.STORAGE.steps, more))
    options = f"-c search_path={schema}"
    with psycopg.connect(server.dsn, autocommit=True, options=options) as connection, transaction(connection):
        migrate(connection, schema, 1, (storage,))


async def test_an_older_version_is_migrated(filled: None, server: Server, schema: str) -> None:
    bring(server, schema, "ALTER TABLE docs ADD COLUMN later text")
    assert server.execute(f"SELECT id, later FROM {schema}.docs") == [("a", None)]
    assert server.execute(f"SELECT version FROM {schema}.parts") == [(len(tables.STORAGE.steps) + 1,)]


async def test_a_newer_version_is_refused_and_untouched(
    filled: None, server: Server, schema: str, target: Target, clock: SetClock
) -> None:
    bring(server, schema, "ALTER TABLE docs ADD COLUMN later text")
    every_row = f"SELECT d.xmin, p.xmin, * FROM {schema}.docs d, {schema}.parts p"
    before = server.execute(every_row)
    with pytest.raises(GatehookError) as caught:
        async with PostgresMemory(target, clock):
            pass
    assert caught.value.diagnostics[0].code == "memory.schema-newer"
    assert server.execute(every_row) == before


async def test_a_migration_that_fails_leaves_the_old_version(filled: None, server: Server, schema: str) -> None:
    with pytest.raises(psycopg.errors.SyntaxError):
        bring(server, schema, "CREATE TABLE fresh (x int)", "no SQL at all")
    assert server.execute(f"SELECT version FROM {schema}.parts") == [(len(tables.STORAGE.steps),)]
    assert server.execute(f"SELECT to_regclass('{schema}.fresh')") == [(None,)]


async def test_a_role_that_owns_the_schema_and_nothing_else_is_enough(
    server: Server, schema: str, clock: SetClock
) -> None:
    server.execute(f"CREATE ROLE r{schema} LOGIN")
    server.execute(f"CREATE SCHEMA {schema} AUTHORIZATION r{schema}")
    server.execute(f"REVOKE ALL ON DATABASE postgres FROM r{schema}")
    target = Target(dsn=Secret(server.dsn), given={"user": f"r{schema}"}, schema=schema)
    async with PostgresMemory(target, clock) as memory:
        await memory.upsert([MemoryDoc(id="a", text="hello", namespace=("n",), ts=1)])
        await memory.maintain(5.0)
        assert (await memory.stats()).documents == 1


async def test_two_schemas_are_two_memories(filled: None, target: Target, clock: SetClock, server: Server) -> None:
    other = Target(dsn=target.dsn, schema=f"{target.schema}_other")
    async with PostgresMemory(other, clock) as memory:
        assert (await memory.stats()).documents == 0
    assert server.execute(f"SELECT count(*) FROM {target.schema}.docs") == [(1,)]
