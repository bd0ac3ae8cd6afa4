"""A full disk: nothing new leaves, cancels still work, and what was open is written when there is room again."""

from __future__ import annotations

import sqlite3

import anyio
import pytest

from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.provider import HealthStatus
from gatehook.orders import BrokerHandle
from gatehook.orders import Desk
from gatehook.orders import Journal
from tests.orders.conftest import eventually
from tests.orders.desks import parts
from tests.orders.venue import Access
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


class Disk:
    """SQLite's own limit of pages, set on the journal's writing connection: it answers like a disk without room."""

    def __init__(self, monkeypatch) -> None:
        self.connections = []
        connect = sqlite3.connect

        def keep(*args, **kwargs):
            connection = connect(*args, **kwargs)
            if not kwargs.get("uri"):
                self.connections.append(connection)
            return connection

        monkeypatch.setattr(sqlite3, "connect", keep)

    def fill(self) -> None:
        used = self.connections[-1].execute("PRAGMA page_count").fetchone()[0]
        self.connections[-1].execute(f"PRAGMA max_page_count = {used}")

    def shut(self) -> None:
        """Take no write at all, however small: how much fits into the pages that are left depends on the times."""
        self.connections[-1].execute("PRAGMA query_only = ON")

    def free(self) -> None:
        self.connections[-1].execute("PRAGMA query_only = OFF")
        self.connections[-1].execute("PRAGMA max_page_count = 1000000")


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


async def use_up(floor, disk):
    """Submit until the pages that are left are used up; the last one is refused."""
    disk.fill()
    for number in range(200):
        try:
            await floor.handle.submit_order(limit(f"fill-{number}"))
        except StorageUnavailable:
            return f"fill-{number}"
    raise AssertionError("the disk never got full")


async def test_statement_50_nothing_new_leaves_and_cancels_still_work(floor, disk):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        refused = await use_up(floor, disk)
        sent = floor.sent()
        assert refused not in floor.venue.orders
        with pytest.raises(StorageUnavailable):
            await floor.handle.amend_order("a", OrderChange(price="1.2"), command_id="c" * 4000)
        with pytest.raises(StorageUnavailable):
            await floor.handle.submit_order(limit(refused))
        assert floor.sent() == sent
        assert floor.sent("amend_order") == 0
        assert (await floor.handle.cancel_order("a")).status is OrderStatus.CANCELED
        assert floor.venue.orders["a"].status is OrderStatus.CANCELED


async def test_an_outcome_without_room_is_true_for_the_caller_and_written_later(floor, disk):
    async with floor(events=True):

        async def fills_the_disk(request):
            order = floor.venue.accept(request)
            disk.shut()
            return order

        floor.broker.on_submit = fills_the_disk
        order = await floor.handle.submit_order(limit("a"))
        assert order.status is OrderStatus.ACCEPTED
        assert floor.desk.health().status is HealthStatus.DEGRADED
        disk.free()
        floor.desk.entry("venue").raise_doubt()
        await eventually(lambda: floor.desk.health().status is HealthStatus.OK)
        assert (await floor.handle.order("a")).status is OrderStatus.ACCEPTED


async def test_a_disk_without_room_at_the_start_hides_no_unknown_order(floor, disk):
    async with await Journal.open(floor.path, clock=floor.clock) as journal:
        await journal.claim(Order.of(limit("a"), OrderStatus.SUBMITTED), "digest", "test")
    floor.venue.accept(limit("a"))
    with parts(floor.folder, floor.clock, floor.diagnostics.append) as others:
        journal = await Journal.open(floor.path, clock=floor.clock)
        disk.shut()
        async with journal, Desk(journal, floor.bus, floor.clock, **others) as desk:
            assert [one.status for one in desk.unknown_orders()] == [OrderStatus.SUBMITTED]
            access = Access(floor.broker)
            await desk.attach(access)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(desk.run_events, access)
                canceled = await BrokerHandle(desk, "venue", "test").cancel_order("a")
                assert canceled.status is OrderStatus.CANCELED
                disk.free()
                desk.entry("venue").raise_doubt()
                await eventually(lambda: not desk.unknown_orders() and not desk.outcomes.unsaved)
                tasks.cancel_scope.cancel()
            assert (await journal.order("a")).order.status is OrderStatus.CANCELED
