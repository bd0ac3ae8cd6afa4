"""What is at risk: every order with all that it may still do, every fill once, no report that may lack something."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gatehook.guard.exposure import Exposure
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import Side
from tests.guard.board import EURUSD
from tests.guard.board import MAIN
from tests.guard.board import OTHER
from tests.guard.board import fill
from tests.guard.board import order
from tests.guard.board import position
from tests.guard.board import report
from tests.guard.board import state


@pytest.fixture
def exposure():
    return Exposure()


def hold(exposure, key="a", quantity=10, side="buy", **fields):
    given = {"unit": QuantityUnit.BASE, "command_id": key, **fields}
    exposure.hold(key, MAIN, EURUSD, Side(side), Decimal(quantity), **given)


def open_buys(exposure, **fields):
    return exposure.open_quantity(MAIN, EURUSD, Side.BUY, **fields)


# --- orders


@pytest.mark.parametrize("status", ["submitted", "unknown", "accepted", "triggered", "pending_cancel", "initialized"])
def test_an_order_that_may_trade_counts_with_its_leaves(exposure, status):
    exposure.apply_order(order(status=status, filled=0))
    assert open_buys(exposure) == 10
    assert exposure.open_quantity(MAIN, EURUSD, Side.SELL) == 0
    assert exposure.open_quantity(OTHER, EURUSD, Side.BUY) == 0
    assert open_buys(exposure, without="a") == 0


@pytest.mark.parametrize("status", ["canceled", "expired", "rejected", "denied"])
def test_an_order_that_ended_leaves_the_board(exposure, status):
    exposure.apply_order(order())
    exposure.apply_order(order(status=status))
    assert exposure.open_orders(MAIN) == ()
    assert not exposure.has(MAIN, "a")


def test_the_orders_of_an_entry_are_those_of_all_its_accounts(exposure):
    exposure.load([order("a"), order("b", account=OTHER)])
    assert {one.key for one in exposure.open_orders("venue")} == {"a", "b"}
    assert exposure.open_orders("other") == ()


def test_an_external_order_may_bear_the_id_of_ours(exposure):
    exposure.apply_order(order())
    exposure.apply_order(order(origin=OrderOrigin.EXTERNAL, venue_order_id="x"))
    assert {one.key for one in exposure.open_orders(MAIN)} == {"a", "venue/main#x"}
    assert open_buys(exposure) == 20


# --- reservations


def test_what_is_held_counts_and_is_replaced_by_the_order(exposure):
    hold(exposure)
    assert open_buys(exposure) == 10
    exposure.apply_order(order(status="submitted"))
    assert open_buys(exposure) == 10
    exposure.release("a")
    assert open_buys(exposure) == 10


def test_what_is_held_for_an_order_that_waits_for_a_person_counts_once(exposure):
    hold(exposure)
    exposure.apply_order(order(status="initialized"))
    assert open_buys(exposure) == 10
    exposure.apply_order(order(status="denied"))
    assert exposure.open_orders(MAIN) == ()


def test_a_release_gives_back_what_was_held_once(exposure):
    hold(exposure, "a", command_id="list")
    hold(exposure, "b", command_id="list")
    hold(exposure, "c")
    exposure.release("list")
    exposure.release("list")
    assert open_buys(exposure) == 10


def test_while_an_amend_is_under_way_the_larger_order_counts(exposure):
    exposure.apply_order(order(filled=4))
    exposure.apply_fill(fill("1", quantity=4))
    hold(exposure, quantity=30, command_id="amend", amends=True)
    assert open_buys(exposure) == 26
    exposure.apply_order(order(filled=6, at=1))
    assert open_buys(exposure) == 26
    exposure.release("amend")
    assert open_buys(exposure) == 6


def test_an_amend_to_less_holds_what_the_order_was(exposure):
    exposure.apply_order(order())
    hold(exposure, quantity=3, command_id="amend", amends=True)
    assert open_buys(exposure) == 10


def test_of_two_amends_under_way_the_largest_counts(exposure):
    exposure.apply_order(order())
    hold(exposure, quantity=30, command_id="one", amends=True)
    hold(exposure, quantity=20, command_id="two", amends=True)
    assert open_buys(exposure) == 30
    exposure.release("one")
    assert open_buys(exposure) == 20


def test_an_amend_of_unknown_outcome_is_held_until_the_venue_answers(exposure):
    exposure.apply_order(order())
    hold(exposure, quantity=30, command_id="amend", amends=True)
    exposure.apply_order(order(status="pending_update"))
    assert open_buys(exposure) == 30
    exposure.apply_order(order(quantity=30))
    exposure.apply_order(order(quantity=12))
    assert open_buys(exposure) == 12


# --- positions


def test_before_a_complete_report_a_position_is_not_known(exposure):
    assert exposure.position(MAIN, EURUSD) is None
    exposure.apply_fill(fill("1"))
    exposure.apply_positions(report(position(5), complete=False))
    assert exposure.position(MAIN, EURUSD) is None
    exposure.apply_positions(report())
    assert exposure.position(MAIN, EURUSD) == 0


def test_fills_after_the_report_move_the_position_once(exposure):
    exposure.apply_positions(report(position(5), at=100))
    for _ in range(2):
        exposure.apply_fill(fill("1", quantity=2, at=101))
        exposure.apply_fill(fill("2", quantity=4, side="sell", at=102))
        exposure.apply_fill(fill("3", quantity=50, at=99))
    assert exposure.position(MAIN, EURUSD) == 3
    exposure.apply_positions(report(position(7), at=101))
    assert exposure.position(MAIN, EURUSD) == 3
    exposure.apply_positions(report(position(9), at=103))
    assert exposure.position(MAIN, EURUSD) == 9


def test_of_one_time_what_comes_after_the_report_counts(exposure):
    """A replay's clock stands still: the report was made before the fill, or after it."""
    exposure.apply_fill(fill("1", quantity=2, at=100))
    exposure.apply_positions(report(position(2), at=100))
    exposure.apply_fill(fill("1", quantity=2, at=100))
    assert exposure.position(MAIN, EURUSD) == 2
    exposure.apply_fill(fill("2", quantity=3, at=100))
    assert exposure.position(MAIN, EURUSD) == 5


