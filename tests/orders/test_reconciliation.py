"""When an account is reconciled, what keeps it from being, and what that means for new risk."""

from __future__ import annotations

import attrs
import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.broker import Evidence
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import NotReconciled
from gatehook.kinds.errors import UnresolvedOutstanding
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.provider import Page
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Reconnected
from gatehook.kinds.times import SECOND
from gatehook.orders.records import CommandState
from tests.orders.conftest import eventually
from tests.orders.conftest import reconciled
from tests.orders.venue import CAPABILITIES
from tests.orders.venue import MAIN
from tests.orders.venue import limit
from tests.orders.venue import position

pytestmark = pytest.mark.anyio

CALLS = ("get_account", "list_orders", "list_fills", "list_positions")


def check(floor, account=MAIN):
    floor.desk.reconciliations.check(account)


async def now(floor):
    await floor.desk.reconciliations.now("venue")


def state(floor):
    return floor.desk.reconciliations.state(MAIN)


# --- the first one


async def test_statement_55_before_the_first_complete_one_new_risk_is_refused(floor):
    floor.venue.accept(limit("theirs"))
    floor.venue.instead["list_positions"] = lambda honest: attrs.evolve(honest, complete=False)
    async with floor():
        with pytest.raises(NotReconciled, match="not compared"):
            await floor.handle.submit_order(limit("a"))
        assert floor.sent() == 0
        assert (await floor.handle.cancel_order("theirs")).status is OrderStatus.CANCELED
    floor.venue.instead.clear()
    async with floor(events=True):
        await reconciled(floor)
        assert (await floor.handle.submit_order(limit("a"))).status is OrderStatus.ACCEPTED
        assert floor.desk.health("venue").status is HealthStatus.OK


async def test_a_new_generation_of_the_entry_is_not_reconciled(floor):
    async with floor(events=True):
        await reconciled(floor)
        await floor.desk.attach(floor.access)
        with pytest.raises(NotReconciled):
            check(floor)
        await now(floor)
        check(floor)


async def test_an_account_that_the_venue_does_not_list_is_not_reconciled(floor):
    async with floor(events=True):
        await reconciled(floor)
        with pytest.raises(NotReconciled):
            check(floor, attrs.evolve(MAIN, account_id="nobody"))


@pytest.mark.parametrize("call", CALLS)
async def test_statement_34_a_report_that_is_not_complete_is_none(floor, call):
    floor.venue.positions.append(position("10"))
    floor.venue.instead[call] = lambda honest: attrs.evolve(honest, complete=False)
    async with floor(events=True):
        await eventually(lambda: floor.sent(call) > 3)
        with pytest.raises(NotReconciled):
            check(floor)
        assert "synchronizing" in " ".join(floor.desk.health("venue").reasons)
        assert await floor.journal.adjustments(MAIN) == []
        floor.venue.instead.clear()
        await reconciled(floor)
        assert floor.codes() == []


async def test_an_incomplete_report_later_on_is_not_read_as_flat(floor):
    floor.venue.positions.append(position("10"))
    async with floor(events=True):
        await reconciled(floor)
        empty = PositionReport(account=MAIN, positions=(), complete=False, as_of=9)
        floor.venue.instead["list_positions"] = lambda honest: empty if honest.account == MAIN else honest
        for _ in range(3):
            await now(floor)
        check(floor)
        assert state(floor).lacking
        assert len(await floor.journal.adjustments(MAIN)) == 1


# --- what fails


@pytest.mark.parametrize("call", [*CALLS, "list_accounts"])
@pytest.mark.parametrize("problem", [NotConnected("down"), ZeroDivisionError("bug"), "nonsense"])
async def test_a_call_that_fails_closes_the_account_and_is_reported_once(floor, call, problem):
    async with floor(events=True):
        await reconciled(floor)
        floor.venue.instead[call] = problem
        await now(floor)
        await now(floor)
        with pytest.raises(UnresolvedOutstanding, match="failed"):
            check(floor)
        assert floor.codes() == ["orders.reconciliation-failed"] * (1 if call == "list_accounts" else 3)
        assert floor.desk.health("venue").status is HealthStatus.DEGRADED
        floor.venue.instead.clear()
        await now(floor)
        check(floor)


