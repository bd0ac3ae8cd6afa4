"""Positions that do not follow from the fills: adopted once they persist, alarmed, and taken note of by a person."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import anyio
import anyio.lowlevel
import attrs
import pytest

from gatehook.audit import read
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import UnresolvedOutstanding
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.streams import Gap
from gatehook.orders.adjustments import AdjustmentState
from tests.orders.conftest import eventually
from tests.orders.conftest import reconciled
from tests.orders.venue import MAIN
from tests.orders.venue import limit
from tests.orders.venue import position

pytestmark = pytest.mark.anyio


def check(floor):
    floor.desk.reconciliations.check(MAIN)


async def now(floor):
    await floor.desk.reconciliations.now("venue")


async def kept(floor, state=AdjustmentState.OPEN):
    found = [one for one in await floor.journal.adjustments(MAIN) if one.state is state]
    return [(str(one.expected), str(one.reported), one.position_id) for one in found]


def audited(floor, kind):
    return [entry.subject for entry in read(floor.path.parent) if entry.kind == kind]


async def traded(floor, client_order_id="a", quantity="10", **fields):
    """Fill an order of ours; nothing is told."""
    await floor.handle.submit_order(limit(client_order_id, quantity, **fields))
    return floor.venue.fill(client_order_id, quantity, f"T-{client_order_id}")


# --- the first comparison


async def test_what_an_account_holds_when_it_is_first_seen_is_its_baseline(floor):
    floor.venue.positions.append(position("-7"))
    async with floor(events=True):
        await reconciled(floor)
        check(floor)
        assert await kept(floor, AdjustmentState.BASELINE) == [("0", "-7", None)]
        assert floor.codes() == []
        await traded(floor)
        await now(floor)
        await now(floor)
        assert await kept(floor) == []


async def test_a_fill_just_before_the_first_comparison_counts_once(floor):
    floor.venue.accept(limit("theirs"))
    floor.venue.fill("theirs", "10", "T1")
    async with floor(events=True):
        await reconciled(floor)
        await now(floor)
        check(floor)
        assert await floor.journal.adjustments(MAIN) == []


async def test_the_baseline_waits_until_nothing_trades_while_it_is_read(floor):
    floor.venue.accept(limit("theirs"))
    honest, trades = floor.broker.list_positions, iter(("T1", "T2"))

    async def busy(account):
        if account == MAIN and (trade := next(trades, None)):
            floor.venue.fill("theirs", "1", trade)
        return await honest(account)

    floor.broker.list_positions = busy
    async with floor(events=True):
        await reconciled(floor)
        assert len(await floor.handle.fills()) == 2
        assert await floor.journal.adjustments(MAIN) == []


async def test_a_fill_from_before_the_baseline_that_is_told_late_is_in_it_already(floor):
    floor.venue.instead["get_account"] = lambda honest: attrs.evolve(honest, ts_event=10**12)
    floor.venue.accept(limit("theirs"))
    old = floor.venue.fill("theirs", "5", "T1")
    async with floor(events=True):
        await reconciled(floor)
        assert await kept(floor, AdjustmentState.BASELINE) == [("0", "5", None)]
        floor.venue.tell(old)

        async def journaled():
            return await floor.handle.fills() == [old]

        await eventually(journaled)
        await now(floor)
        await now(floor)
        assert await kept(floor) == []


async def test_after_a_restart_the_same_is_expected(floor):
    floor.venue.positions.append(position("5"))
    async with floor(events=True):
        await reconciled(floor)
        await traded(floor, side=Side.SELL)
        await now(floor)
    async with floor(events=True):
        await reconciled(floor)
        assert len(await floor.journal.adjustments(MAIN)) == 1
        floor.venue.positions.clear()
        await now(floor)
        await now(floor)
        assert await kept(floor) == [("-5", "-10", None)]


# --- later differences


async def test_a_difference_is_adopted_when_it_persists_and_alarmed(floor):
    async with floor(events=True):
        await reconciled(floor)
        await traded(floor)
        floor.venue.positions.append(position("3"))
        await now(floor)
        assert await kept(floor) == []
        check(floor)
        await now(floor)
        assert await kept(floor) == [("10", "13", None)]
        with pytest.raises(UnresolvedOutstanding, match=r"13 of EURUSD\.VENUE where 10 were expected"):
            check(floor)
        [alarm] = floor.diagnostics
        assert (alarm.code, "13 base of EURUSD.VENUE, 10 follow" in alarm.message) == ("orders.position-adjusted", True)
        assert len(await floor.handle.fills()) == 1
        assert floor.desk.health("venue").status is HealthStatus.DEGRADED
        [record] = audited(floor, "position.adjusted")
        assert (record["expected"], record["reported"]) == ("10", "13")


async def test_a_difference_is_confirmed_without_waiting_for_the_schedule(floor):
    async with floor(events=True):
        await reconciled(floor)
        floor.venue.positions.append(position("3"))
        floor.venue.tell(Gap(reason="lost"))
        await eventually(lambda: "orders.position-adjusted" in floor.codes())


async def test_a_fill_on_its_way_is_no_difference(floor):
    async with floor(events=True):
        await reconciled(floor)
        fill = await traded(floor)
        floor.venue.instead["list_fills"] = lambda honest: attrs.evolve(honest, items=())
        await now(floor)
        floor.venue.instead.clear()
        await now(floor)
        assert await floor.handle.fills() == [fill]
        assert (await kept(floor), floor.codes()) == ([], [])


@pytest.mark.parametrize("is_in_it", [True, False])
async def test_a_fill_beside_the_report_of_positions_is_no_difference(floor, is_in_it):
    async with floor(events=True):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a", "1000"))
        honest, asked = floor.broker.list_positions, []

        async def busy(account):
            asked.append(account)
            before = await honest(account)
            if account == MAIN:
                floor.venue.fill("a", "1", f"T{len(asked)}")
            return await honest(account) if is_in_it else before

        floor.broker.list_positions = busy
        for _ in range(3):
            await now(floor)
        assert (await kept(floor), floor.codes()) == ([], [])


async def test_fills_on_both_sides_of_the_report_are_no_difference(floor):
    async with floor(events=True):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a", "1000"))
        honest, numbers = floor.broker.list_positions, count()

        async def busy(account):
            if account == MAIN:
                floor.venue.fill("a", "1", f"T{next(numbers)}")
                report = await honest(account)
                floor.venue.fill("a", "1", f"T{next(numbers)}")
                return report
            return await honest(account)

        floor.broker.list_positions = busy
        for _ in range(3):
            await now(floor)
        assert (await kept(floor), floor.codes()) == ([], [])
        assert floor.desk.reconciliations.reasons() == ()


async def test_a_difference_is_not_adopted_while_its_instrument_trades(floor):
    async with floor(events=True):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a", "1000"))
        floor.venue.positions.append(position("7"))
        honest, numbers = floor.broker.list_positions, count()

        async def busy(account):
            report = await honest(account)
            if account == MAIN:
                floor.venue.fill("a", "1", f"T{next(numbers)}")
            return report

        floor.broker.list_positions = busy
        for _ in range(3):
            await now(floor)
        assert await kept(floor) == []
        assert "read once more" in " ".join(floor.desk.reconciliations.reasons())
        floor.broker.list_positions = honest
        for _ in range(2):
            await now(floor)
        assert await kept(floor) == [("3", "10", None)]


async def test_a_comparison_that_was_cut_off_counts_nothing_twice(floor, monkeypatch):
    async with floor(events=True):
        await reconciled(floor)
        floor.venue.positions.append(position("3"))
        await now(floor)
        honest = floor.journal.adjust

        async def cut_off(*arguments):
            kept = await honest(*arguments)
            scope.cancel()
            await anyio.lowlevel.checkpoint()
            return kept

        monkeypatch.setattr(floor.journal, "adjust", cut_off)
        with anyio.CancelScope() as scope:
            await now(floor)
        monkeypatch.undo()
        for _ in range(3):
            await now(floor)
        assert await kept(floor) == [("0", "3", None)]


async def test_a_difference_that_goes_away_again_is_forgotten(floor):
    async with floor(events=True):
        await reconciled(floor)
        for _ in range(3):
            floor.venue.positions.append(position("3"))
            await now(floor)
            floor.venue.positions.clear()
            await now(floor)
        assert await kept(floor) == []


async def test_adopting_twice_changes_nothing(floor):
    async with floor(events=True):
        await reconciled(floor)
        floor.venue.positions.append(position("3"))
        for _ in range(4):
            await now(floor)
        assert len(await kept(floor)) == 1
        assert len(floor.codes()) == 1


# --- kinds of accounts


async def test_hedging_positions_are_compared_one_by_one(floor):
    floor.venue.mode = PositionMode.HEDGING
    floor.venue.positions += [position("10", position_id="P1"), position("-10", position_id="P2")]
    async with floor(events=True):
        await reconciled(floor)
        assert len(await kept(floor, AdjustmentState.BASELINE)) == 2
        await floor.handle.submit_order(limit("a"))
        floor.venue.fill("a", "10", "T1", position_id="P3")
        await now(floor)
        await now(floor)
        assert await kept(floor) == []
        floor.venue.positions[:] = [position("4", position_id="P1"), position("-4", position_id="P2")]
        await now(floor)
        await now(floor)
        assert sorted(await kept(floor)) == [("-10", "-4", "P2"), ("10", "4", "P1")]


async def test_hedging_fills_that_name_no_position_are_compared_together(floor):
    floor.venue.mode = PositionMode.HEDGING
    async with floor(events=True):
        await reconciled(floor)
        await traded(floor)
        floor.venue.positions += [position("3", position_id="P1"), position("-3", position_id="P2")]
        await now(floor)
        await now(floor)
        assert await kept(floor) == []


async def test_a_cash_account_has_no_positions_to_compare(floor):
    floor.venue.instead["get_account"] = lambda honest: attrs.evolve(
        honest, account_type=AccountType.CASH, position_mode=PositionMode.NONE
    )
    async with floor(events=True):
        await reconciled(floor)
        await traded(floor)
        await now(floor)
        check(floor)
        assert floor.sent("list_positions") == 0


async def test_a_position_that_flips_follows_from_its_fills(floor):
    async with floor(events=True):
        await reconciled(floor)
        await traded(floor, "a", "10")
        await traded(floor, "b", "25", side=Side.SELL, type=OrderType.LIMIT)
        await now(floor)
        await now(floor)
        assert await kept(floor) == []


# --- taking note


async def adjusted(floor):
    await reconciled(floor)
    floor.venue.positions.append(position("3"))
    await now(floor)
    await now(floor)


def unacknowledged(floor):
    state = floor.desk.reconciliations.state(MAIN)
    return state is not None and state.completed_at and state.unacknowledged


async def test_acknowledging_opens_the_account_again(floor):
    async with floor(events=True):
        await adjusted(floor)
        [done] = await floor.desk.by_hand.acknowledge(MAIN, note="traded on the phone", person="ann")
        assert (done.state, done.person, done.difference) == (AdjustmentState.ACKNOWLEDGED, "ann", Decimal(3))
        check(floor)
        assert floor.desk.health("venue").status is HealthStatus.OK
        await now(floor)
        check(floor)
        [record] = audited(floor, "position.acknowledged")
        assert (record["adjustments"], record["note"]) == ([done.seq], "traded on the phone")


async def test_what_is_not_acknowledged_survives_a_restart(floor):
    async with floor(events=True):
        await adjusted(floor)
    async with floor(events=True):
        await eventually(lambda: unacknowledged(floor))
        with pytest.raises(UnresolvedOutstanding):
            check(floor)


async def test_acknowledging_needs_a_note_and_something_to_acknowledge(floor):
    async with floor(events=True):
        await adjusted(floor)
        with pytest.raises(InvalidOrder, match="note"):
            await floor.desk.by_hand.acknowledge(MAIN, note=" ", person="ann")
        await floor.desk.by_hand.acknowledge(MAIN, note="mine", person="ann")
        with pytest.raises(NotFound):
            await floor.desk.by_hand.acknowledge(MAIN, note="mine", person="ann")
