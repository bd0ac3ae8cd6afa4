"""A desk whose start is cut off leaves nothing open."""

from __future__ import annotations

import anyio
import pytest

from gatehook.clocks import SystemClock
from gatehook.events import EventBus
from gatehook.orders import Desk
from gatehook.orders import Journal

pytestmark = pytest.mark.anyio


async def test_a_start_that_is_cancelled_while_the_journal_is_read_leaves_no_group_open(tmp_path, monkeypatch):
    async with await Journal.open(tmp_path / "journal.sqlite", clock=SystemClock()) as journal:
        monkeypatch.setattr(journal, "recover", lambda *_: anyio.sleep_forever())
        async with anyio.create_task_group() as tasks:
            with anyio.move_on_after(0.05) as scope:
                async with Desk(journal, EventBus(), SystemClock(), report=print):
                    raise AssertionError("the start was cancelled")
            assert scope.cancelled_caught
            tasks.cancel_scope.cancel()
