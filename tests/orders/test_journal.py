"""The journal's file: what cannot be trusted is refused with its remedy, what was torn is recovered and reported."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import anyio
import pytest

from gatehook.clocks import SystemClock
from gatehook.diagnostics import GatehookError
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.orders import Journal
from gatehook.orders.database import SCHEMA_VERSION
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


def submitted(name):
    return Order.of(limit(name), OrderStatus.SUBMITTED)


async def filled_journal(path, count=3):
    async with await Journal.open(path, clock=SystemClock()) as journal:
        for number in range(count):
            await journal.claim(submitted(f"a{number}"), "digest", "test")


async def refused(path):
    with pytest.raises(GatehookError) as caught:
        await Journal.open(path, clock=SystemClock())
    [diagnostic] = caught.value.diagnostics
    assert str(path) in diagnostic.message
    assert diagnostic.remedy
    return diagnostic.code


async def test_what_was_acknowledged_is_there_again(tmp_path):
    await filled_journal(tmp_path / "j")
    async with await Journal.open(tmp_path / "j", clock=SystemClock()) as journal:
        assert [one.request.client_order_id for one in await journal.orders()] == ["a0", "a1", "a2"]
        assert journal.diagnostics == ()
        assert (tmp_path / "j").stat().st_mode & 0o077 == 0
    with pytest.raises(StorageUnavailable):
        await journal.claim(submitted("b"), "digest", "test")


async def test_both_times_are_kept(tmp_path):
    class Replay(SystemClock):
        def now(self):
            return 5

    async with await Journal.open(tmp_path / "j", clock=Replay()) as journal:
        await journal.claim(submitted("a"), "digest", "test")
        [change] = await journal.changes()
        assert change.at.market == 5
        assert change.at.wall > 10**18


async def test_a_newer_version_is_refused_and_not_touched(tmp_path):
    path = tmp_path / "j"
    await filled_journal(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    assert await refused(path) == "journal.newer-version"
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["j"]


@pytest.mark.parametrize("damage", ["truncated", "half", "garbage", "short", "foreign", "inside"])
async def test_a_damaged_file_is_refused_and_not_touched(tmp_path, damage):
    path = tmp_path / "j"
    await filled_journal(path)
    data = path.read_bytes()
    if damage == "foreign":
        path.unlink()
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA application_id = 7")
            db.execute("CREATE TABLE t (x)")
    else:
        path.write_bytes(
            {
                "truncated": data[:-4096],
                "half": data[: len(data) // 2],
                "garbage": b"no database" * 1000,
                "short": data[:50],
                "inside": data[:4096] + b"\xff" * 8192 + data[12288:],
            }[damage]
        )
    before = path.read_bytes()
    assert await refused(path) == "journal.corrupt"
    assert path.read_bytes() == before


async def test_a_torn_tail_is_recovered_and_reported(tmp_path):
    path, copy = tmp_path / "j", tmp_path / "copy"
    async with await Journal.open(path, clock=SystemClock()) as journal:
        await journal.claim(submitted("a"), "digest", "test")
        whole = (tmp_path / "j-wal").read_bytes()
        await journal.claim(submitted("b"), "digest", "test")
        shutil.copy(path, copy)
        torn = (tmp_path / "j-wal").read_bytes()[: len(whole) + 3000]
        copy.with_name("copy-wal").write_bytes(torn)
    async with await Journal.open(copy, clock=SystemClock()) as journal:
        assert [one.code for one in journal.diagnostics] == ["journal.torn-tail"]
        assert "3000 bytes" in journal.diagnostics[0].message
        assert [one.request.client_order_id for one in await journal.orders()] == ["a"]


async def test_a_log_left_by_a_kill_is_recovered_silently(tmp_path):
    path, copy = tmp_path / "j", tmp_path / "copy"
    async with await Journal.open(path, clock=SystemClock()) as journal:
        for name in "abcdef":
            await journal.claim(submitted(name), "digest", "test")
        shutil.copy(path, copy)
        shutil.copy(tmp_path / "j-wal", tmp_path / "copy-wal")
    async with await Journal.open(copy, clock=SystemClock()) as journal:
        assert journal.diagnostics == ()
        assert len(await journal.orders()) == 6


async def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    assert await refused(tmp_path / "missing" / "j") == "journal.unavailable"
    (tmp_path / "directory").mkdir()
    assert await refused(tmp_path / "directory") == "journal.unavailable"


async def test_many_writers_share_commits_and_each_gets_its_own_answer(tmp_path):
    async with await Journal.open(tmp_path / "j", clock=SystemClock()) as journal:
        heard, found = [], {}
        journal.listen(heard.append)

        async def claim(number):
            found[number] = await journal.claim(submitted(f"a{number % 40}"), "digest", "test")

        async with anyio.create_task_group() as tasks:
            for number in range(80):
                tasks.start_soon(claim, number)
        assert sum(fresh for _, fresh in found.values()) == 40
        for number, (known, _) in found.items():
            assert known.order.request.client_order_id == f"a{number % 40}"
        assert [change.seq for change in heard] == sorted(change.seq for change in heard)
        assert len(heard) == 40


async def test_a_writer_that_is_cancelled_while_it_waits_writes_nothing_and_harms_nobody(tmp_path):
    async with await Journal.open(tmp_path / "j", clock=SystemClock()) as journal:
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(journal.claim, submitted(f"a{number}"), "digest", "test")
            await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        known, fresh = await journal.claim(submitted("b"), "digest", "test")
        assert fresh
        assert await journal.order("b") == known