async def test_the_first_one_that_fails_is_tried_again_by_itself(floor):
    floor.venue.instead["list_orders"] = NotConnected("down")
    async with floor(events=True):
        await eventually(lambda: "orders.reconciliation-failed" in floor.codes())
        with pytest.raises(NotReconciled):
            check(floor)
        floor.venue.instead.clear()
        await reconciled(floor)


async def test_pages_that_go_round_in_circles_are_a_failure(floor):
    floor.venue.instead["list_fills"] = Page(items=(), cursor="again")
    async with floor(events=True):
        await eventually(lambda: "orders.reconciliation-failed" in floor.codes())
        assert "came twice" in floor.diagnostics[0].message


# --- orders


async def test_statement_35_orders_of_somebody_else_are_external(floor):
    floor.venue.accept(limit("theirs"))
    async with floor(events=True):
        await reconciled(floor)
        order = await floor.handle.order("theirs")
        assert (order.origin, order.owner, order.status) == (OrderOrigin.EXTERNAL, "", OrderStatus.ACCEPTED)


async def answers_nothing(ref):
    return OrderLookup(evidence=Evidence.INDETERMINATE, complete=False, as_of=1)


async def test_a_working_order_that_a_complete_listing_lacks_is_unknown(floor):
    capabilities = attrs.evolve(CAPABILITIES, absence_proof=AbsenceProof.NONE)
    async with floor(events=True, capabilities=capabilities):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a"))
        floor.broker.on_lookup = answers_nothing
        gone = floor.venue.orders.pop("a")
        floor.venue.instead["list_orders"] = lambda honest: attrs.evolve(honest, complete=False)
        await now(floor)
        assert (await floor.handle.order("a")).status is OrderStatus.ACCEPTED
        floor.venue.instead.clear()
        await now(floor)
        assert (await floor.handle.order("a")).status is OrderStatus.UNKNOWN
        floor.venue.orders["a"] = gone
        await now(floor)
        assert (await floor.handle.order("a")).status is OrderStatus.ACCEPTED


async def test_a_listing_that_is_older_than_an_amend_does_not_undo_it(floor):
    async with floor(events=True):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a"))
        honest = floor.broker.list_orders

        async def slow(account, **options):
            page = await honest(account, **options)
            if account == MAIN:
                await floor.handle.amend_order("a", OrderChange(price="1.3"))
            return page

        floor.broker.list_orders = slow
        await now(floor)
        assert str((await floor.handle.order("a")).request.price) == "1.3"


class Clock(SystemClock):
    passed = 0.0

    def monotonic(self):
        return super().monotonic() + self.passed


async def test_an_order_that_stays_unknown_for_a_minute_closes_its_account(floor):
    floor.clock = Clock()
    floor.broker.on_lookup = answers_nothing
    async with floor(events=True):
        await reconciled(floor)

        async def lost(request):
            raise Ambiguous("no reply")

        floor.broker.on_submit = lost
        await floor.handle.submit_order(limit("a"))
        await eventually(lambda: floor.sent("get_order"))
        check(floor)
        floor.clock.passed = 61.0
        with pytest.raises(UnresolvedOutstanding, match="order a"):
            check(floor)
        floor.venue.accept(limit("a"))
        await now(floor)
        check(floor)


async def test_a_command_of_unknown_outcome_is_superseded_by_what_is_seen_afterwards(floor):
    async with floor(events=True):
        await reconciled(floor)
        honest = floor.broker.cancel_all

        async def lost(*arguments, **options):
            raise Ambiguous("no reply")

        floor.broker.cancel_all = lost
        with pytest.raises(Ambiguous):
            await floor.handle.cancel_all(MAIN, command_id="c")
        assert (await floor.journal.command("c")).state is CommandState.UNKNOWN
        floor.broker.cancel_all = honest
        await now(floor)
        assert (await floor.journal.command("c")).state is CommandState.SUPERSEDED
        assert await floor.handle.cancel_all(MAIN, command_id="c") == []


