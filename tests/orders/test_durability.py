"""What waits for the disk, and what a power cut can take: never an intent, and no position is given out twice."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.orders import Journal
from gatehook.orders.database import open_writer
from gatehook.orders.records import CommandResult
from gatehook.orders.records import CommandState
from gatehook.orders.records import Conclusion
from gatehook.orders.writer import Writer
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def submitted(name):
    return Order.of(limit(name), OrderStatus.SUBMITTED)


@pytest.fixture
def waited(monkeypatch):
    """Whether each write that was asked for waits for the disk."""
    found = []
    write = Writer.write

    async def spy(self, operation, *, durable=True):
        found.append(durable)
        return await write(self, operation, durable=durable)

    monkeypatch.setattr(Writer, "write", spy)
    return found


async def test_intents_and_the_desks_own_words_wait_for_the_disk_and_the_venues_do_not(tmp_path, waited):
    async with await Journal.open(tmp_path / "j", clock=SystemClock()) as journal:
        known, _ = await journal.claim(submitted("a"), "digest", "test")
        other, _ = await journal.claim(submitted("b"), "digest", "test")
        assert waited == [True, True]
        report = Order.of(limit("a"), OrderStatus.ACCEPTED, venue_order_id="1")
        await journal.conclude(known.seq, Conclusion(report=report))
        await journal.apply("venue", [report], "1")
        await journal.end("none", CommandState.DONE, CommandResult())
        assert waited[2:] == [False, False, False]
        reason = Reason(code="not_connected", message="")
        await journal.conclude(other.seq, Conclusion(status=OrderStatus.DENIED, reason=reason))
        await journal.end("none", None, CommandResult())
        assert waited[5:] == [True, True]


async def test_a_write_waits_for_the_disk_where_it_is_asked_to(tmp_path):
    with closing(open_writer(tmp_path / "j")) as connection:
        writer = Writer(
            connection,
            on_commit=lambda _: None,
            on_rollback=lambda: None,
            before_commit=lambda results, durable: None,
            on_failure=lambda: None,
        )

        def level(db):
            return db.execute("PRAGMA synchronous").fetchone()[0]

        assert await writer.write(level) == 2
        assert await writer.write(level, durable=False) == 1
        assert await writer.write(level) == 2
        await writer.close()


async def test_positions_that_a_power_cut_took_are_not_given_out_again(tmp_path):
    async with await Journal.open(tmp_path / "j", clock=SystemClock()) as journal:
        known, _ = await journal.claim(submitted("a"), "digest", "test")
        for suffix in ("", "-wal"):
            shutil.copy(tmp_path / f"j{suffix}", tmp_path / f"cut{suffix}")
        await journal.conclude(known.seq, Conclusion(report=Order.of(limit("a"), OrderStatus.ACCEPTED)))
        read = [change.seq for change in await journal.changes()]
    async with await Journal.open(tmp_path / "cut", clock=SystemClock()) as journal:
        assert await journal.recover() == 1
        [first, second] = [change.seq for change in await journal.changes()]
        assert first == read[0]
        assert second > read[-1]
        await journal.claim(submitted("b"), "digest", "test")
        assert [change.seq for change in await journal.changes(after=read[-1])] == [second, second + 1]


async def test_an_intent_is_in_the_file_before_anybody_goes_on(tmp_path):
    async with await Journal.open(tmp_path / "j", clock=SystemClock()) as journal:
        await journal.claim(submitted("a"), "digest", "test")
        with closing(sqlite3.connect(tmp_path / "j")) as other:
            assert other.execute("SELECT status FROM orders").fetchall() == [("submitted",)]
