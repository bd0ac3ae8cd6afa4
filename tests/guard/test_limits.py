"""Each limit at its bound, one step over it, of an account and of an entry; what reduces is exempt."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gatehook.config.trading import LimitsConfig
from gatehook.guard.facts import CommandKind
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.errors import LimitExceeded
from gatehook.kinds.errors import LimitUncomputable
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.instruments import Settlement
from tests.guard.board import MAIN
from tests.guard.board import OTHER
from tests.guard.board import Stage
from tests.guard.board import facts
from tests.guard.board import fill
from tests.guard.board import instrument
from tests.guard.board import order
from tests.guard.board import order_facts
from tests.guard.board import position
from tests.guard.board import report
from tests.guard.board import request
from tests.guard.board import state

pytestmark = pytest.mark.anyio

ACCOUNT, ENTRY = "venue/main", "venue"


@pytest.fixture
def stage(tmp_path):
    def build(scope=ACCOUNT, **limits):
        return Stage(tmp_path, LimitsConfig(scope=scope, **limits), known=(MAIN, OTHER))

    return build


def refused(stage, command, *words, error=LimitExceeded):
    with pytest.raises(error) as found:
        stage.limits.reserve(command)
    for word in words:
        assert word in str(found.value)


def passes(stage, *orders, **fields):
    stage.limits.reserve(facts(*orders, **fields))


# --- one order by itself


def test_without_limits_everything_passes_and_is_held(stage):
    one = stage(scope="other", max_quantity=Decimal(1))
    passes(one, request(quantity=10**9))
    assert not one.limits.needs(MAIN).any
    assert one.exposure.has(MAIN, "a")


def test_max_quantity_is_in_base_units(stage):
    one = stage(max_quantity=Decimal(1000))
    in_lots = order_facts(request(quantity=10, quantity_unit=QuantityUnit.LOTS), base=Decimal(1000))
    passes(one, in_lots)
    over = order_facts(request("b", 11, quantity_unit=QuantityUnit.LOTS), base=Decimal(1100))
    refused(one, facts(over), "max_quantity of venue/main is 1000", "1100", "100 too much")
    assert not one.exposure.has(MAIN, "b")


def test_max_notional_is_the_worth(stage):
    one = stage(max_notional=Decimal(11))
    passes(one, order_facts(request(), value=Decimal(11)))
    refused(one, facts(order_facts(request("b"), value=Decimal("11.000001"))), "max_notional", "11.000001")


@pytest.mark.parametrize("limit", ["max_quantity", "max_notional"])
def test_what_cannot_be_computed_is_refused_and_says_why(stage, limit):
    unknown = order_facts(request(), base=None, value=None, problem="the quote is 40 s old")
    refused(stage(**{limit: Decimal(10)}), facts(unknown), limit, "40 s old", error=LimitUncomputable)


@pytest.mark.parametrize(
    ("side", "price", "within"),
    [("buy", "1.2210", True), ("buy", "1.2211", False), ("buy", "0.9990", True), ("buy", "0.9989", False)]
    + [("sell", "1.2100", True), ("sell", "1.2101", False), ("sell", "0.9900", True), ("sell", "0.9899", False)],
)
def test_the_price_band_is_around_the_price_at_which_the_side_trades(stage, side, price, within):
    one, command = stage(price_band=Decimal("0.1")), facts(request(side=side, price=price))
    if within:
        one.limits.check(command)
    else:
        refused(one, command, "price_band of venue/main is 0.1", price)


def test_the_band_is_for_triggers_too(stage):
    far = request(price="1.10", trigger_price="1.5")
    refused(stage(price_band=Decimal("0.1")), facts(far), "trigger_price 1.5")


@pytest.mark.parametrize("price", [None, "1.10"])
def test_with_a_band_every_order_needs_a_fresh_quote(stage, price):
    blind = order_facts(request(price=price), quote=None, problem="there is no quote of EURUSD.VENUE")
    refused(stage(price_band=Decimal("0.1")), facts(blind), "price_band", "no quote", error=LimitUncomputable)


def test_symbols_are_patterns_of_instruments(stage):
    one = stage(symbols=("EUR*.VENUE", "XAU?SD.VENUE"))
    passes(one, request())
    other = instrument(id=InstrumentId("GBPUSD", "VENUE"))
    refused(one, facts(order_facts(request("b"), instrument=other)), "symbols of venue/main", "GBPUSD.VENUE")


# --- counts


def test_orders_per_minute_slides(stage):
    one = stage(orders_per_minute=3)
    passes(one, request("a"))
    one.seconds += 30
    passes(one, request("b"))
    passes(one, request("c"))
    refused(one, facts(request("d")), "orders_per_minute of venue/main is 3", "0 left")
    one.seconds += 30
    passes(one, request("d"))
    refused(one, facts(request("e")))


def test_an_order_counts_for_the_whole_minute(stage):
    one = stage(orders_per_minute=1)
    passes(one, request("a"))
    one.seconds += 59.9
    refused(one, facts(request("b")))
    one.seconds += 0.1
    passes(one, request("b"))


def test_a_list_counts_with_its_members_and_an_amend_counts(stage):
    one = stage(orders_per_minute=3)
    passes(one, request("a"), request("b"), command_id="list")
    amend = order_facts(request("a", 5), replaces="a")
    passes(one, amend, command_id="amend", kind=CommandKind.AMEND)
    refused(one, facts(request("c")))


def test_what_was_not_sent_does_not_count(stage):
    one = stage(orders_per_minute=1, max_open_orders=1, max_position=Decimal(10))
    passes(one, request("a"))
    refused(one, facts(request("b")))
    one.limits.release("a")
    passes(one, request("b"))


def test_what_was_sent_counts_in_the_minute_after_it_ended(stage):
    one = stage(orders_per_minute=1)
    passes(one, request("a"))
    one.exposure.apply_order(order("a", status="rejected"))
    one.limits.settle("a")
    refused(one, facts(request("b")))


def test_a_command_that_is_checked_again_does_not_stand_in_its_own_way(stage):
    one = stage(orders_per_minute=1, max_open_orders=1, max_position=Decimal(10))
    command = facts(request())
    one.limits.reserve(command)
    one.exposure.apply_order(order(status="initialized"))
    one.limits.check(command)
    one.limits.reserve(command)
    assert one.limits.use(MAIN)[0].use == 1


def test_max_open_orders_counts_what_works_and_what_is_on_its_way(stage):
    one = stage(max_open_orders=3)
    one.exposure.load([order("a", status="unknown"), order("x", status="accepted")])
    passes(one, request("b"))
    refused(one, facts(request("c")), "max_open_orders of venue/main is 3", "3 in use")
    one.exposure.apply_order(order("a", status="canceled"))
    passes(one, request("c"))


def test_an_amend_is_no_further_open_order(stage):
    one = stage(max_open_orders=1)
    passes(one, request("a"))
    one.exposure.apply_order(order("a"))
    passes(one, order_facts(request("a", 5), replaces="a"), command_id="amend", kind=CommandKind.AMEND)


# --- positions


def test_the_worst_case_of_a_side_counts(stage):
    one = stage(max_position=Decimal(100))
    one.exposure.apply_positions(report(position(50)))
    one.exposure.apply_order(order("a", 30))
    one.exposure.apply_order(order("b", 1000, side="sell"))
    passes(one, request("c", 20))
    refused(one, facts(request("d", 1)), "max_position of venue/main is 100 on the buy side", "100 in use", "0 left")


def test_a_position_on_the_other_side_makes_no_room(stage):
    """It may be closed at any time, and no limit holds up a close."""
    one = stage(max_position=Decimal(100))
    one.exposure.apply_positions(report(position(50)))
    refused(one, facts(request("a", 150, "sell")), "on the sell side")
    passes(one, request("a", 100, "sell"))
    refused(one, facts(request("b", 1, "sell")), "on the sell side")


def test_a_position_beyond_the_limit_may_become_smaller(stage):
    one = stage(max_position=Decimal(100))
    one.exposure.apply_positions(report(position(150)))
    refused(one, facts(request("a", 1)))
    passes(one, request("b", 100, "sell"))


def test_members_of_a_list_count_together_and_all_or_none(stage):
    one = stage(max_position=Decimal(15))
    refused(one, facts(request("a"), request("b"), command_id="list"), "this adds 20")
    assert one.exposure.open_orders(MAIN) == ()
    passes(one, request("a"), request("b", side="sell"), command_id="list")


def test_an_amend_counts_in_place_of_what_it_changes(stage):
    one = stage(max_position=Decimal(30))
    one.exposure.apply_order(order("a", 20, filled=8))
    one.exposure.apply_fill(fill("1", "a", 8, at=1))
    larger = order_facts(request("a", 30), replaces="a")
    passes(one, larger, command_id="amend", kind=CommandKind.AMEND)
    refused(one, facts(request("b", 1)))
    refused(one, facts(order_facts(request("a", 31), replaces="a"), command_id="more", kind=CommandKind.AMEND))


def test_an_unknown_position_refuses(tmp_path):
    one = Stage(tmp_path, LimitsConfig(scope=ACCOUNT, max_position=Decimal(10)), known=())
    refused(one, facts(request()), "no complete report", "venue/main", error=LimitUncomputable)


def test_positions_in_lots_count_in_base_units(stage):
    one = stage(max_position=Decimal(300))
    lots = {"quantity_unit": QuantityUnit.LOTS}
    traded = instrument(quantity_unit=QuantityUnit.LOTS, contract_size=100)
    one.exposure.apply_positions(report(position(1, **lots)))
    passes(one, order_facts(request("a", 2, **lots), instrument=traded, base=Decimal(200)))
    refused(one, facts(order_facts(request("b", 1, **lots), instrument=traded, base=Decimal(100))), "300 in use")


def test_inverse_positions_count_at_the_lowest_price(stage):
    one = stage(max_position=Decimal(250))
    contracts = {"quantity_unit": QuantityUnit.CONTRACTS}
    inverse = instrument(quantity_unit=QuantityUnit.CONTRACTS, contract_size=110, settlement=Settlement.INVERSE)
    one.exposure.apply_positions(report(position(1, **contracts)))
    asked = order_facts(request("a", 1, price="1.00", **contracts), instrument=inverse, base=Decimal(110))
    passes(one, asked)
    asked = order_facts(request("b", 1, price="1.00", **contracts), instrument=inverse, base=Decimal(110))
    refused(one, facts(asked), "220 in use")


def test_orders_in_the_quote_currency_count_with_the_base_they_were_valued_at(stage):
    one = stage(max_position=Decimal(20))
    quoted = {"quantity_unit": QuantityUnit.QUOTE, "price": None}
    passes(one, order_facts(request("a", 20, **quoted), base=Decimal(10)))
    passes(one, request("b", 10))
    refused(one, facts(request("c", 1)), "0.0 left")
    one.exposure.apply_order(order("x", 20, **quoted))
    refused(one, facts(request("c", 1)), "x is in the quote currency", error=LimitUncomputable)


def test_hedged_legs_count_by_themselves(stage):
    one = stage(max_position=Decimal(100))
    one.exposure.apply_state(state(position_mode=PositionMode.HEDGING))
    one.exposure.apply_positions(report(position(90, "p"), position(-90, "q")))
    passes(one, request("a", 10))
    refused(one, facts(request("b", 1)))
    passes(one, request("c", 10, "sell"))


def test_of_a_cash_account_the_balance_counts(stage):
    one = stage(max_position=Decimal(100))
    one.exposure.apply_state(state(position_mode=PositionMode.NONE, has={"EUR": 95}))
    passes(one, request("a", 5))
    refused(one, facts(request("b", 1)))


# --- the day's loss


async def test_at_the_days_loss_new_risk_is_refused(stage):
    one = stage(max_daily_loss=Decimal(100))
    refused(one, facts(request()), "was not seen", error=LimitUncomputable)
    await one.days.note(state("1000"))
    passes(one, request("a"))
    await one.days.note(state("900.01"))
    passes(one, request("b"))
    await one.days.note(state("900"))
    refused(one, facts(request("c")), "max_daily_loss of venue/main is 100", "100 is lost today")


async def test_a_venue_that_reports_no_deposits_refuses(stage):
    one = stage(max_daily_loss=Decimal(100))
    await one.days.note(state(deposits=None))
    refused(one, facts(request()), "does not report the deposits", error=LimitUncomputable)


async def test_of_an_entry_the_losses_of_its_accounts_count_together(stage):
    one = stage(scope=ENTRY, max_daily_loss=Decimal(100))
    for equity in ("1000", "950"):
        for account in (MAIN, OTHER):
            await one.days.note(state(equity, account=account))
    refused(one, facts(request()), "max_daily_loss of venue is 100")


# --- scopes and what is exempt


@pytest.mark.parametrize(
    "limits",
    [{"orders_per_minute": 2}, {"max_open_orders": 2}, {"max_position": Decimal(20)}],
    ids=lambda limits: next(iter(limits)),
)
def test_an_entrys_limits_count_over_all_its_accounts(stage, limits):
    one = stage(scope=ENTRY, **limits)
    passes(one, request("a"))
    passes(one, request("b", account=OTHER))
    refused(one, facts(request("c")), f"{next(iter(limits))} of venue is 2")


@pytest.mark.parametrize(
    "limits",
    [{"orders_per_minute": 1}, {"max_open_orders": 1}, {"max_position": Decimal(10)}],
    ids=lambda limits: next(iter(limits)),
)
def test_an_accounts_limits_count_its_own_orders_only(stage, limits):
    one = stage(**limits)
    passes(one, request("a", account=OTHER))
    passes(one, request("b"))
    refused(one, facts(request("c")))


def test_both_scopes_must_hold(tmp_path):
    wide = LimitsConfig(scope=ENTRY, max_quantity=Decimal(100))
    narrow = LimitsConfig(scope=ACCOUNT, max_quantity=Decimal(10))
    one = Stage(tmp_path, wide, narrow)
    refused(one, facts(request(quantity=11)), "venue/main")
    refused(Stage(tmp_path, wide), facts(request(quantity=101)), "max_quantity of venue is 100")


NOTHING = {
    "max_quantity": Decimal(1),
    "max_notional": Decimal(1),
    "price_band": Decimal("0.000001"),
    "orders_per_minute": 1,
    "max_open_orders": 1,
    "max_position": Decimal(1),
    "max_daily_loss": Decimal(1),
    "symbols": ("NONE.*",),
}


def test_what_only_reduces_is_exempt_and_held(stage):
    one = stage(**NOTHING)
    blind = {"base": None, "value": None, "quote": None}
    passes(one, order_facts(request("a", 50, "sell", reduce_only=True), **blind))
    passes(one, order_facts(request("b", 50, "sell"), **blind), reducing=True)
    passes(one, command_id="cancel", kind=CommandKind.CANCEL)
    assert one.exposure.closing_quantity(MAIN, request().instrument_id) == 50
    assert one.limits.use(MAIN)[4].use == 0


def test_an_order_that_only_reduces_takes_no_room_in_the_position(stage):
    one = stage(max_position=Decimal(10))
    one.exposure.apply_positions(report(position(10)))
    passes(one, request("a", 10, "sell", reduce_only=True))
    passes(one, request("b", 10, "sell"))


def test_a_close_that_filled_and_is_in_no_position_yet_makes_no_room(stage):
    """Its fill may be lost on the way: what it closed is gone all the same."""
    one = stage(max_position=Decimal(10))
    one.exposure.apply_positions(report(position(-10), at=100))
    one.exposure.apply_order(order("close", 10, reduce_only=True))
    one.exposure.apply_order(order("close", 10, "filled", filled=10, at=101, reduce_only=True))
    one.exposure.apply_order(order("a", 10))
    one.exposure.apply_fill(fill("1", "a", 10, at=102))
    one.exposure.apply_order(order("a", 10, "filled", filled=10, at=102))
    refused(one, facts(request("b", 1)), "10 in use", "0 left")


# --- what is shown


def test_needs_says_what_must_be_asked_for(stage):
    for limits, expected in (
        ({"price_band": Decimal("0.1")}, (True, False, False)),
        ({"max_notional": Decimal(1)}, (False, True, False)),
        ({"max_position": Decimal(1)}, (False, True, False)),
        ({"max_daily_loss": Decimal(1)}, (False, False, True)),
        ({"orders_per_minute": 1, "max_open_orders": 1, "symbols": ("*",)}, (False, False, False)),
    ):
        needs = stage(scope=ENTRY, **limits).limits.needs(MAIN)
        assert (needs.quote, needs.value, needs.equity) == expected
        assert needs.any is any(expected)


def test_use_shows_each_limit_with_what_is_left(stage):
    one = stage(**{**NOTHING, "orders_per_minute": 5, "max_open_orders": 4, "max_position": Decimal(30)})
    one.exposure.apply_order(order("x", 10))
    rows = {(row.limit, row.about): (row.use, row.headroom) for row in one.limits.use(MAIN)}
    assert rows[("symbols", "NONE.*")] == (None, None)
    assert rows[("max_quantity", "each order")] == (None, None)
    assert rows[("orders_per_minute", "")] == (0, 5)
    assert rows[("max_open_orders", "")] == (1, 3)
    assert rows[("max_position", "EURUSD.VENUE buy: counted with the next order in it")] == (None, None)
    assert rows[("max_daily_loss", "the money of account venue/main was not seen in this day")] == (None, None)


def test_use_shows_positions_by_side(stage):
    one = stage(max_position=Decimal(30))
    one.exposure.apply_positions(report(position(5)))
    passes(one, request("a", 10))
    rows = {row.about: (row.use, row.headroom) for row in one.limits.use(MAIN)}
    assert rows == {"EURUSD.VENUE buy": (15, 15), "EURUSD.VENUE sell": (0, 30)}
