"""Whether a call holds up the loop is told apart from a machine that has much else to do."""

from __future__ import annotations

import time

import anyio.lowlevel
import anyio.to_thread
import pytest

from gatehook.testing import memory_probes as probes

pytestmark = pytest.mark.anyio


async def blocking():
    time.sleep(0.3)  # noqa: ASYNC251  that is the fault


async def in_a_thread():
    await anyio.to_thread.run_sync(time.sleep, 0.3)


@pytest.fixture
def lags(monkeypatch):
    """Let the loop be held up so long, in turn, by the call and by the work beside it."""

    def give(*values):
        left = list(values)

        async def lag(work):
            await work
            return left.pop(0)

        monkeypatch.setattr(probes, "worst_lag", lag)
        return left

    return give


async def test_a_call_that_blocks_is_late_by_that_and_one_in_a_thread_is_not():
    assert await probes.worst_lag(blocking()) > 0.25
    assert any([await probes.worst_lag(in_a_thread()) < 0.25 for _ in range(8)])


async def test_what_is_always_longer_than_the_work_beside_it_holds_up(lags):
    lags(0.3, 0.01, 0.31, 0.06, 0.3, 0.02)
    assert await probes.holds_up(anyio.lowlevel.checkpoint, tries=3)


async def test_what_a_busy_machine_does_to_any_work_is_not_the_calls_doing(lags):
    lags(0.3, 0.01, 0.2, 0.25, 0.3)
    assert not await probes.holds_up(anyio.lowlevel.checkpoint, tries=3)


async def test_once_in_time_is_enough(lags):
    left = lags(0.3, 0.01, 0.04, 9.0)
    assert not await probes.holds_up(anyio.lowlevel.checkpoint)
    assert left == [9.0]
