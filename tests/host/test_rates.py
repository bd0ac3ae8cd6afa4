"""A budget of requests: who goes first, how fast, and not before the venue's time."""

from __future__ import annotations

import math

import anyio
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.host.pace import Pace
from gatehook.host.rates import FIRST_CLOSURE
from gatehook.host.rates import LONGEST_CLOSURE
from gatehook.host.rates import RateBudget
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import Throttled
from gatehook.orders import CallKind

pytestmark = pytest.mark.anyio

READ, SUBMIT, REDUCE = CallKind.READ, CallKind.SUBMIT, CallKind.REDUCE
USER = object()
#: So fast that no test waits long, with a stock of 2 of which 1 is kept from reads.
FAST = Pace(6000, 2)


class Clock:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def budget(clock):
    return RateBudget(clock)


def real(pace=FAST):
    found = RateBudget(anyio.current_time)
    found.allow("one", pace)
    return found


async def take(budget, kind, count=1, timeout=0.0):
    for _ in range(count):
        await budget.acquire(kind, timeout, USER)


# --- the pace


async def test_without_a_pace_there_is_nothing_to_ask(budget):
    assert not budget.gated
    await take(budget, READ, 1000)


async def test_no_more_leave_at_once_than_the_burst_and_then_the_refusal_says_for_how_long(budget):
    budget.allow("one", Pace(60, 10))
    assert budget.gated
    await take(budget, SUBMIT, 10)
    with pytest.raises(Throttled, match="nothing was sent") as caught:
        await take(budget, SUBMIT)
    assert caught.value.retry_after == pytest.approx(60 / 51)


@given(
    per_minute=st.integers(1, 400),
    burst=st.none() | st.integers(1, 1000),
    steps=st.lists(st.floats(0, 20), min_size=1, max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_no_minute_holds_more_than_the_pace(per_minute, burst, steps):
    clock, left = Clock(), []

    async def spend():
        budget = RateBudget(clock)
        budget.allow("one", Pace(per_minute, burst))
        for step in steps:
            clock.time += step
            try:
                while True:
                    await take(budget, SUBMIT)
                    left.append(clock.time)
            except Throttled:
                pass

    anyio.run(spend)
    assert left
    for first in left:
        assert sum(first <= one < first + 60 for one in left) <= per_minute


async def test_reads_leave_a_reserve_for_orders(budget):
    budget.allow("one", Pace(80, 8))
    await take(budget, READ, 6)
    with pytest.raises(Throttled):
        await take(budget, READ)
    await take(budget, SUBMIT)
    await take(budget, REDUCE)
    with pytest.raises(Throttled):
        await take(budget, REDUCE)


async def test_the_slowest_of_all_who_declare_holds_until_it_leaves(budget):
    budget.allow("one", Pace(600))
    budget.allow("two", Pace(60))
    await take(budget, SUBMIT, 6)
    with pytest.raises(Throttled):
        await take(budget, SUBMIT)
    budget.allow("two", None)
    with pytest.raises(Throttled):  # a faster pace brings no tokens that were not there
        await take(budget, SUBMIT)
    budget.allow("one", None)
    assert not budget.gated


# --- waiting


async def test_what_reduces_risk_goes_first_then_orders_then_reads(anyio_backend):
    budget, went = real(Pace(600, 1)), []
    await take(budget, REDUCE)

    async def go(kind, *, task_status):
        task_status.started()
        await budget.acquire(kind, 5.0, USER)
        went.append(kind)

    async with anyio.create_task_group() as tasks:
        for kind in (READ, SUBMIT, READ, REDUCE, SUBMIT, REDUCE):
            await tasks.start(lambda kind=kind, *, task_status: go(kind, task_status=task_status))
    assert went == [REDUCE, REDUCE, SUBMIT, SUBMIT, READ, READ]


async def test_a_cancelled_wait_takes_no_token_and_holds_up_nobody(anyio_backend):
    budget, went = real(Pace(1200, 1)), []
    await take(budget, SUBMIT)

    async def go(scope):
        with scope:
            await budget.acquire(SUBMIT, 5.0, USER)
            went.append(1)

    scopes = [anyio.CancelScope() for _ in range(5)]
    async with anyio.create_task_group() as tasks:
        for scope in scopes:
            tasks.start_soon(go, scope)
        await anyio.wait_all_tasks_blocked()
        for scope in scopes[:-1]:
            scope.cancel()
    assert went == [1]


async def test_a_wait_that_others_outrun_ends_at_its_deadline(anyio_backend):
    budget = real(Pace(600, 1))
    await take(budget, REDUCE)

    async def outrun():
        while True:
            await budget.acquire(REDUCE, 5.0, USER)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(outrun)
        with pytest.raises(Throttled):
            await budget.acquire(READ, 0.35, USER)
        tasks.cancel_scope.cancel()


async def test_who_waits_for_an_entry_that_stops_is_told_that_nothing_was_sent(anyio_backend):
    budget, other, told = real(Pace(300, 1)), object(), []
    await take(budget, SUBMIT)

    async def go(user):
        try:
            await budget.acquire(SUBMIT, 5.0, user)
        except NotConnected:
            told.append(user)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go, USER)
        tasks.start_soon(go, other)
        await anyio.wait_all_tasks_blocked()
        budget.expel(USER)
    assert told == [USER]


# --- the venue's word


async def test_a_refusal_closes_it_for_everything_until_the_stated_time(budget, clock):
    assert budget.refused(RateLimited("too many", retry_after=30))
    assert budget.gated
    for kind in CallKind:
        with pytest.raises(Throttled) as caught:
            await take(budget, kind, timeout=10)
        assert caught.value.retry_after == 30
    clock.time = 30.0
    await take(budget, READ)
    budget.passed()
    assert not budget.gated


async def test_a_call_that_can_wait_until_the_stated_time_waits(anyio_backend):
    budget = real(None)
    budget.refused(RateLimited("too many", retry_after=0.05))
    await budget.acquire(SUBMIT, 5.0, USER)
    assert not budget.rest


async def test_a_shorter_time_that_is_stated_later_does_not_open_it(budget):
    budget.refused(RateLimited("banned", retry_after=300, venue_code="418"))
    assert not budget.refused(RateLimited("too many", retry_after=1))
    assert budget.rest == 300


@pytest.mark.parametrize("stated", [None, 0, -5, math.nan, math.inf])
async def test_without_a_usable_time_it_is_closed_twice_as_long_each_time_up_to_a_minute(budget, clock, stated):
    closures = []
    for _ in range(9):
        budget.refused(RateLimited("too many", retry_after=stated))
        closures.append(budget.rest)
        clock.time += budget.rest
    assert closures[:4] == [FIRST_CLOSURE, 2, 4, 8]
    assert closures[-1] == LONGEST_CLOSURE
    budget.passed()
    budget.refused(RateLimited("too many"))
    assert budget.rest == FIRST_CLOSURE


async def test_refusals_of_calls_that_were_under_way_together_count_once(budget, clock):
    for _ in range(20):
        budget.refused(RateLimited("too many"))
    assert budget.rest == FIRST_CLOSURE


async def test_an_answer_to_an_earlier_call_does_not_open_it(budget):
    budget.refused(RateLimited("too many", retry_after=30))
    budget.passed()
    assert budget.refusals == 1
    with pytest.raises(Throttled, match="venue"):
        budget.check_open()
