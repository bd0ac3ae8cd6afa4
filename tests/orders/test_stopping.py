"""An entry that is stopped: nothing is said that is not so."""

from __future__ import annotations

import anyio
import pytest

from gatehook.kinds.errors import NotConnected

pytestmark = pytest.mark.anyio


async def test_an_entry_that_is_stopped_has_lost_no_events(floor):
    asked, stopped = anyio.Event(), anyio.Event()

    async def away(account, **options):
        asked.set()
        await stopped.wait()
        raise NotConnected("venue is stopping")

    floor.broker.list_orders = away
    async with floor(events=True):
        await asked.wait()
        await floor.desk.detach("venue")
        stopped.set()
        await anyio.wait_all_tasks_blocked()
        assert floor.diagnostics == []
