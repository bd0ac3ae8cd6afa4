"""What the venue reports by itself: applied once, in any order, never backwards, before the reply or long after."""

from __future__ import annotations

from decimal import Decimal

import anyio
import attrs
import pytest

from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.streams import Gap
from tests.orders.conftest import eventually
from tests.orders.conftest import reconciled
from tests.orders.venue import LIVE
from tests.orders.venue import MAIN
from tests.orders.venue import OTHER
from tests.orders.venue import limit
from tests.orders.venue import state_of

pytestmark = pytest.mark.anyio


async def known(floor, client_order_id="a"):
    return await floor.handle.order(client_order_id)


async def until(floor, status, client_order_id="a"):
    async def reached():
        order = await known(floor, client_order_id)
        return order is not None and order.status is status

    await eventually(reached)
    return await known(floor, client_order_id)


async def told(floor, *events):
    """Tell events and wait until the desk has applied them and asks for more."""
    floor.venue.tell(*events)
    await eventually(lambda: floor.venue.taken == len(floor.venue.events))
    assert await floor.journal.cursor("venue") == str(floor.venue.taken)


async def test_fills_and_orders_reach_the_journal_first_and_then_the_bus(floor):
    async with floor(events=True):
        await reconciled(floor)
        with floor.bus.subscribe("account.*") as events:
            await floor.handle.submit_order(limit("a"))
            fill = floor.venue.fill("a", "4", "T1")
            await told(floor, fill, floor.venue.orders["a"])
            topics = [event.topic for event in await events.batch()]
            assert topics == [
                "account.order.submitted",
                "account.order.accepted",
                "account.fill",
                "account.order.partially_filled",
            ]
        assert await floor.handle.fills() == [fill]
        order = await known(floor)
        assert (order.filled, order.leaves, order.cost) == (4, 6, Decimal("4.4"))
        assert [change.topic for change in await floor.handle.changes(after=1)] == topics[1:]


async def test_statement_18_a_fill_before_the_reply_is_kept_and_applied(floor):
    async def fills_first(request):
        floor.venue.accept(request)
        early = floor.venue.fill("a", "10", "T1", named=False)
        await told(floor, early)
        return attrs.evolve(floor.venue.orders["a"], status=OrderStatus.ACCEPTED, filled=0, leaves=10, cost=0)

    async with floor(events=True):
        floor.broker.on_submit = fills_first
        order = await floor.handle.submit_order(limit("a"))
        assert (order.status, order.filled) == (OrderStatus.FILLED, 10)
        assert len(await floor.handle.orders()) == 1


async def test_a_fill_under_an_id_that_only_the_reply_tells_waits_for_it(floor):
    async def fills_first(request):
        floor.venue.accept(request)
        floor.broker.on_lookup = lookup_fails
        await told(floor, floor.venue.fill("a", "4", "T1", named=False))
        return attrs.evolve(floor.venue.orders["a"], status=OrderStatus.ACCEPTED, filled=0, leaves=10, cost=0)

    async def lookup_fails(ref):
        raise TimeoutError

    async with floor(events=True):
        floor.broker.on_submit = fills_first
        order = await floor.handle.submit_order(limit("a"))
        assert (order.status, order.filled) == (OrderStatus.PARTIALLY_FILLED, 4)


async def test_statement_30_a_fill_from_stream_and_snapshot_is_one_fill(floor):
    async with floor(events=True):
        await floor.handle.submit_order(limit("a"))
        fill = floor.venue.fill("a", "4", "T1")
        await told(floor, fill, fill, Gap(reason="lost"), fill, floor.venue.orders["a"])
        assert await floor.handle.fills() == [fill]
        assert (await known(floor)).filled == 4


async def test_statement_31_what_was_missed_over_a_restart_appears_once_and_in_order(floor):
    async with floor(events=True):
        await floor.handle.submit_order(limit("a"))
        first = floor.venue.fill("a", "4", "T1")
        await told(floor, first)
    second, third = floor.venue.fill("a", "1", "T2"), floor.venue.fill("a", "5", "T3")
    async with floor(events=True):
        assert (await until(floor, OrderStatus.FILLED)).cost == Decimal(11)
        assert await floor.handle.fills() == [first, second, third]


async def test_reordered_reports_never_move_an_order_backwards(floor):
    async with floor(events=True):
        await told(floor, state_of(MAIN))
        accepted = await floor.handle.submit_order(limit("a"))
        floor.venue.fill("a", "4", "T1")
        partial = floor.venue.orders["a"]
        floor.venue.fill("a", "6", "T2")
        filled = floor.venue.orders["a"]
        await told(floor, filled, partial, accepted)
        order = await known(floor)
        assert (order.status, order.filled, order.leaves) == (OrderStatus.FILLED, 10, 0)
        assert len([one for one in await floor.handle.changes() if one.topic.startswith("account.order.")]) == 3


