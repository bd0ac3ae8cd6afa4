"""The memory in PostgreSQL: a DSN that is none, schemas and servers that cannot hold a memory."""

from __future__ import annotations

import psycopg
import pytest

from tests.bad_input.table import Table
from tests.memory.postgres.server import NoServer
from tests.memory.postgres.server import running

TABLE = Table()

SLOT = {"memory": "postgres"}


async def remembering(world, dsn, **config):
    world.monkeypatch.setenv("POSTGRES_DSN", dsn)
    entry = {"config": {"dsn": {"env": "POSTGRES_DSN"}, **config}}
    return await world.hosted(builtin=True, slots=SLOT, entries={"postgres": entry})


async def prepared(world, *statements, dbname="postgres", **config):
    """Run a host over a server where an administrator did this before."""
    try:
        with running() as server:
            for statement in statements:
                server.execute(statement)
            return await remembering(world, psycopg.conninfo.make_conninfo(server.dsn, dbname=dbname), **config)
    except NoServer as error:
        world.ran_on = True
        pytest.skip(f"PostgreSQL does not run here: {error}")


@TABLE.row("memory.dsn-unreadable", "a DSN with a word that is no parameter", "")
async def no_dsn(world):
    return await remembering(world, f"host=localhost {world.canary}")


@TABLE.row("memory.schema-newer", "a schema of a later release", "")
async def newer(world):
    tables = "CREATE TABLE later.docs (x int); CREATE TABLE later.totals (x int)"
    parts = "CREATE TABLE later.parts AS SELECT 'storage'::text AS name, 99 AS version"
    return await prepared(world, "CREATE SCHEMA later", tables, parts, schema="later")


@TABLE.row("memory.schema-foreign", "a schema with the tables of another program", "")
async def foreign(world):
    return await prepared(world, "CREATE SCHEMA theirs", "CREATE TABLE theirs.accounts (x int)", schema="theirs")


@TABLE.row("memory.server-unfit", "a database that knows no Unicode", "")
async def unfit(world):
    create = "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0"
    return await prepared(world, create, dbname="ascii")
