"""Desks over a small venue, on both event loops."""

from __future__ import annotations

from contextlib import asynccontextmanager
from inspect import isawaitable

import anyio
import pytest

from gatehook.audit import AuditLog
from gatehook.clocks import SystemClock
from gatehook.events import EventBus
from gatehook.orders import BrokerHandle
from gatehook.orders import Desk
from gatehook.orders import Journal
from tests.orders.venue import Access
from tests.orders.venue import Venue
from tests.orders.venue import VenueBroker


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Floor:
    """A running desk: ``async with floor()`` opens journal, desk and entry; opening it again is a restart."""

    def __init__(self, path) -> None:
        self.path = path
        self.venue = Venue()
        self.broker = VenueBroker(self.venue)
        self.bus = EventBus()
        self.clock = SystemClock()
        self.diagnostics = []

    @asynccontextmanager
    async def __call__(self, *, events: bool = False, **access):
        async with (
            await Journal.open(self.path, clock=self.clock) as self.journal,
            Desk(self.journal, self.bus, self.clock, report=self.diagnostics.append) as self.desk,
        ):
            self.desk.audit = AuditLog.open(self.path.parent, wall=self.clock.wall, redact=str)
            self.access = Access(self.broker, **access)
            await self.desk.attach(self.access)
            self.handle = BrokerHandle(self.desk, "venue", "test")
            async with anyio.create_task_group() as tasks:
                if events:
                    tasks.start_soon(self.desk.run_events, self.access)
                yield self
                tasks.cancel_scope.cancel()
            self.desk.audit.close()

    def codes(self) -> list[str]:
        return [one.code for one in self.diagnostics]

    def sent(self, what: str = "submit_order") -> int:
        return self.venue.calls.count(what)


@pytest.fixture
def floor(tmp_path):
    return Floor(tmp_path / "journal.sqlite")


async def eventually(condition, timeout: float = 5.0) -> None:
    """Wait until a condition, plain or awaitable, holds; what it waits for is another task's work, never a time."""
    with anyio.fail_after(timeout):
        while True:
            found = condition()
            if isawaitable(found):
                found = await found
            if found:
                return
            await anyio.sleep(0.005)


async def reconciled(floor) -> None:
    """Wait until every account is reconciled in this generation of its entry."""
    await eventually(lambda: floor.desk.reconciliations.is_complete("venue"))
