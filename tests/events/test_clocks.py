"""The clocks: a replay's market time moves forward only, and only when told."""

import time

import anyio
import pytest

from gatehook.clocks import ReplayClock
from gatehook.clocks import SystemClock

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def test_the_system_clock_is_the_machines():
    clock = SystemClock()
    before = time.time_ns()
    assert before <= clock.now() <= clock.wall() <= time.time_ns()
    assert clock.monotonic() <= time.monotonic()


def test_market_time_stands_still_until_it_is_advanced_and_never_goes_back():
    clock = ReplayClock(100)
    assert clock.now() == 100
    clock.advance(200)
    clock.advance(150)
    assert clock.now() == 200
    assert clock.wall() > 200


async def test_started_waits_for_start():
    clock = ReplayClock()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.started)
        await anyio.wait_all_tasks_blocked()
        assert not clock.is_started
        clock.start()
    assert clock.is_started
