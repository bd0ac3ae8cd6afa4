"""One id is one order: for ever, over restarts, and from two tasks at once."""

from __future__ import annotations

import anyio
import pytest

from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import TimeInForce
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


async def test_an_order_is_sent_once_and_returned_as_the_venue_has_it(floor):
    async with floor():
        order = await floor.handle.submit_order(limit("a"))
        assert order.status is OrderStatus.ACCEPTED
        assert order.venue_order_id == "V1"
        assert order.owner == "test"
        assert order.request.time_in_force is TimeInForce.GTC
        assert await floor.handle.order("a") == order


async def test_statement_01_same_id_and_content_returns_the_first_order(floor):
    async with floor():
        first = await floor.handle.submit_order(limit("a", "10", "1.10", tags=("x", "y")))
        again = await floor.handle.submit_order(
            limit("a", "10.0", "1.1", tags=("y", "x"), time_in_force=TimeInForce.GTC)
        )
        assert again == first
        assert floor.sent() == 1


async def test_statement_02_other_content_is_refused_and_nothing_is_sent(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        with pytest.raises(DuplicateClientOrderId):
            await floor.handle.submit_order(limit("a", "11"))
        assert floor.sent() == 1


async def test_statement_03_it_holds_after_the_end_and_after_a_restart(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        canceled = await floor.handle.cancel_order("a")
        assert (await floor.handle.submit_order(limit("a"))).status is OrderStatus.CANCELED
    async with floor():
        assert await floor.handle.submit_order(limit("a")) == canceled
        with pytest.raises(DuplicateClientOrderId):
            await floor.handle.submit_order(limit("a", price="1.2"))
        assert floor.sent() == 1


async def test_statement_04_two_tasks_with_one_id_make_one_order(floor):
    release = anyio.Event()
    found = []

    async def slow(request):
        await release.wait()
        return floor.venue.accept(request)

    async def submit():
        found.append(await floor.handle.submit_order(limit("a")))

    async with floor():
        floor.broker.on_submit = slow
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(submit)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(DuplicateClientOrderId):
                await floor.handle.submit_order(limit("a", "11"))
            release.set()
        assert floor.sent() == 1
        assert found == [found[0]] * 3


async def test_statement_04_the_second_task_gets_the_firsts_refusal(floor):
    async def denies(request):
        await anyio.wait_all_tasks_blocked()
        raise NotConnected("down")

    refused = []

    async def submit():
        with pytest.raises(NotConnected) as caught:
            await floor.handle.submit_order(limit("a"))
        refused.append(caught.value)

    async with floor():
        floor.broker.on_submit = denies
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit)
            tasks.start_soon(submit)
        assert len(refused) == 2
        assert floor.sent() == 1


async def test_statement_51_a_known_id_is_answered_while_the_entry_is_down(floor):
    async with floor():
        first = await floor.handle.submit_order(limit("a"))
        await floor.desk.detach("venue")
        assert await floor.handle.submit_order(limit("a")) == first
        with pytest.raises(DuplicateClientOrderId):
            await floor.handle.submit_order(limit("a", "11"))
        with pytest.raises(NotConnected):
            await floor.handle.submit_order(limit("b"))
