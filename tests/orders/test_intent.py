"""The intent is on stable storage before the first byte, for every trading command."""

from __future__ import annotations

import pytest

from gatehook.kinds.accounts import Position
from gatehook.kinds.commands import Contingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Side
from tests.orders.spy import has_intent
from tests.orders.spy import spied
from tests.orders.venue import EURUSD
from tests.orders.venue import MAIN
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio

POSITION = Position(
    account=MAIN,
    position_id="P1",
    instrument_id=EURUSD,
    side=Side.BUY,
    quantity="10",
    quantity_unit=QuantityUnit.BASE,
    cost="11",
    ts_opened=1,
    ts_last=1,
)


async def test_statement_54_every_trading_command_has_its_intent_on_disk_before_it_is_sent(floor):
    spied(floor.broker, floor.path)
    async with floor():
        assert floor.desk.durability == "FULL"
        await floor.handle.submit_order(limit("a"))
        await floor.handle.amend_order("a", OrderChange(price="1.2"))
        await floor.handle.cancel_order("a")
        pair = OrderList(list_id="l", contingency=Contingency.OCO, orders=[limit("b"), limit("c")])
        assert [one.status for one in await floor.handle.submit_order_list(pair)] == [OrderStatus.ACCEPTED] * 2
        await floor.handle.cancel_all(MAIN)
        floor.venue.positions = [POSITION]
        ref = PositionRef(account=MAIN, instrument_id=EURUSD)
        closing = await floor.handle.close_position(ref, command_id="close-1")
        await floor.handle.modify_position(ref, Protection(stop_loss="1.0"))
        for method in ("submit_order", "amend_order", "cancel_order", "submit_order_list", "cancel_all"):
            assert floor.sent(method) == 1
        assert closing.status is OrderStatus.ACCEPTED
        assert closing.request.side is Side.SELL
        assert closing.request.reduce_only
        assert await floor.handle.order("close-1") == closing


async def test_the_spy_sees_an_intent_that_is_not_there(floor):
    async with floor():
        assert not has_intent(floor.path, "a")