@pytest.mark.parametrize("mode", ["netting", "hedging"])
def test_a_fill_of_the_reports_own_time_makes_no_room(exposure, mode):
    """It may be in the report already, told late; or not in it, told early."""
    exposure.apply_state(state(position_mode=PositionMode(mode)))
    exposure.apply_positions(report(position(10), at=100))
    exposure.apply_fill(fill("1", quantity=3, at=100, position_id="p"))
    exposure.apply_fill(fill("2", quantity=4, side="sell", at=100, position_id="p"))
    assert exposure.sides(MAIN, EURUSD, "EUR") == {Side.BUY: 13, Side.SELL: -6 if mode == "netting" else 0}
    exposure.apply_positions(report(position(10), at=100))
    assert exposure.sides(MAIN, EURUSD, "EUR") == {Side.BUY: 13, Side.SELL: -6 if mode == "netting" else 0}
    exposure.apply_positions(report(position(9), at=100))
    assert exposure.sides(MAIN, EURUSD, "EUR") == {Side.BUY: 9, Side.SELL: -9 if mode == "netting" else 0}


def test_a_report_that_follows_from_the_last_and_the_fills_holds_them(exposure):
    """Its time alone would not say so: a replay's clock stands still between a fill and the report after it."""
    exposure.apply_positions(report(at=90))
    exposure.apply_fill(fill("1", quantity=10, at=100))
    for _ in range(2):
        exposure.apply_positions(report(position(10), at=100))
        assert exposure.sides(MAIN, EURUSD, "EUR") == {Side.BUY: 10, Side.SELL: -10}
        exposure.apply_fill(fill("1", quantity=10, at=100))
    exposure.apply_fill(fill("2", quantity=5, at=100))
    assert exposure.position(MAIN, EURUSD) == 15


def test_a_report_that_does_not_hold_a_fill_of_its_time_takes_nothing_away(exposure):
    exposure.apply_positions(report(at=90))
    exposure.apply_fill(fill("1", quantity=10, at=100))
    exposure.apply_positions(report(at=100))
    assert exposure.sides(MAIN, EURUSD, "EUR") == {Side.BUY: 10, Side.SELL: 0}


def test_an_older_or_incomplete_report_changes_nothing(exposure):
    exposure.apply_positions(report(position(5), at=100))
    exposure.apply_positions(report(at=99))
    exposure.apply_positions(report(at=101, complete=False))
    assert exposure.position(MAIN, EURUSD) == 5


def test_what_has_traded_counts_until_it_is_in_the_position(exposure):
    """The order's report may come before its fills: in between nothing may seem to be free."""
    exposure.apply_positions(report(at=100))
    exposure.apply_order(order())
    exposure.apply_order(order(filled=4, at=101, status="partially_filled"))
    assert open_buys(exposure) == 10
    exposure.apply_fill(fill("1", quantity=4, at=101))
    assert (open_buys(exposure), exposure.position(MAIN, EURUSD)) == (6, 4)
    exposure.apply_order(order(filled=10, at=102, status="filled"))
    (one,) = exposure.open_orders(MAIN)
    assert (one.quantity, one.works) == (6, False)
    exposure.apply_fill(fill("2", quantity=6, at=102))
    assert (exposure.open_orders(MAIN), exposure.position(MAIN, EURUSD)) == ((), 10)


