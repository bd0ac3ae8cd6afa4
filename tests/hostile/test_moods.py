"""What a venue does to its callers, and what the desk makes of it: nothing lost, nothing doubled, nothing invented."""

from __future__ import annotations

import pytest

from gatehook.kinds.commands import Contingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.testing.desk_doubt_suite import ready
from gatehook.testing.desk_probes import becomes
from gatehook.testing.desk_probes import ended
from gatehook.testing.desk_probes import reconciled
from gatehook.testing.rig import eventually
from tests.hostile.agreement import disagreements
from tests.hostile.rig import Variant
from tests.hostile.rig import hostile

pytestmark = pytest.mark.anyio
NETTING = Variant()


@pytest.fixture
async def rig(plugin_host, venue_process, tmp_path):
    async with hostile(plugin_host, venue_process, NETTING.plugin(tmp_path / "plugin"), NETTING) as rig:
        await ready(rig)
        yield rig


async def agree(rig):
    """Wait until the journal and the venue agree."""
    await reconciled(rig)
    await eventually(lambda: disagreements(rig), lambda found: not found)


@pytest.mark.parametrize(
    "mood",
    ["drop_reply", "error_500", "conflict", "unmapped", "garbage", "rate_limited_after", "restart", "told_first",
     "lose_news", "lose_fill", "reorder", "duplicate", "delay", "hold"],
)  # fmt: skip
@pytest.mark.parametrize("kind", [OrderType.LIMIT, OrderType.MARKET])
async def test_an_order_that_was_taken_is_found_once(rig, mood, kind):
    await rig.venue.control("mood", mood=mood, count=1)
    request = rig.order(kind)
    await rig.handle.submit_order(request)
    expected = OrderStatus.FILLED if kind is OrderType.MARKET else OrderStatus.ACCEPTED
    await becomes(rig, request, expected)
    await agree(rig)
    assert await rig.venue.requests() == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("expired-request", "rejected"),
        ("insufficient-funds", "insufficient_funds"),
        ("invalid", "rejected"),
        ("invalid-stops", "invalid_stops"),
        ("market-closed", "market_closed"),
        ("reduce-only", "reduce_only_rejected"),
        ("too-late", "order_not_cancellable"),
        ("unknown-position", "rejected"),
        ("would-take", "post_only_would_take"),
    ],
)
async def test_each_proven_refusal_is_a_rejection_with_its_code(rig, code, reason):
    await rig.venue.control("mood", mood="refuse", count=1, refuse=code)
    order = await rig.handle.submit_order(rig.order(OrderType.LIMIT))
    assert (order.status, order.reason.code, order.reason.venue_code) == (OrderStatus.REJECTED, reason, code)
    await agree(rig)


@pytest.mark.parametrize(("count", "status"), [(1, OrderStatus.ACCEPTED), (2, OrderStatus.REJECTED)])
async def test_a_refusal_for_too_many_requests_is_followed_by_one_more_try(rig, count, status):
    await rig.venue.control("mood", mood="rate_limited", count=count, retry_after=0.1)
    order = await rig.handle.submit_order(rig.order(OrderType.LIMIT))
    assert order.status is status
    await agree(rig)
    assert await rig.venue.requests() == 2


@pytest.mark.parametrize("mood", ["drop_reply", "conflict", "garbage", "restart", "fill_before_cancel"])
async def test_a_cancel_in_doubt_is_settled_by_the_venue(rig, mood):
    request = rig.order(OrderType.LIMIT)
    await rig.handle.submit_order(request)
    await rig.venue.control("mood", mood=mood, count=1, on=["cancel"])
    if mood == "fill_before_cancel":
        with pytest.raises(OrderNotCancellable):
            await rig.handle.cancel_order(request.client_order_id)
    else:
        await rig.handle.cancel_order(request.client_order_id)
    order = await ended(rig, request)
    assert order.status is (OrderStatus.FILLED if mood == "fill_before_cancel" else OrderStatus.CANCELED)
    await agree(rig)


