"""context.state: durable, atomic, bounded, and started whatever is in its file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap

import anyio
import pytest

from gatehook import GatehookError
from gatehook import Secret
from gatehook.host.state import MOST_BYTES
from gatehook.host.state import EntryState
from gatehook.host.state import StateStore
from gatehook.secrets import Redactor
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.host.scripted import Scripted
from tests.host.scripted import manifest

pytestmark = pytest.mark.anyio


class Opened:
    """A store over a file, with what it reported."""

    def __init__(self, path):
        self.path = path
        self.reported = []
        self.redactor = Redactor()

    async def __aenter__(self):
        self.store = StateStore(self.path, self.reported.append, self.redactor)
        await self.store.open()
        self.mine, self.other = EntryState(self.store, "mine"), EntryState(self.store, "other")
        return self

    async def __aexit__(self, *error):
        await self.store.close()

    @property
    def codes(self):
        return [one.code for one in self.reported]


async def _set_many(state, values, then=lambda: None):
    async with state.transaction() as transaction:
        for key, value in values.items():
            transaction.set(key, value)
        then()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.sqlite"


async def test_values_survive_and_belong_to_their_entry(path):
    async with Opened(path) as opened:
        await opened.mine.set("b", {"n": [1, None, "ü"]})
        await opened.mine.set("a", 1)
        await opened.other.set("a", 2)
    async with Opened(path) as opened:
        assert await opened.mine.get("b") == {"n": [1, None, "ü"]}
        assert await opened.mine.keys() == ["a", "b"]
        assert await opened.mine.keys("b") == ["b"]
        assert await opened.other.get("a") == 2
        assert await opened.other.get("b", "none") == "none"
        await opened.mine.delete("a")
        await opened.mine.delete("a")
        assert await opened.mine.get("a") is None
        assert opened.codes == []
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_transaction_writes_all_or_nothing(path):
    async with Opened(path) as opened:
        async with opened.mine.transaction() as transaction:
            transaction.set("n", 1)
            transaction.set("n", transaction.get("n") + 1)
            transaction.set("gone", 1)
            transaction.delete("gone")
        with pytest.raises(ZeroDivisionError):
            await _set_many(opened.mine, {"n": 9, "m": 1}, lambda: 1 / 0)
        assert await opened.mine.get("n") == 2
        assert await opened.mine.keys() == ["n"]


async def test_transactions_of_one_entry_follow_each_other(path):
    async with Opened(path) as opened:

        async def add():
            async with opened.mine.transaction() as transaction:
                count = transaction.get("n", 0)
                await anyio.lowlevel.checkpoint()
                transaction.set("n", count + 1)

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(add)
        assert await opened.mine.get("n") == 10


async def test_a_quota_keeps_the_old_state(path):
    async with Opened(path) as opened:
        await opened.mine.set("a", 1)
        with pytest.raises(GatehookError, match=r"state\.quota"):
            await opened.mine.set("b", "x" * (MOST_BYTES + 1))
        with pytest.raises(GatehookError, match=r"10000 keys"):
            await _set_many(opened.mine, {str(number): 0 for number in range(10_001)})
        assert await opened.mine.keys() == ["a"]


async def test_secrets_are_refused_and_what_is_no_json(path):
    async with Opened(path) as opened:
        opened.redactor.add(Secret("canary-token"))
        with pytest.raises(GatehookError, match=r"state\.secret"):
            await opened.mine.set("a", {"deep": ["x canary-token y"]})
        for value in (Secret("x"), float("nan"), {1, 2}, object()):
            with pytest.raises((TypeError, ValueError)):
                await opened.mine.set("a", value)
        with pytest.raises(TypeError):
            await opened.mine.set("", 1)
        assert await opened.mine.keys() == []


def _truncated(path):
    path.write_bytes(path.read_bytes()[:3000])


def _zero(path):
    path.write_bytes(b"")


def _text(path):
    path.write_text("not a database at all " * 100)


def _foreign(path):
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()


def _scrambled(path):
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [_truncated, _zero, _text, _foreign, _scrambled])
async def test_fault_17_a_damaged_file_is_put_aside_and_the_state_begins_empty(path, damage):
    async with Opened(path) as opened:
        await opened.mine.set("a", "x" * 10_000)
    damage(path)
    damaged = path.read_bytes()
    async with Opened(path) as opened:
        assert opened.codes == ["state.damaged"]
        assert await opened.mine.keys() == []
        await opened.mine.set("a", 2)
    [copy] = path.parent.glob("state.sqlite.damaged-*[0-9]")
    assert copy.read_bytes() == damaged
    async with Opened(path) as opened:
        assert await opened.mine.get("a") == 2


async def test_fault_17_a_newer_file_is_refused_and_not_touched(path):
    async with Opened(path) as opened:
        await opened.mine.set("a", 1)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    async with Opened(path) as opened:
        assert opened.codes == ["state.newer"]
        with pytest.raises(GatehookError, match="version 99"):
            await opened.mine.get("a")
        with pytest.raises(GatehookError, match="version 99"):
            await opened.mine.set("a", 1)
    assert path.read_bytes() == before


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/dev/null"), lambda path: path.mkdir()])
async def test_fault_17_a_link_or_a_directory_is_refused(path, make):
    make(path)
    async with Opened(path) as opened:
        assert opened.codes == ["state.unusable"]
        with pytest.raises(GatehookError, match=r"state\.unusable"):
            await opened.mine.get("a")


async def test_fault_17_the_host_runs_without_a_state(tmp_path):
    seen = []

    async def enter(provider):
        with pytest.raises(GatehookError) as caught:
            await provider.context.state.set("a", 1)
        seen.append(caught.value.diagnostics[0].code)

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state.sqlite").mkdir()
    async with host_of(tmp_path, plugins=[(manifest(), Scripted(enter=enter))]) as host:
        assert state_of(host, "scripted") == "active"
        assert "state.unusable" in codes(host)
    assert seen == ["state.unusable"]


async def test_fault_16_a_full_disk_keeps_the_old_state(path):
    async with Opened(path) as opened:
        await opened.mine.set("a", 1)
        await opened.store.run(lambda: opened.store._file._open.execute("PRAGMA max_page_count = 8"))
        with pytest.raises(GatehookError, match=r"state\.write-failed.*full"):
            await opened.mine.set("b", "x" * 100_000)
        assert opened.codes == ["state.write-failed"]
        assert await opened.mine.keys() == ["a"]
        await opened.store.run(lambda: opened.store._file._open.execute("PRAGMA max_page_count = 100000"))
        await opened.mine.set("b", "x" * 100_000)


KILLED = """
    import os, sys, anyio
    from pathlib import Path
    from gatehook.host.state import EntryState, StateStore
    from gatehook.secrets import Redactor

    async def main():
        store = StateStore(Path(sys.argv[1]), print, Redactor())
        await store.open()
        state = EntryState(store, "mine")
        for number in range(1000):
            async with state.transaction() as transaction:
                transaction.set("first", number)
                transaction.set("second", number)
            print(number, flush=True)

    anyio.run(main)
"""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # the process under test has an event loop of its own
async def test_fault_18_a_kill_between_any_two_writes_leaves_old_or_new(path):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220  the loop is idle
        for _ in range(20):
            acknowledged = int(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().split()
    acknowledged = int(rest[-1]) if rest else acknowledged
    async with Opened(path) as opened:
        assert opened.codes == []
        first, second = await opened.mine.get("first"), await opened.mine.get("second")
    assert first == second
    assert first in (acknowledged, acknowledged + 1)
