"""A desk whose start is cut off leaves nothing open."""

from __future__ import annotations

import anyio
import pytest

from gatehook.clocks import SystemClock
from gatehook.events import EventBus
from gatehook.orders import Journal
from tests.orders.desks import desk_on

pytestmark = pytest.mark.anyio


async def test_a_start_that_is_cancelled_while_the_journal_is_read_leaves_no_group_open(tmp_path, monkeypatch):
    monkeypatch.setattr(Journal, "recover", lambda *_: anyio.sleep_forever())
    async with anyio.create_task_group() as tasks:
        with anyio.move_on_after(0.05) as scope:
            async with desk_on(tmp_path, EventBus(), SystemClock(), print):
                raise AssertionError("the start was cancelled")
        assert scope.cancelled_caught
        tasks.cancel_scope.cancel()
