"""Reading connections: none outlives its pool."""

from __future__ import annotations

import sqlite3

import pytest

from gatehook.memory.sqlite import readers
from gatehook.memory.sqlite.database import open_reader
from gatehook.memory.sqlite.readers import Readers

pytestmark = pytest.mark.anyio


async def test_a_read_that_was_given_up_before_it_began_leaves_no_connection(memory, path, late_threads, monkeypatch):
    opened = []

    def opening(path):
        opened.append(open_reader(path))
        return opened[-1]

    monkeypatch.setattr(readers, "open_reader", opening)
    pool = Readers(path)
    await late_threads.give_up(lambda: pool.read(lambda connection: connection.execute("SELECT 1").fetchone()))
    await pool.close()
    await late_threads.begin()
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
