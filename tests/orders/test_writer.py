"""The journal's writer goes on, whatever goes wrong around a write: nobody waits for ever."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager

import anyio
import pytest

from gatehook.kinds.errors import StorageUnavailable
from gatehook.orders.writer import Writer

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def writing(connection, *, on_rollback=lambda: None):
    connection.execute("CREATE TABLE words (word TEXT NOT NULL)")
    writer = Writer(
        connection,
        on_commit=lambda results: None,
        on_rollback=on_rollback,
        before_commit=lambda results, durable: None,
        on_failure=lambda: None,
    )
    try:
        with anyio.fail_after(10):
            yield writer
    finally:
        await writer.close()
        connection.close()


@pytest.fixture
def connection(tmp_path):
    return sqlite3.connect(tmp_path / "words.sqlite", isolation_level=None, check_same_thread=False)


async def test_an_undo_that_fails_refuses_its_write_and_the_next_one_is_written(connection):
    def broken():
        raise RuntimeError("the book cannot forget")

    async with writing(connection, on_rollback=broken) as writer:
        with pytest.raises(StorageUnavailable, match="cannot forget"):
            await writer.write(lambda db: db.execute("INSERT INTO words VALUES (NULL)"))
        connection.execute("ROLLBACK")
        await writer.write(lambda db: db.execute("INSERT INTO words VALUES ('after')"))
        assert connection.execute("SELECT word FROM words").fetchall() == [("after",)]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio ends the program instead, and says so
async def test_a_listener_that_raises_holds_up_no_writer(connection):
    def told(results):
        raise RuntimeError("the listener is broken")

    seen = []
    connection.execute("CREATE TABLE words (word TEXT NOT NULL)")
    writer = Writer(
        connection,
        on_commit=told,
        on_rollback=lambda: None,
        before_commit=lambda results, durable: None,
        on_failure=lambda: None,
    )
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context["exception"]))
    with anyio.fail_after(10):
        await writer.write(lambda db: db.execute("INSERT INTO words VALUES ('one')"))
        await writer.write(lambda db: db.execute("INSERT INTO words VALUES ('two')"))
    await writer.close()
    connection.close()
    assert [str(one) for one in seen] == ["the listener is broken"] * 2
