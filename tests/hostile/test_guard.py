"""The guard at the hostile venue: limits that need its quotes, and approvals while its market moves."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gatehook.kinds.errors import LimitExceeded
from gatehook.kinds.errors import LimitUncomputable
from gatehook.kinds.errors import NotReconciled
from gatehook.kinds.errors import UnresolvedOutstanding
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.testing import Fault
from gatehook.testing.desk_doubt_suite import ready
from gatehook.testing.desk_guard_suite import asked_for
from gatehook.testing.desk_probes import becomes
from gatehook.testing.desk_probes import refused
from tests.hostile.rig import Variant
from tests.hostile.rig import hostile

pytestmark = pytest.mark.anyio
LIMITS = {"max_position": "9000", "max_notional": "8000", "price_band": "0.05", "max_open_orders": 3}


@pytest.fixture
async def rig(plugin_host, venue_process, tmp_path):
    variant = Variant()
    folder = variant.plugin(tmp_path / "plugin", priced=True)
    async with hostile(plugin_host, venue_process, folder, variant, limits={"hostile": LIMITS}) as rig:
        await ready(rig)
        yield rig


def buy(rig, **changes):
    return rig.order(OrderType.LIMIT, **changes)


async def test_an_order_far_from_the_market_is_refused(rig):
    await refused(rig, LimitExceeded, lambda: rig.handle.submit_order(buy(rig, price="1.00000")))
    assert (await rig.handle.submit_order(buy(rig))).status is OrderStatus.ACCEPTED


async def test_an_order_that_is_worth_too_much_is_refused(rig):
    await refused(rig, LimitExceeded, lambda: rig.handle.submit_order(buy(rig, quantity=8000)))


async def test_an_old_quote_values_nothing(rig):
    await rig.venue.control("state", skew=-40_000)
    await refused(rig, LimitUncomputable, lambda: rig.handle.submit_order(buy(rig)))


async def test_a_band_is_checked_again_when_a_person_has_answered(rig):
    request = buy(rig)
    approval = await asked_for(rig, request)
    await rig.venue.quote(rig.bid * 2, rig.ask * 2)
    await refused(rig, LimitExceeded, lambda: rig.desk.approve(approval, person="somebody"))
    assert await rig.handle.order(request.client_order_id) is None


async def test_the_age_of_the_quote_is_checked_again_when_a_person_has_answered(rig):
    approval = await asked_for(rig, buy(rig))
    await rig.venue.control("state", skew=-40_000)
    await refused(rig, LimitUncomputable, lambda: rig.desk.approve(approval, person="somebody"))


async def test_what_waits_for_a_person_holds_its_part_of_the_position(rig):
    approval = await asked_for(rig, buy(rig, quantity=5000))
    await refused(rig, LimitExceeded, lambda: rig.handle.submit_order(buy(rig, quantity=5000)))
    order = await rig.desk.approve(approval, person="somebody")
    assert order.status is OrderStatus.ACCEPTED


async def test_an_unknown_holds_its_part_of_the_position(rig):
    request = buy(rig, quantity=5000)
    async with rig.venue.fault(Fault.INCOMPLETE):
        async with rig.venue.fault(Fault.DROP_REQUEST):
            await rig.handle.submit_order(request)
        await refused(rig, LimitExceeded, lambda: rig.handle.submit_order(buy(rig, quantity=5000)))
    await becomes(rig, request, OrderStatus.REJECTED)
    assert (await rig.handle.submit_order(buy(rig, quantity=5000))).status is OrderStatus.ACCEPTED


async def test_a_refusal_of_the_venue_gives_its_part_back(rig):
    await rig.venue.control("mood", mood="refuse", count=1)
    assert (await rig.handle.submit_order(buy(rig, quantity=5000))).status is OrderStatus.REJECTED
    assert (await rig.handle.submit_order(buy(rig, quantity=5000))).status is OrderStatus.ACCEPTED


async def test_a_close_passes_where_no_limit_can_be_computed(rig):
    opening = rig.order(quantity=4000)
    await rig.handle.submit_order(opening)
    await becomes(rig, opening, OrderStatus.FILLED)
    await rig.venue.control("state", skew=-40_000)
    (position,) = (await rig.handle.positions(rig.account)).positions
    closing = rig.order(side=Side.SELL, quantity=position.quantity, reduce_only=True)
    await rig.handle.submit_order(closing)
    await becomes(rig, closing, OrderStatus.FILLED)
    assert await rig.position() == Decimal(0)


async def test_a_position_that_somebody_else_opened_follows_from_their_fill(rig):
    stranger = {"client": None, "type": "market", "side": "buy", "quantity": "3000", "price": None, "trigger": None}
    stranger |= {"tif": "ioc", "post_only": False, "reduce_only": False, "position": None}
    await rig.venue.control("state", mute=True)
    await rig.venue.control("external", account="main", order=stranger)
    await rig.venue.control("state", mute=False)
    for _ in range(3):
        await rig.desk.reconciliations.now(rig.entry)
    fills = await rig.handle.fills()
    assert [one.quantity for one in fills] == [3000]
    rig.desk.reconciliations.check(rig.account)


async def test_a_position_that_nobody_can_explain_closes_the_account_until_a_person_takes_note(rig):
    await rig.venue.control("gift", account="main", side="buy", quantity="3000")
    for _ in range(3):
        await rig.desk.reconciliations.now(rig.entry)
    await refused(rig, UnresolvedOutstanding, lambda: rig.handle.submit_order(buy(rig)))
    assert await rig.handle.fills() == []
    (adjustment,) = await rig.desk.by_hand.acknowledge(rig.account, note="a gift", person="somebody")
    assert (adjustment.expected, adjustment.reported) == (0, 3000)
    assert (await rig.handle.submit_order(buy(rig))).status is OrderStatus.ACCEPTED


async def test_nothing_is_approved_into_an_account_that_is_not_reconciled(rig):
    request = buy(rig)
    approval = await asked_for(rig, request)
    async with rig.venue.fault(Fault.REFUSE_CONNECTION):
        await rig.desk.reconciliations.now(rig.entry)
        with pytest.raises((UnresolvedOutstanding, NotReconciled, LimitUncomputable)):
            await rig.desk.approve(approval, person="somebody")
    assert await rig.venue.requests() == 0
