"""One id is one order: for ever, over restarts, and from two tasks at once."""

from __future__ import annotations

import anyio
import pytest

from gatehook.kinds.errors import DuplicateClientOrderId
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
