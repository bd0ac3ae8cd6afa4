"""What the end of a send proves, and what the desk makes of it."""

from __future__ import annotations

import asyncio

import anyio
import attrs
import pytest

from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import AuthError
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import NotFound
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.provider import HealthStatus
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


def raising(error):
    async def submit(request):
        raise error

    return submit


@pytest.mark.parametrize("error", [Denied("no"), NotConnected("no"), AuthError("no"), NotFound("no")])
async def test_statement_14_nothing_sent_frees_the_id_durably(floor, error):
    async with floor():
        floor.broker.on_submit = raising(error)
        with pytest.raises(type(error)):
            await floor.handle.submit_order(limit("a"))
        assert await floor.handle.order("a") is None
        [denied] = await floor.handle.orders()
        assert denied.status is OrderStatus.DENIED
    async with floor():
        floor.broker.on_submit = None
        assert (await floor.handle.submit_order(limit("a", "99"))).status is OrderStatus.ACCEPTED


async def test_a_proven_refusal_is_rejected_with_the_venues_words_and_keeps_the_id(floor):
    async with floor():
        floor.broker.on_submit = raising(InsufficientFunds("too little money", venue_code="-2010"))
        order = await floor.handle.submit_order(limit("a"))
        assert order.status is OrderStatus.REJECTED
        assert (order.reason.code, order.reason.venue_code) == ("insufficient_funds", "-2010")
        assert (order.leaves, order.canceled) == (0, 10)
        assert await floor.handle.submit_order(limit("a")) == order
        assert floor.sent() == 1


async def answers_nonsense(request):
    return {"status": "ok"}


async def hangs(request):
    await anyio.sleep_forever()


async def exits(request):
    raise SystemExit(1)


async def drops_the_reply(request):
    raise ConnectionResetError


async def says_submitted(request):
    from gatehook.kinds.orders import Order

    return Order.of(request, OrderStatus.SUBMITTED)


async def answers_another_order(request):
    from gatehook.kinds.orders import Order

    return Order.of(attrs.evolve(request, client_order_id="other"), OrderStatus.ACCEPTED)


async def answers_with_a_number_for_an_id(request):
    from gatehook.kinds.orders import Order

    return Order.of(request, OrderStatus.ACCEPTED, venue_order_id=5)


@pytest.mark.parametrize(
    "hostile",
    [
        answers_with_a_number_for_an_id,
        raising(Ambiguous("500")),
        raising(ExceptionGroup("several", [Denied("no")])),
        answers_nonsense,
        hangs,
        exits,
        drops_the_reply,
        says_submitted,
        answers_another_order,
    ],
)
async def test_statement_14_whatever_proves_nothing_is_unknown_and_never_sent_again(floor, hostile):
    async with floor(deadline=0.1):
        floor.broker.on_submit = hostile
        order = await floor.handle.submit_order(limit("a"))
        assert order.status is OrderStatus.UNKNOWN
        assert await floor.handle.submit_order(limit("a")) == order
        assert floor.sent() == 1
        assert floor.desk.unknown_orders() == (order,)
        assert floor.handle.health().status is HealthStatus.DEGRADED
    async with floor():
        [still] = floor.desk.unknown_orders("venue")
        assert still.request.client_order_id == "a"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio lets nobody else raise its Cancelled
async def test_a_cancellation_that_the_provider_leaks_is_no_proof(floor):
    async def leaks(request):
        raise asyncio.CancelledError

    async with floor():
        floor.broker.on_submit = leaks
        assert (await floor.handle.submit_order(limit("a"))).status is OrderStatus.UNKNOWN
        floor.broker.on_submit = None
        assert (await floor.handle.submit_order(limit("b"))).status is OrderStatus.ACCEPTED


async def test_statement_47_cancelling_the_caller_cancels_neither_the_send_nor_its_outcome(floor):
    sending, go_on = anyio.Event(), anyio.Event()

    async def slow(request):
        sending.set()
        await go_on.wait()
        return floor.venue.accept(request)

    async with floor():
        floor.broker.on_submit = slow
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(floor.handle.submit_order, limit("a"))
            await sending.wait()
            tasks.cancel_scope.cancel()
        go_on.set()
        assert (await floor.handle.submit_order(limit("a"))).status is OrderStatus.ACCEPTED
        assert floor.sent() == 1


async def test_a_caller_that_left_before_the_intent_sends_nothing(floor):
    async with floor():
        with anyio.CancelScope() as scope:
            scope.cancel()
            await floor.handle.submit_order(limit("a"))
        assert (await floor.handle.submit_order(limit("a", "20"))).request.quantity == 20
        assert floor.sent() == 1


async def test_an_entry_that_stops_while_sending_leaves_the_order_unknown(floor, monkeypatch):
    monkeypatch.setattr("gatehook.orders.desk.GRACE", 0.05)
    sending = anyio.Event()

    async def hung(request):
        sending.set()
        await anyio.sleep_forever()

    async with floor(deadline=60):
        floor.broker.on_submit = hung
        found = []

        async def submit():
            found.append(await floor.handle.submit_order(limit("a")))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit)
            await sending.wait()
            await floor.desk.detach("venue")
        assert found[0].status is OrderStatus.UNKNOWN
        with pytest.raises(NotConnected):
            await floor.handle.submit_order(limit("b"))
        assert await floor.handle.submit_order(limit("a")) == found[0]
