"""Cancel, amend and the others: sent once under their command id, nothing resolved without evidence."""

from __future__ import annotations

import attrs
import pytest

from gatehook.kinds.commands import Contingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderStatus
from tests.orders.conftest import eventually
from tests.orders.test_intent import POSITION
from tests.orders.venue import CAPABILITIES
from tests.orders.venue import EURUSD
from tests.orders.venue import MAIN
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio

HERE = PositionRef(account=MAIN, instrument_id=EURUSD)


async def test_statement_23_a_second_cancel_is_refused_without_asking_the_venue(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        assert (await floor.handle.cancel_order("a")).status is OrderStatus.CANCELED
        before = len(await floor.handle.changes())
        with pytest.raises(OrderNotCancellable):
            await floor.handle.cancel_order("a")
        assert floor.sent("cancel_order") == 1
        assert len(await floor.handle.changes()) == before


async def test_the_same_command_id_cancels_once_also_after_a_restart(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        await floor.handle.submit_order(limit("b"))
        first = await floor.handle.cancel_order("a", command_id="c-1")
        assert await floor.handle.cancel_order("a", command_id="c-1") == first
    async with floor():
        assert await floor.handle.cancel_order("a", command_id="c-1") == first
        with pytest.raises(DuplicateClientOrderId):
            await floor.handle.cancel_order("b", command_id="c-1")
        with pytest.raises(DuplicateClientOrderId):
            await floor.handle.submit_order(limit("c-1"))
        assert floor.sent("cancel_order") == 1


async def test_statement_24_the_venues_refusal_is_the_callers_and_is_remembered(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        floor.venue.fill("a", "10", "T1")
        for _ in range(2):
            with pytest.raises(OrderNotCancellable):
                await floor.handle.cancel_order("a", command_id="c-1")
        assert floor.sent("cancel_order") == 1


@pytest.mark.parametrize("error", [NotConnected("down"), NotFound("unknown order")])
async def test_statement_25_a_cancel_that_was_not_done_changes_nothing_and_may_be_repeated(floor, error):
    async def fails(client_order_id):
        raise error

    async with floor():
        await floor.handle.submit_order(limit("a"))
        floor.broker.on_cancel = fails
        with pytest.raises(type(error)):
            await floor.handle.cancel_order("a", command_id="c-1")
        assert (await floor.handle.order("a")).status is OrderStatus.ACCEPTED
        floor.broker.on_cancel = None
        assert (await floor.handle.cancel_order("a", command_id="c-1")).status is OrderStatus.CANCELED


async def cancels_and_drops(floor, client_order_id):
    floor.venue.cancel(client_order_id)
    raise ConnectionResetError


async def test_statement_26_an_unproven_cancel_is_pending_until_the_venue_says(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        floor.broker.on_cancel = lambda name: cancels_and_drops(floor, name)
        order = await floor.handle.cancel_order("a", command_id="c-1")
        assert order.status is OrderStatus.PENDING_CANCEL
        assert await floor.handle.cancel_order("a", command_id="c-1") == order
        assert floor.sent("cancel_order") == 1
        assert floor.desk.unknown_orders() == (order,)
    async with floor(events=True):
        await eventually(lambda: not floor.desk.unknown_orders())
        assert (await floor.handle.order("a")).status is OrderStatus.CANCELED


async def test_an_unproven_cancel_of_an_unknown_order_leaves_it_unknown(floor):
    async def drops(request):
        raise ConnectionResetError

    async with floor():
        floor.broker.on_submit = drops
        await floor.handle.submit_order(limit("a"))
        floor.broker.on_cancel = drops
        assert (await floor.handle.cancel_order("a")).status is OrderStatus.UNKNOWN


async def test_an_order_may_be_named_by_the_venues_id(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        ref = OrderRef(account=MAIN, venue_order_id="V1")
        assert (await floor.handle.cancel_order(ref)).request.client_order_id == "a"
        with pytest.raises(NotFound):
            await floor.handle.cancel_order("nobody")


async def test_statement_28_an_amend_keeps_the_id_and_the_first_content_still_names_it(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        order = await floor.handle.amend_order("a", OrderChange(price="1.2"))
        assert order.request.price == order.request.__class__.__attrs_attrs__.price.converter("1.2")
        assert await floor.handle.submit_order(limit("a")) == order
        assert floor.sent() == 1


@pytest.mark.parametrize("change", [OrderChange(price="1.20001"), OrderChange(quantity="2000")])
async def test_an_amend_is_checked_on_the_order_that_results(floor, change):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        with pytest.raises(InvalidOrder):
            await floor.handle.amend_order("a", change)
        assert floor.sent("amend_order") == 0


async def test_what_the_broker_does_not_declare_is_not_sent(floor):
    pair = OrderList(list_id="l", contingency=Contingency.OCO, orders=[limit("b"), limit("c")])
    bare = attrs.evolve(
        CAPABILITIES, amend=False, cancel_all=False, close_position=False, protection=False, order_lists=()
    )
    async with floor(capabilities=bare):
        await floor.handle.submit_order(limit("a"))
        floor.venue.positions = [POSITION]
        for call in (
            lambda: floor.handle.amend_order("a", OrderChange(price="1.2")),
            lambda: floor.handle.cancel_all(MAIN),
            lambda: floor.handle.close_position(HERE),
            lambda: floor.handle.modify_position(HERE, Protection()),
            lambda: floor.handle.submit_order_list(pair),
        ):
            with pytest.raises(UnsupportedCapability):
                await call()
        assert await floor.handle.order("b") is None
        for method in ("amend_order", "cancel_all", "close_position", "modify_position", "submit_order_list"):
            assert floor.sent(method) == 0


async def test_cancel_all_gives_one_result_an_order_and_the_same_again(floor):
    async with floor():
        for name in ("a", "b"):
            await floor.handle.submit_order(limit(name))
        done = await floor.handle.cancel_all(MAIN, command_id="all-1")
        assert [one.status for one in done] == [OrderStatus.CANCELED] * 2
        assert await floor.handle.cancel_all(MAIN, command_id="all-1") == done
        assert floor.sent("cancel_all") == 1


async def test_protection_that_may_have_been_set_is_said_so_and_not_set_again(floor):
    async with floor():

        async def drops(ref, protection, *, command_id):
            floor.venue.calls.append("modify_position")
            raise ConnectionResetError

        floor.broker.modify_position = drops
        for _ in range(2):
            with pytest.raises(Ambiguous):
                await floor.handle.modify_position(HERE, Protection(stop_loss="1"), command_id="p-1")
        assert floor.sent("modify_position") == 1


async def test_a_close_is_an_order_whose_id_is_the_command_id(floor):
    async with floor():
        floor.venue.positions = [POSITION]
        first = await floor.handle.close_position(HERE, command_id="x")
        floor.venue.positions = []
        assert await floor.handle.close_position(HERE, command_id="x") == first
        with pytest.raises(DuplicateClientOrderId):
            await floor.handle.submit_order(limit("x"))
        with pytest.raises(NotFound):
            await floor.handle.close_position(HERE, command_id="y")
        assert floor.sent("close_position") == 1


async def test_a_list_is_claimed_whole_or_not_at_all(floor):
    async with floor():
        await floor.handle.submit_order(limit("b"))
        pair = OrderList(list_id="l", contingency=Contingency.OCO, orders=[limit("a"), limit("b")])
        with pytest.raises(DuplicateClientOrderId):
            await floor.handle.submit_order_list(pair)
        assert await floor.handle.order("a") is None
        good = OrderList(list_id="m", contingency=Contingency.OCO, orders=[limit("c"), limit("d")])
        first = await floor.handle.submit_order_list(good)
        assert await floor.handle.submit_order_list(good) == first
        assert floor.sent("submit_order_list") == 1
