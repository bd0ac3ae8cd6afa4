"""Desks over a small venue, on both event loops."""

from __future__ import annotations

from contextlib import asynccontextmanager
from inspect import isawaitable

import anyio
import pytest

from gatehook.clocks import SystemClock
from gatehook.events import EventBus
from gatehook.guard.guard import Rules
from gatehook.kinds.accounts import Mode
from gatehook.kinds.errors import NoQuote
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.orders import BrokerHandle
from tests.orders.desks import desk_on
from tests.orders.venue import EURUSD
from tests.orders.venue import LIVE
from tests.orders.venue import MAIN
from tests.orders.venue import OTHER
from tests.orders.venue import Access
from tests.orders.venue import Venue
from tests.orders.venue import VenueBroker
from tests.orders.venue import position


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Floor:
    """A running desk: ``async with floor()`` opens journal, desk and entry; opening it again is a restart."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.path = folder / "journal.sqlite"
        self.venue = Venue()
        self.broker = VenueBroker(self.venue)
        self.bus = EventBus()
        self.clock = SystemClock()
        self.diagnostics = []
        self._quote = None

    @asynccontextmanager
    async def __call__(self, *, events: bool = False, rules: Rules | None = None, mode: Mode = Mode.PAPER, **access):
        async with desk_on(
            self.folder, self.bus, self.clock, self.diagnostics.append, rules=rules, mode=mode, quote=self._ask
        ) as self.desk:
            self.journal = self.desk.journal
            self.access = Access(self.broker, **access)
            await self.desk.attach(self.access)
            self.handle = BrokerHandle(self.desk, "venue", "test")
            async with anyio.create_task_group() as tasks:
                if events:
                    tasks.start_soon(self.desk.run_events, self.access)
                else:
                    await self.reconciled()
                yield self
                tasks.cancel_scope.cancel()

    def codes(self) -> list[str]:
        return [one.code for one in self.diagnostics]

    async def reconciled(self) -> None:
        """Let the desk compare the entry's accounts with the venue once."""
        await self.desk.reconciliations.now("venue")

    def quote(self, bid: str, ask: str) -> None:
        """Set the market."""
        self._quote = Tick(
            instrument_id=EURUSD, kind=TickKind.QUOTE, bid=bid, ask=ask, ts_event=self.clock.now(), ts_init=0
        )

    async def _ask(self, entry_id, instrument_id) -> Tick:
        if self._quote is None:
            raise NoQuote("the test set none")
        return self._quote

    def hold(self, quantity: str) -> None:
        """Let the venue report a position."""
        self.venue.positions = [position(quantity)]

    def sent(self, what: str = "submit_order") -> int:
        return self.venue.calls.count(what)


@pytest.fixture
def floor(tmp_path):
    return Floor(tmp_path)


async def eventually(condition, timeout: float = 30.0) -> None:
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
    await eventually(lambda: all_reconciled(floor.desk))


def all_reconciled(desk) -> bool:
    states = [state for one in (MAIN, OTHER, LIVE) if (state := desk.reconciliations.state(one)) is not None]
    return bool(states) and not desk.reconciliations.reasons("venue") and not any(state.running for state in states)