async def test_statement_29_a_fill_that_won_the_race_with_the_cancel_is_applied(floor):
    async with floor(events=True):
        await told(floor, state_of(MAIN))
        await floor.handle.submit_order(limit("a"))
        late = attrs.evolve(floor.venue.fill("a", "10", "T1"))
        floor.venue.orders["a"] = attrs.evolve(
            floor.venue.orders["a"], status=OrderStatus.ACCEPTED, filled=0, leaves=10
        )
        assert (await floor.handle.cancel_order("a")).status is OrderStatus.CANCELED
        await told(floor, late)
        order = await known(floor)
        assert (order.status, order.filled, order.canceled) == (OrderStatus.FILLED, 10, 0)


async def test_an_order_of_somebody_else_is_external(floor):
    async with floor(events=True):
        theirs = floor.venue.accept(limit("theirs"))
        fill = floor.venue.fill("theirs", "10", "T1", named=False)
        await told(floor, fill)
        order = await until(floor, OrderStatus.FILLED, "theirs")
        assert (order.origin, order.owner) == (OrderOrigin.EXTERNAL, "")
        assert order.venue_order_id == theirs.venue_order_id


async def test_an_overfill_is_recorded_and_reported(floor):
    async with floor(events=True):
        await floor.handle.submit_order(limit("a"))
        await told(floor, floor.venue.fill("a", "10", "T1"), floor.venue.fill("a", "3", "T2"))
        order = await known(floor)
        assert (order.status, order.filled, order.leaves, order.canceled) == (OrderStatus.FILLED, 13, 0, 0)
        assert "orders.overfilled" in [one.code for one in floor.diagnostics]


async def test_reports_of_accounts_that_are_not_allowed_leave_no_trace(floor):
    async with floor(events=True, allowed_accounts=frozenset({"main"})):
        foreign = Order.of(limit("x", account=OTHER), OrderStatus.ACCEPTED, venue_order_id="V9")
        await reconciled(floor)
        with floor.bus.subscribe("account.*") as events:
            richer = attrs.evolve(state_of(MAIN), equity=1)
            await told(floor, foreign, attrs.evolve(state_of(LIVE), equity=1), richer)
            assert [event.payload for event in await events.batch()] == [richer]
        assert await floor.handle.orders() == []


async def test_nonsense_in_the_stream_is_reported_and_the_rest_goes_on(floor):
    async with floor(events=True):
        await floor.handle.submit_order(limit("a"))
        await told(floor, state_of(MAIN))
        good = floor.venue.fill("a", "10", "T1")
        bad = [attrs.evolve(good, trade_id={"a": 1}), attrs.evolve(good, trade_id="\udc80", venue_order_id=7)]
        await told(floor, "nonsense", None, *bad, floor.venue.orders["a"])
        await until(floor, OrderStatus.FILLED)
        assert [one.code for one in floor.diagnostics] == ["orders.report-ignored"] * 4


async def test_a_stream_that_breaks_is_opened_again_and_nothing_is_missed(floor):
    runs = []
    honest = floor.broker.run_events

    async def breaks_once(sink, after):
        runs.append(after)
        if len(runs) == 1:
            raise StreamOverflow("too slow")
        await honest(sink, after)

    floor.broker.run_events = breaks_once
    async with floor(events=True):
        await floor.handle.submit_order(limit("a"))
        floor.venue.fill("a", "10", "T1")
        await until(floor, OrderStatus.FILLED)
        await eventually(lambda: "orders.events-lost" in [one.code for one in floor.diagnostics])


async def test_positions_and_money_are_published_and_only_the_newest_is_kept(floor):
    async with floor(events=True):
        await reconciled(floor)
        report = PositionReport(account=MAIN, positions=(), complete=False, as_of=5)
        with floor.bus.subscribe("account.*") as events:
            await told(floor, report, attrs.evolve(report, as_of=6), attrs.evolve(state_of(MAIN), equity=1))
            assert [event.topic for event in await events.batch()] == ["account.position", "account.state"]
        assert await floor.handle.changes() == []


async def test_a_crash_of_the_providers_code_is_the_hosts(floor):
    async def crashes(sink, after):
        raise ZeroDivisionError

    floor.broker.run_events = crashes
    async with floor():
        with pytest.raises(ZeroDivisionError):
            await floor.desk.run_events(floor.access)


async def test_a_broker_without_events_is_asked_now_and_then(floor):
    from tests.orders.venue import CAPABILITIES

    async with floor(events=True, capabilities=attrs.evolve(CAPABILITIES, events=False)):
        floor.venue.accept(limit("theirs"))
        await floor.desk.attach(floor.access)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(floor.desk.run_events, floor.access)
            await until(floor, OrderStatus.ACCEPTED, "theirs")
            tasks.cancel_scope.cancel()