# --- fills


async def test_statement_32_a_fill_frame_lost_in_silence_is_found_on_schedule(floor):
    async with floor(events=True, reconcile_every=0.05):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a"))
        fill = floor.venue.fill("a", "10", "T1")

        async def healed():
            return (await floor.handle.order("a")).status is OrderStatus.FILLED

        await eventually(healed)
        assert await floor.handle.fills() == [fill]
        assert floor.codes() == []


async def test_a_lost_fill_is_found_however_many_came_after_it(floor):
    async with floor(events=True):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a"))
        lost = floor.venue.fill("a", "4", "T1")
        late = attrs.evolve(floor.venue.fill("a", "6", "T2"), ts_event=lost.ts_event + 3600 * SECOND)
        floor.venue.fills[-1] = late
        floor.venue.tell(late)

        async def journaled():
            return len(await floor.handle.fills()) == 1

        await eventually(journaled)
    async with floor(events=True):
        await reconciled(floor)
        assert len(await floor.handle.fills()) == 2
        assert floor.codes() == []


@pytest.mark.parametrize("control", [Gap(reason="lost"), Reconnected(at=1)])
async def test_statement_31_what_was_missed_comes_before_what_follows(floor, control):
    async with floor(events=True):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a"))
        missed = floor.venue.fill("a", "4", "T1")
        later = floor.venue.fill("a", "6", "T2")
        floor.venue.instead["list_fills"] = lambda honest: attrs.evolve(
            honest, items=[one for one in honest.items if one == missed]
        )
        floor.venue.tell(control, later)

        async def journaled():
            return await floor.handle.fills() == [missed, later]

        await eventually(journaled)


async def test_an_order_that_filled_more_than_its_fills_say_follows_its_report_until_they_come(floor):
    async with floor(events=True):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a"))
        fill = floor.venue.fill("a", "4", "T1")
        floor.venue.instead["list_fills"] = Page(items=())
        floor.venue.instead["list_positions"] = lambda honest: attrs.evolve(honest, complete=False)
        await now(floor)
        order = await floor.handle.order("a")
        assert (order.filled, await floor.handle.fills()) == (4, [])
        floor.venue.instead.clear()
        await now(floor)
        assert await floor.handle.fills() == [fill]
        after = await floor.handle.order("a")
        assert (after.filled, after.cost, after.version) == (4, order.cost, order.version)
        check(floor)


async def test_a_fill_of_an_order_that_nobody_knows_is_kept_counted_and_reported_once(floor):
    async with floor(events=True):
        await reconciled(floor)
        floor.venue.accept(limit("theirs"))
        fill = floor.venue.fill("theirs", "4", "T1", named=False)
        del floor.venue.orders["theirs"]
        await now(floor)
        await now(floor)
        assert await floor.handle.fills() == [fill]
        assert floor.codes() == ["orders.fill-orphaned"]
        check(floor)


async def test_a_venue_that_reports_nothing_by_itself_is_reconciled_too(floor):
    capabilities = attrs.evolve(CAPABILITIES, events=False)
    async with floor(events=True, capabilities=capabilities, reconcile_every=0.05):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a"))
        floor.venue.fill("a", "10", "T1")

        async def filled():
            return (await floor.handle.order("a")).status is OrderStatus.FILLED

        await eventually(filled)


async def test_one_run_at_a_time(floor):
    running = []
    honest = floor.broker.get_account

    async def watched(account):
        running.append(account)
        assert len(running) == 1
        try:
            return await honest(account)
        finally:
            running.remove(account)

    floor.broker.get_account = watched
    async with floor(events=True, reconcile_every=0.001):
        for _ in range(20):
            await now(floor)