def test_a_report_of_the_position_stands_for_the_fills_before_it(exposure):
    exposure.apply_positions(report(at=100))
    exposure.apply_order(order(filled=10, at=102, status="filled"))
    assert open_buys(exposure) == 10
    exposure.apply_positions(report(position(10), at=103))
    assert (exposure.open_orders(MAIN), exposure.position(MAIN, EURUSD)) == ((), 10)


def test_a_report_from_before_a_fill_does_not_stand_for_it(exposure):
    exposure.apply_order(order(filled=10, at=102, status="filled"))
    exposure.apply_positions(report(at=101))
    assert open_buys(exposure) == 10
    exposure.apply_positions(report(position(10), at=102))
    assert open_buys(exposure) == 0


def test_a_fill_finds_its_order_by_any_id_that_the_venue_gave_it(exposure):
    exposure.apply_positions(report())
    exposure.apply_order(order(origin=OrderOrigin.EXTERNAL, venue_order_id="x"))
    exposure.apply_order(order(filled=10, at=5, status="filled", origin=OrderOrigin.EXTERNAL, venue_order_id="x"))
    assert open_buys(exposure) == 10
    exposure.apply_fill(fill("1", quantity=10, at=5, client_order_id=None, venue_order_id="x"))
    assert exposure.open_orders(MAIN) == ()


def test_hedged_legs_do_not_net(exposure):
    exposure.apply_state(state(position_mode=PositionMode.HEDGING))
    exposure.apply_positions(report(position(5, "p"), position(-3, "q")))
    exposure.apply_fill(fill("1", quantity=1, side="sell", at=1, position_id="p"))
    exposure.apply_fill(fill("2", quantity=2, side="sell", at=1, position_id="r"))
    assert exposure.position(MAIN, EURUSD) == -1
    assert exposure.position(MAIN, EURUSD, position_id="p") == 4
    assert exposure.sides(MAIN, EURUSD, "EUR") == {Side.BUY: 4, Side.SELL: 5}


def test_a_netted_position_counts_for_both_sides(exposure):
    exposure.apply_state(state())
    exposure.apply_positions(report(position(-3)))
    assert exposure.sides(MAIN, EURUSD, "EUR") == {Side.BUY: -3, Side.SELL: 3}


def test_of_a_cash_account_the_balance_is_the_position(exposure):
    exposure.apply_positions(report(at=50))
    exposure.apply_state(state(position_mode=PositionMode.NONE, has={"EUR": 7, "USD": 100}, ts_event=10))
    assert exposure.position(MAIN, EURUSD) is None
    assert exposure.position(MAIN, EURUSD, asset="EUR") == 7
    exposure.apply_fill(fill("1", quantity=2, side="sell", at=11))
    assert exposure.position(MAIN, EURUSD, asset="EUR") == 5
    exposure.apply_positions(report(at=60))
    exposure.apply_state(state(position_mode=PositionMode.NONE, has={"EUR": 5}, ts_event=12))
    assert exposure.position(MAIN, EURUSD, asset="EUR") == 5
    exposure.apply_state(state(position_mode=PositionMode.NONE, complete=False, ts_event=13))
    assert exposure.position(MAIN, EURUSD, asset="EUR") == 5


# --- closes


def test_all_closes_under_way_count_held_open_and_unknown(exposure):
    close = {"side": "sell", "reduce_only": True}
    hold(exposure, "a", 1, **close, position_id="p")
    exposure.apply_order(order("b", 2, "submitted", **close, position_id="p"))
    exposure.apply_order(order("c", 4, "unknown", **close, position_id="q"))
    exposure.apply_order(order("rests", 16, **close, position_id="p"))
    exposure.apply_order(order("d", 8, side="sell"))
    assert exposure.closing_quantity(MAIN, EURUSD, "p") == 3
    assert exposure.closing_quantity(MAIN, EURUSD, "p", without="a") == 2
    assert exposure.closing_quantity(MAIN, EURUSD) == 7
    assert exposure.open_quantity(MAIN, EURUSD, Side.SELL) == 8


def test_a_close_that_filled_counts_until_the_position_is_smaller(exposure):
    exposure.apply_positions(report(position(10), at=1))
    exposure.apply_order(order("a", 10, "filled", filled=10, side="sell", reduce_only=True, at=2))
    assert exposure.closing_quantity(MAIN, EURUSD) == 10
    exposure.apply_fill(fill("1", "a", 10, "sell", at=2))
    assert (exposure.closing_quantity(MAIN, EURUSD), exposure.position(MAIN, EURUSD)) == (0, 0)