async def test_a_cancel_all_that_was_half_done_is_looked_up(rig):
    for _ in range(4):
        await rig.handle.submit_order(rig.order(OrderType.LIMIT))
    await rig.venue.control("mood", mood="conflict", count=1, on=["cancel_all", "cancel"])
    with pytest.raises(Ambiguous):
        await rig.handle.cancel_all(rig.account)
    await agree(rig)


async def test_an_amend_in_doubt_is_settled_by_the_venue(rig):
    request = rig.order(OrderType.LIMIT)
    await rig.handle.submit_order(request)
    await rig.venue.control("mood", mood="drop_reply", count=1)
    price = rig.away(Side.BUY, 50)
    await rig.handle.amend_order(request.client_order_id, OrderChange(price=price))
    order = await becomes(rig, request, OrderStatus.ACCEPTED)
    assert order.request.price == price
    await agree(rig)


async def test_a_list_of_which_half_arrived_is_looked_up(rig):
    orders = [rig.order(OrderType.LIMIT), rig.order(OrderType.LIMIT, side=Side.SELL)]
    await rig.venue.control("mood", mood="conflict", count=1)
    await rig.handle.submit_order_list(OrderList(list_id="oco-1", contingency=Contingency.OCO, orders=orders))
    first, second = orders
    await becomes(rig, first, OrderStatus.ACCEPTED)
    await becomes(rig, second, OrderStatus.REJECTED)
    await agree(rig)


async def test_one_leg_of_an_oco_cancels_the_other(rig):
    orders = [rig.order(OrderType.LIMIT), rig.order(OrderType.LIMIT, side=Side.SELL)]
    await rig.handle.submit_order_list(OrderList(list_id="oco-1", contingency=Contingency.OCO, orders=orders))
    await rig.venue.quote(orders[0].price, orders[0].price)
    await becomes(rig, orders[0], OrderStatus.FILLED)
    await becomes(rig, orders[1], OrderStatus.CANCELED)
    await agree(rig)


async def test_an_overfill_is_recorded_and_halts_the_account(rig):
    await rig.venue.control("mood", mood="overfill", count=1)
    request = rig.order()
    await rig.handle.submit_order(request)
    order = await becomes(rig, request, OrderStatus.FILLED)
    assert order.filled == request.quantity + rig.instrument.size_increment

    async def halted():
        return rig.desk.guard.halt.stops(rig.account, "suite")

    record = await eventually(halted, bool)
    assert record.scope == f"account:{rig.account}"
    await agree(rig)


async def test_fills_in_parts_add_up(rig):
    request = rig.order(OrderType.LIMIT, quantity=3 * rig.lot)
    await rig.handle.submit_order(request)
    for _ in range(3):
        await rig.venue.control("fill", account="main", client=request.client_order_id, quantity=str(rig.lot))
    await becomes(rig, request, OrderStatus.FILLED)
    await agree(rig)
    assert len(await rig.handle.fills()) == 3


async def test_what_the_venue_does_by_itself_has_its_origin(rig):
    await ended_order(rig, rig.order())
    await rig.venue.control("stop_out", account="main")

    async def orders():
        return [one for one in await rig.handle.orders() if one.origin is OrderOrigin.VENUE]

    (order,) = await eventually(orders, bool)
    assert order.request.side is Side.SELL
    await agree(rig)


async def test_protection_at_the_venue_fires_while_nobody_listens(rig):
    await ended_order(rig, rig.order())
    stop = rig.bid - 100 * rig.instrument.price_increment
    ref = PositionRef(account=rig.account, instrument_id=rig.instrument.id)
    await rig.handle.modify_position(ref, Protection(stop_loss=stop))
    await rig.venue.control("state", mute=True)
    await rig.venue.quote(stop, stop + rig.instrument.price_increment)
    await rig.venue.control("state", mute=False)
    await agree(rig)
    assert await rig.position() == 0


async def test_a_cursor_that_the_venue_forgot_loses_nothing(rig):
    await ended_order(rig, rig.order())
    await rig.venue.control("state", mute=True)
    await ended_order(rig, rig.order())
    await rig.venue.control("forget")
    await rig.venue.control("state", mute=False)
    await ended_order(rig, rig.order())
    await agree(rig)


async def ended_order(rig, request):
    await rig.handle.submit_order(request)
    return await ended(rig, request)
