"""The trade server behind the stand-in, without the wire."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.clocks import ReplayClock
from gatehook.kinds.times import DAY
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import from_rfc3339
from gatehook.testing.metaapi import World
from gatehook.testing.metaapi.book import TradeRefused
from gatehook.testing.metaapi.book import Wish
from gatehook.testing.metaapi.settings import AccountSettings

MONDAY = from_rfc3339("2026-03-02T12:00:00Z")


@pytest.fixture
def clock():
    return ReplayClock(MONDAY)


@pytest.fixture
def world(clock):
    return World(clock=clock)


def held(world, account):
    return [(one.sign, str(one.volume), str(one.open_price)) for one in world.books[account].positions.values()]


def quote(world, bid, ask, size=None):
    world.set_price("EURUSD", Decimal(bid), Decimal(ask), None if size is None else Decimal(size))


def trade(world, account, sign, volume, **wish):
    return world.engine(account).at_market("EURUSD", sign, Decimal(volume), Wish(**wish))


def rest(world, kind, price, volume="1", account="hedging", **wish):
    return world.engine(account).resting(f"ORDER_TYPE_{kind}", "EURUSD", Decimal(volume), Decimal(price), Wish(**wish))


def test_hedging_holds_both_sides(world):
    trade(world, "hedging", 1, 1)
    trade(world, "hedging", -1, 1)
    assert held(world, "hedging") == [(1, "1", "1.10020"), (-1, "1", "1.10000")]


def test_netting_adds_up_under_the_first_number(world):
    first = trade(world, "netting", 1, 1)
    quote(world, "1.10980", "1.11000")
    again = trade(world, "netting", 1, 3)
    assert again.position_id == first.order_id
    assert held(world, "netting") == [(1, "4", "1.10755000")]


def test_netting_reduces_reverses_and_ends(world):
    trade(world, "netting", 1, 2)
    trade(world, "netting", -1, 1)
    assert held(world, "netting") == [(1, "1", "1.10020")]
    trade(world, "netting", -1, 3)
    assert held(world, "netting") == [(-1, "2", "1.10000")]
    trade(world, "netting", 1, 2)
    assert held(world, "netting") == []
    entries = [one.entry for one in world.books["netting"].deals[1:]]
    assert entries == ["DEAL_ENTRY_IN", "DEAL_ENTRY_OUT", "DEAL_ENTRY_INOUT", "DEAL_ENTRY_OUT"]
    assert sum(one.profit for one in world.books["netting"].deals[1:]) == -20 - 20 - 40
    assert len({one.position_id for one in world.books["netting"].deals[1:]}) == 1


def test_the_balance_is_the_sum_of_the_deals(world):
    trade(world, "hedging", 1, 1)
    number = trade(world, "hedging", -1, "0.37").position_id
    quote(world, "1.10530", "1.10550")
    world.engine("hedging").close(number)
    book = world.books["hedging"]
    assert book.balance == sum(one.profit + one.swap + one.commission for one in book.deals)


@pytest.mark.parametrize(
    ("kind", "price", "bid", "ask", "filled"),
    [
        ("BUY_LIMIT", "1.09000", "1.08980", "1.09000", "1.09000"),
        ("BUY_LIMIT", "1.09000", "1.08480", "1.08500", "1.08500"),
        ("SELL_LIMIT", "1.11000", "1.11000", "1.11020", "1.11000"),
        ("BUY_STOP", "1.11000", "1.11080", "1.11100", "1.11100"),
        ("SELL_STOP", "1.09000", "1.08900", "1.08920", "1.08900"),
    ],
)
def test_a_resting_order_fills_when_its_price_is_reached(world, kind, price, bid, ask, filled):
    receipt = rest(world, kind, price)
    quote(world, bid, ask)
    [position] = world.books["hedging"].positions.values()
    assert (position.id, str(position.open_price)) == (receipt.order_id, filled)
    assert world.books["hedging"].orders == {}
    assert world.books["hedging"].history[-1].state == "ORDER_STATE_FILLED"


@pytest.mark.parametrize(
    ("kind", "price"),
    [
        ("BUY_LIMIT", "1.10020"),
        ("BUY_LIMIT", "1.10015"),
        ("SELL_LIMIT", "1.10000"),
        ("BUY_STOP", "1.10020"),
        ("SELL_STOP", "1.10000"),
        ("BUY_LIMIT", "1.0900001"),
    ],
)
def test_it_does_not_rest_on_the_wrong_side_of_the_market(world, kind, price):
    with pytest.raises(TradeRefused) as refused:
        rest(world, kind, price)
    assert refused.value.code == "TRADE_RETCODE_INVALID_PRICE"


def test_a_resting_order_fills_by_and_by(world):
    receipt = rest(world, "BUY_LIMIT", "1.09000", "3")
    quote(world, "1.08980", "1.09000", "1.005")
    order = world.books["hedging"].orders[receipt.order_id]
    assert (order.state, order.left) == ("ORDER_STATE_PARTIAL", 2)
    quote(world, "1.08980", "1.09000")
    assert world.books["hedging"].orders == {}
    assert sum(one.volume for one in world.books["hedging"].positions.values()) == 3


def test_a_resting_order_without_the_money_ends_as_rejected(world):
    rest(world, "BUY_LIMIT", "1.09000", "80")
    trade(world, "hedging", 1, 30)
    quote(world, "1.08980", "1.09000")
    assert world.books["hedging"].history[-1].state == "ORDER_STATE_REJECTED"


@pytest.mark.parametrize(
    ("bid", "reason", "profit"), [("1.08900", "DEAL_REASON_SL", -1120), ("1.12100", "DEAL_REASON_TP", 2080)]
)
def test_protection_closes_at_the_market(world, bid, reason, profit):
    trade(world, "hedging", 1, 1, stop_loss=Decimal("1.09"), take_profit=Decimal("1.12"), client_id="mine")
    quote(world, bid, Decimal(bid) + Decimal("0.0002"))
    last = world.books["hedging"].deals[-1]
    assert (last.entry, last.reason, last.profit, last.client_id) == ("DEAL_ENTRY_OUT", reason, profit, None)
    assert held(world, "hedging") == []


def test_protection_waits_while_the_market_is_closed_or_empty(world):
    trade(world, "hedging", -1, 1, stop_loss=Decimal("1.11"))
    quote(world, "1.12", "1.121", "0")
    assert len(held(world, "hedging")) == 1
    world.market.closed.add("EURUSD")
    quote(world, "1.12", "1.121")
    assert len(held(world, "hedging")) == 1
    world.market.closed.clear()
    world.act()
    assert held(world, "hedging") == []


def test_thresholds_move_a_stop_loss_once_they_are_reached(world):
    trailing = {
        "threshold": {
            "thresholds": [
                {"threshold": Decimal(100), "stopLoss": Decimal(50)},
                {"threshold": Decimal(300), "stopLoss": Decimal(20)},
            ],
            "units": "RELATIVE_POINTS",
            "stopPriceBase": "CURRENT_PRICE",
        }
    }
    number = trade(world, "hedging", 1, 1, trailing=trailing).position_id
    position = world.books["hedging"].positions[number]
    quote(world, "1.10100", "1.10120")
    assert position.wish.stop_loss is None
    quote(world, "1.10120", "1.10140")
    assert position.wish.stop_loss == Decimal("1.10070")
    quote(world, "1.10320", "1.10340")
    assert position.wish.stop_loss == Decimal("1.10300")


def test_absolute_thresholds_of_a_sale(world):
    trailing = {
        "threshold": {
            "thresholds": [{"threshold": Decimal("1.09"), "stopLoss": Decimal("1.095")}],
            "units": "ABSOLUTE_PRICE",
        }
    }
    number = trade(world, "hedging", -1, 1, trailing=trailing).position_id
    quote(world, "1.08900", "1.08920")
    assert world.books["hedging"].positions[number].wish.stop_loss == Decimal("1.095")


def test_nights_are_charged_at_the_brokers_midnight(world, clock):
    trade(world, "hedging", 1, 1)
    number = trade(world, "hedging", -1, 2).position_id
    clock.advance(MONDAY + 2 * DAY)
    world.act()
    assert [one.swap for one in world.books["hedging"].positions.values()] == [-12, 8]
    world.engine("hedging").close(number)
    assert world.books["hedging"].deals[-1].swap == 8


def test_yen_become_dollars():
    world = World(clock=ReplayClock(MONDAY))
    number = world.engine("hedging").at_market("USDJPY", 1, Decimal(1), Wish()).position_id
    world.set_price("USDJPY", Decimal("151.020"), Decimal("151.040"))
    world.engine("hedging").close(number)
    assert world.books["hedging"].deals[-1].profit == Decimal("662.08")


def test_margin_counts_what_is_held():
    world = World(clock=ReplayClock(MONDAY), accounts=[AccountSettings(id="a", balance=2500)])
    trade(world, "a", 1, 2)
    with pytest.raises(TradeRefused) as refused:
        trade(world, "a", 1, 1)
    assert refused.value.code == "TRADE_RETCODE_NO_MONEY"
    assert held(world, "a") == [(1, "2", "1.10020")]


def test_netting_needs_no_margin_to_get_smaller():
    world = World(clock=ReplayClock(MONDAY), accounts=[AccountSettings(id="a", balance=2300, netting=True)])
    trade(world, "a", 1, 2)
    trade(world, "a", -1, 4)
    assert held(world, "a") == [(-1, "2", "1.10000")]


def test_an_empty_market_refuses(world):
    quote(world, "1.1", "1.1002", "0")
    with pytest.raises(TradeRefused):
        trade(world, "hedging", 1, 1)
    assert world.books["hedging"].history == []


def test_two_worlds_of_one_seed_are_the_same():
    worlds = [World(seed=7, clock=ReplayClock(MONDAY)) for _ in range(2)]
    for world in worlds:
        trade(world, "hedging", 1, 1)
        quote(world, "1.2", "1.2002")
    assert worlds[0].books == worlds[1].books


def test_an_ask_below_the_bid_is_no_market(world):
    with pytest.raises(ValueError, match="below"):
        quote(world, "1.2", "1.1")


def test_a_close_that_waits_ends_with_its_position(world, clock):
    number = trade(world, "hedging", 1, 1).position_id
    world.market.execution = 5 * SECOND
    assert [world.engine("hedging").close(number).code for _ in range(2)] == ["TRADE_RETCODE_PLACED"] * 2
    world.market.execution = 0
    clock.advance(MONDAY + 6 * SECOND)
    world.act()
    assert held(world, "hedging") == []
    assert [one.state for one in world.books["hedging"].history[1:]] == ["ORDER_STATE_FILLED", "ORDER_STATE_REJECTED"]


PRICES = st.integers(min_value=109_000, max_value=111_000).map(lambda points: Decimal(points).scaleb(-5))
STEPS = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from([1, -1]), st.integers(1, 300)),
    st.tuples(st.just("rest"), st.sampled_from(["BUY_LIMIT", "SELL_LIMIT", "BUY_STOP", "SELL_STOP"]), PRICES),
    st.tuples(st.just("close"), st.integers(0, 3)),
    st.tuples(st.just("quote"), PRICES, st.one_of(st.none(), st.integers(0, 200))),
    st.tuples(st.just("wait"), st.integers(1, 3)),
)


def take(world, clock, account, step):
    engine = world.engine(account)
    match step:
        case "trade", sign, cents:
            engine.at_market("EURUSD", sign, Decimal(cents).scaleb(-2), Wish(stop_loss=None))
        case "rest", kind, price:
            engine.resting(f"ORDER_TYPE_{kind}", "EURUSD", Decimal("0.5"), price, Wish())
        case "close", index if index < len(engine.book.positions):
            engine.close(list(engine.book.positions)[index])
        case "quote", price, cents:
            size = None if cents is None else Decimal(cents).scaleb(-2)
            world.set_price("EURUSD", price, price + Decimal("0.0002"), size)
        case "wait", days:
            clock.advance(clock.now() + days * DAY)


@settings(max_examples=60, deadline=None)
@given(account=st.sampled_from(["hedging", "netting"]), steps=st.lists(STEPS, max_size=25))
def test_the_deals_explain_the_money_and_the_positions(account, steps):
    clock = ReplayClock(MONDAY)
    world = World(clock=clock)
    for step in steps:
        with suppress(TradeRefused):
            take(world, clock, account, step)
    book = world.books[account]
    assert book.balance == sum(one.profit + one.swap + one.commission for one in book.deals)
    signs = {"DEAL_TYPE_BUY": 1, "DEAL_TYPE_SELL": -1}
    dealt = {}
    for deal in book.deals[1:]:
        dealt[deal.position_id] = dealt.get(deal.position_id, 0) + signs[deal.type] * deal.volume
    assert {number: volume for number, volume in dealt.items() if volume} == {
        one.id: one.sign * one.volume for one in book.positions.values()
    }
    filled = {}
    for deal in book.deals[1:]:
        filled[deal.order_id] = filled.get(deal.order_id, 0) + deal.volume
    orders = {one.id: one.volume - one.left for one in [*book.history, *book.orders.values()]}
    assert {number: volume for number, volume in orders.items() if volume} == filled
    assert account == "hedging" or len(book.positions) <= 1
