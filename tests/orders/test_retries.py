"""The one retry: only after a proven refusal that says it is safe, with the same ids, once."""

from __future__ import annotations

import anyio
import pytest

from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import ClockSkew
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import Throttled
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderStatus
from gatehook.orders import CallKind
from gatehook.orders.entry import Entry
from gatehook.orders.real_accounts import RealAccounts
from gatehook.orders.sending import Proof
from gatehook.orders.sending import send
from tests.orders.conftest import eventually
from tests.orders.venue import MAIN
from tests.orders.venue import Access
from tests.orders.venue import Venue
from tests.orders.venue import VenueBroker
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


class Script:
    """A call that goes as told, one end after the other; the last one again and again."""

    def __init__(self, *ends):
        self.ends = list(ends)
        self.calls = 0

    async def __call__(self, *_):
        self.calls += 1
        end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        if isinstance(end, BaseException):
            raise end
        return end() if callable(end) else end


def entry_of(timeout=5.0):
    return Entry(Access(VenueBroker(Venue()), deadline=timeout), RealAccounts(print))


async def sent(script, *, timeout=5.0, superseded=None):
    return await send(entry_of(timeout), CallKind.SUBMIT, "submit_order", script, superseded=superseded)


@pytest.mark.parametrize("refusal", [RateLimited("slow down", retry_after=0.01), ClockSkew("too early")])
async def test_statement_17_a_refusal_after_which_it_is_safe_is_followed_by_one_more_call(refusal):
    script = Script(refusal, "order")
    reply = await sent(script)
    assert (reply.proof, reply.value, script.calls) == (Proof.ANSWERED, "order", 2)


async def test_there_is_one_retry_and_no_second():
    script = Script(ClockSkew("too early"))
    reply = await sent(script)
    assert (reply.proof, script.calls) == (Proof.REFUSED, 2)


@pytest.mark.parametrize(
    "end",
    [
        InsufficientFunds("no"),
        InsufficientFunds("no", retry_after=0.01),
        Ambiguous("who knows"),
        NotConnected("away"),
        Throttled("full", retry_after=0.01),
        ProviderError("odd"),
        ConnectionResetError(),
    ],
)
async def test_nothing_else_is_ever_tried_again(end):
    script = Script(end)
    await sent(script)
    assert script.calls == 1


@pytest.mark.parametrize("stated", [1.0, None])
async def test_a_time_beyond_the_deadline_of_the_call_is_not_waited_for(stated):
    script = Script(RateLimited("slow down", retry_after=stated))
    reply = await sent(script, timeout=0.5)
    assert (reply.proof, reply.reason.code, script.calls) == (Proof.REFUSED, "rate_limited", 1)


@pytest.mark.parametrize("end", [Ambiguous("who knows"), ConnectionResetError(), KeyError("bug"), SystemExit(1)])
async def test_a_retry_that_ends_without_proof_proves_nothing(end):
    reply = await sent(Script(ClockSkew("too early"), end))
    assert reply.proof is Proof.NOTHING
    assert "without proof" in reply.reason.message


async def test_a_retry_cut_off_at_its_deadline_proves_nothing():
    calls = []

    async def hang():
        calls.append(1)
        if len(calls) == 1:
            raise ClockSkew("too early")
        await anyio.sleep_forever()

    reply = await sent(hang, timeout=0.1)
    assert (reply.proof, len(calls)) == (Proof.NOTHING, 2)


@pytest.mark.parametrize("end", [NotConnected("away"), Throttled("full")])
async def test_a_retry_that_was_not_sent_leaves_the_refusal_as_it_is(end):
    reply = await sent(Script(ClockSkew("too early"), end))
    assert (reply.proof, reply.error.code) == (Proof.REFUSED, "clock_skew")


@pytest.mark.parametrize(("superseded", "calls"), [(True, 1), (False, 2)])
async def test_a_retry_is_given_up_when_an_event_proves_that_the_first_was_accepted(superseded, calls):
    async def moved_on():
        return superseded

    script = Script(ClockSkew("too early"))
    reply = await sent(script, superseded=moved_on)
    assert (reply.proof, script.calls) == (Proof.REFUSED, calls)


async def test_a_question_that_fails_stops_the_retry():
    async def broken():
        raise OSError("disk")

    script = Script(ClockSkew("too early"))
    reply = await sent(script, superseded=broken)
    assert (reply.proof, script.calls) == (Proof.REFUSED, 1)


async def test_an_entry_that_stops_before_the_retry_leaves_the_refusal_as_it_is():
    entry, replies = entry_of(), []
    script = Script(RateLimited("slow down", retry_after=4.0))

    async def work():
        replies.append(await send(entry, CallKind.SUBMIT, "submit_order", script))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        await entry.stop(0.0)
    assert (replies[0].proof, script.calls) == (Proof.REFUSED, 1)


@pytest.mark.parametrize("stated", ["0.01", b"1", "Wed, 21 Oct 2026 07:28:00 GMT", float("nan"), float("inf"), -1, {}])
async def test_what_a_header_says_may_be_passed_on_as_it_is(stated):
    error = RateLimited("slow down", retry_after=stated)
    assert error.retry_after in (None, 0.01, 1.0)
    await sent(Script(error), timeout=0.5)


# --- behind a desk


async def test_an_order_that_was_refused_for_its_time_is_sent_again_with_the_same_id(floor):
    async with floor():
        floor.broker.on_submit = Script(ClockSkew("too early"), lambda: floor.venue.accept(limit("a")))
        order = await floor.handle.submit_order(limit("a"))
        assert (order.status, floor.sent()) == (OrderStatus.ACCEPTED, 2)
        assert [one.request.client_order_id for one in await floor.handle.orders()] == ["a"]


async def test_an_order_refused_twice_is_rejected_and_its_repetition_sends_nothing(floor):
    async with floor():
        floor.broker.on_submit = Script(ClockSkew("too early"))
        order = await floor.handle.submit_order(limit("a"))
        assert (order.status, order.reason.code) == (OrderStatus.REJECTED, "clock_skew")
        assert await floor.handle.submit_order(limit("a")) == order
        assert floor.sent() == 2


async def test_a_cancel_is_sent_again_too(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        floor.broker.on_cancel = Script(ClockSkew("too early"), lambda: floor.venue.cancel("a"))
        ref = OrderRef(account=MAIN, client_order_id="a")
        canceled = await floor.handle.cancel_order(ref, command_id="c")
        assert (canceled.status, floor.sent("cancel_order")) == (OrderStatus.CANCELED, 2)


async def test_callers_who_leave_during_the_pause_stop_nothing(floor):
    async with floor():
        floor.broker.on_submit = Script(
            RateLimited("slow down", retry_after=0.05), lambda: floor.venue.accept(limit("a"))
        )
        with anyio.move_on_after(0.01):
            await floor.handle.submit_order(limit("a"))

        async def accepted():
            order = await floor.handle.order("a")
            return order is not None and order.status is OrderStatus.ACCEPTED

        await eventually(accepted)
        assert floor.sent() == 2
