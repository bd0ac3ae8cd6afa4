"""How long orders work, how much of them fills, and what lists, amends and cancels do: one sentence a function."""

from __future__ import annotations

import pytest

from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.commands import Contingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import InvalidStops
from gatehook.kinds.errors import PostOnlyWouldTake
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import from_rfc3339
from tests.paper.kit import MAIN
from tests.paper.kit import T0
from tests.paper.kit import Bench
from tests.paper.kit import D
from tests.paper.kit import ending
from tests.paper.kit import fills
from tests.paper.kit import last
from tests.paper.kit import order
from tests.paper.kit import quote
from tests.paper.kit import shown

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
IOC, FOK, GTD, DAY, GTC = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD, TimeInForce.DAY, TimeInForce.GTC


def rule_gtd_is_exclusive_and_precedes_the_price_of_its_time(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1001")
    early = order(BUY, LIMIT, price="1.0990", time_in_force=GTD, expire_at=T0 + 10 * SECOND)
    late = order(BUY, LIMIT, price="1.0990", time_in_force=GTD, expire_at=T0 + 10 * SECOND + 1)
    made.submit(early, T0)
    made.submit(late, T0)
    assert [one.client_order_id for one in bench.tick(made, "1.0980", "1.0980", 10)] == [late.client_order_id]
    assert ending(made, early) == "expired 0 100 expired"


def rule_gtd_inside_a_bar_sees_the_path_up_to_its_time(bench: Bench) -> None:
    """The low is at twenty past, the high at forty past."""
    made = bench.opened()
    low = order(BUY, LIMIT, price="1.0960", time_in_force=GTD, expire_at=T0 + 30 * MINUTE)
    high = order(SELL, LIMIT, price="1.1090", time_in_force=GTD, expire_at=T0 + 30 * MINUTE)
    made.submit(low, T0)
    made.submit(high, T0)
    assert shown(bench.bar(made, "1.1000 1.1100 1.0950 1.1000")) == ["buy 100 1.0960"]
    assert last(made, high).status is OrderStatus.EXPIRED
    assert last(made, high).ts_last == T0 + 30 * MINUTE


def rule_a_price_met_exactly_at_the_end_is_too_late(bench: Bench) -> None:
    """At twenty past the bid is at the low, 1.0950: an order that ends then does not get it."""
    made = bench.opened()
    exact = order(BUY, LIMIT, price="1.0950", time_in_force=GTD, expire_at=T0 + 20 * MINUTE)
    made.submit(exact, T0)
    assert bench.bar(made, "1.1000 1.1100 1.0950 1.1000") == []
    assert last(made, exact).status is OrderStatus.EXPIRED


def rule_an_order_that_ends_with_a_bar_sees_its_close(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(BUY, LIMIT, price="1.1000", time_in_force=GTD, expire_at=T0 + HOUR), T0 + 30 * MINUTE)
    assert shown(bench.bar(made, "1.1010 1.1100 1.0990 1.1000")) == ["buy 100 1.1000"]


def rule_day_ends_at_1700_new_york(bench: Bench) -> None:
    made = bench.opened()
    day = order(BUY, LIMIT, price="1.0500", time_in_force=DAY)
    made.submit(day, T0)
    made.pass_time(T0 + 5 * HOUR - 1)
    assert last(made, day).status is OrderStatus.ACCEPTED
    made.pass_time(T0 + 5 * HOUR)
    assert ending(made, day) == "expired 0 100 expired"


def rule_a_day_order_after_fridays_close_lasts_until_monday(bench: Bench) -> None:
    friday = from_rfc3339("2024-01-12T22:00:00Z")
    made = bench.engine(max_quote_age=10**18)
    made.on_quote(quote("1.1", "1.1", friday), friday)
    day = order(BUY, LIMIT, price="1.0500", time_in_force=DAY)
    made.submit(day, friday)
    made.pass_time(from_rfc3339("2024-01-15T21:59:59Z"))
    assert last(made, day).status is OrderStatus.ACCEPTED
    made.pass_time(from_rfc3339("2024-01-15T22:00:00Z"))
    assert last(made, day).status is OrderStatus.EXPIRED


def rule_an_order_that_has_ended_already_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidOrder):
        bench.opened().submit(order(BUY, LIMIT, price="1.09", time_in_force=GTD, expire_at=T0), T0)


def rule_ioc_unfilled_is_canceled_with_nothing_filled(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002")
    ioc = order(BUY, LIMIT, price="1.1001", time_in_force=IOC)
    assert made.submit(ioc, T0).status is OrderStatus.CANCELED
    assert ending(made, ioc) == "canceled 0 100 ioc"


def rule_a_market_order_without_a_time_in_force_is_ioc(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002", size="60")
    market = order(BUY)
    assert made.submit(market, T0).request.time_in_force is IOC
    assert ending(made, market) == "canceled 60 40 ioc"
    assert made.submit(order(BUY, LIMIT, price="1.09"), T0).request.time_in_force is GTC


def rule_fok_is_all_or_nothing(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002", size="100")
    too_much, enough = order(BUY, quantity=101, time_in_force=FOK), order(BUY, quantity=100, time_in_force=FOK)
    made.submit(too_much, T0)
    assert ending(made, too_much) == "canceled 0 101 fok"
    made.submit(enough, T0)
    assert ending(made, enough) == "filled 100 0 None"


def rule_ioc_and_fok_on_a_close_see_the_next_open(bench: Bench) -> None:
    made = bench.opened(participation=D("0.1"))
    ioc = order(BUY, LIMIT, 80, price="1.1001", time_in_force=IOC)
    fok = order(SELL, LIMIT, 80, price="1.0999", time_in_force=FOK)
    missed = order(BUY, LIMIT, 1, price="1.0990", time_in_force=IOC)
    for one in (ioc, fok, missed):
        made.submit(one, T0)
    assert shown(bench.bar(made, "1.1 1.1 1.0900 1.1", volume="509")) == ["buy 50 1.1"]
    assert ending(made, ioc) == "canceled 50 30 ioc"
    assert ending(made, fok) == "canceled 0 80 fok"
    assert ending(made, missed) == "canceled 0 1 ioc"


def rule_a_quotes_size_is_consumed_once_until_the_next_quote(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002", size="150")
    first, second = order(BUY, time_in_force=GTC), order(BUY, time_in_force=GTC)
    made.submit(first, T0)
    made.submit(second, T0)
    assert shown(fills(made)) == ["buy 100 1.1002", "buy 50 1.1002"]
    assert made.submit(order(SELL, quantity=150), T0).status is OrderStatus.FILLED
    assert shown(bench.tick(made, "1.1000", "1.1002", size="30")) == ["buy 30 1.1002"]
    assert shown(bench.tick(made, "1.1000", "1.1003", 2, size="30")) == ["buy 20 1.1003"]


def rule_candles_are_unlimited_unless_participation(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(BUY, quantity=10**6), T0)
    assert bench.bar(made, "1.1 1.1 1.1 1.1", volume="1")[0].quantity == 10**6


def rule_participation_is_shared_in_price_time_and_floored(bench: Bench) -> None:
    """A tenth of 1,555 is 155: all for the better limit, then what is left for the older of the others."""
    made = bench.opened(participation=D("0.1"))
    older = order(BUY, LIMIT, price="1.0990")
    newer = order(BUY, LIMIT, price="1.0990")
    better = order(BUY, LIMIT, price="1.0995")
    for one in (older, newer, better):
        made.submit(one, T0)
    found = bench.bar(made, "1.0900 1.0900 1.0900 1.0900", volume="1555")
    assert [(one.client_order_id, one.quantity) for one in found] == [
        (better.client_order_id, 100),
        (older.client_order_id, 55),
    ]
    found = bench.bar(made, "1.0900 1.0900 1.0900 1.0900", 1, volume="500")
    assert [(one.client_order_id, one.quantity) for one in found] == [
        (older.client_order_id, 45),
        (newer.client_order_id, 5),
    ]


def rule_our_own_orders_never_match_each_other(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1010")
    made.submit(order(BUY, LIMIT, price="1.1006"), T0)
    made.submit(order(SELL, LIMIT, price="1.1004"), T0)
    assert fills(made) == []


def rule_quantities_add_up_and_cost_is_the_sum(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002", size="30")
    working = order(BUY, LIMIT, 100, price="1.1005")
    made.submit(working, T0)
    partial = last(made, working)
    assert (partial.status, partial.filled, partial.leaves) == (OrderStatus.PARTIALLY_FILLED, 30, 70)
    bench.tick(made, "1.1000", "1.1004", size="70")
    done = last(made, working)
    assert (done.status, done.filled, done.leaves) == (OrderStatus.FILLED, 100, 0)
    assert done.cost == 30 * D("1.1002") + 70 * D("1.1004")


def rule_a_cancel_ends_what_is_left(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002", size="30")
    working = order(BUY, LIMIT, 100, price="1.1005")
    made.submit(working, T0)
    found = made.state.book.find("main", working.client_order_id)
    assert found is not None
    made.cancel(found, T0)
    assert ending(made, working) == "canceled 30 70 requested"
    assert made.state.accounts["main"].reserved == {}
    assert bench.tick(made, "1.1000", "1.1002") == []


def rule_cancel_all_is_one_result_an_order(bench: Bench) -> None:
    other = bench.account("other")
    made = bench.opened(bench.account(), other)
    for _ in range(3):
        made.submit(order(BUY, LIMIT, price="1.05"), T0)
    made.submit(order(BUY, LIMIT, price="1.05", account=type(MAIN)("paper", "other")), T0)
    canceled = made.cancel_all("main", None, T0)
    assert [one.status for one in canceled] == [OrderStatus.CANCELED] * 3
    assert len(made.state.book) == 1


def amend(made: object, request: OrderRequest, **change: str) -> Order:
    working = made.state.book.find("main", request.client_order_id)  # type: ignore[attr-defined]
    result: Order = made.amend(working, OrderChange(**change), T0)  # type: ignore[attr-defined]
    return result


def rule_an_amend_keeps_the_id_and_meets_the_quote(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002", size="30")
    working = order(BUY, LIMIT, 100, price="1.0990")
    made.submit(working, T0)
    changed = amend(made, working, price="1.1002", quantity="50")
    assert (changed.request.client_order_id, changed.venue_order_id) == (working.client_order_id, "P1")
    assert (changed.filled, changed.leaves, changed.status) == (30, 20, OrderStatus.PARTIALLY_FILLED)
    with pytest.raises(InvalidOrder):
        amend(made, working, quantity="30")
    with pytest.raises(InvalidOrder):
        amend(made, working, trigger_price="1.2")


def rule_an_amend_is_held_to_the_market_like_a_new_order(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002")
    post, stop = order(BUY, LIMIT, price="1.0990", post_only=True), order(BUY, STOP, trigger_price="1.1050")
    made.submit(post, T0)
    made.submit(stop, T0)
    with pytest.raises(PostOnlyWouldTake):
        amend(made, post, price="1.1002")
    with pytest.raises(InvalidStops):
        amend(made, stop, trigger_price="1.1002")
    assert last(made, post).request.price == D("1.0990")


def rule_only_a_smaller_quantity_keeps_the_place_in_time(bench: Bench) -> None:
    for field, value, expected in (("quantity", "90", "a"), ("quantity", "110", "b"), ("price", "1.0990", "b")):
        made = bench.opened(participation=D("1"))
        first, second = (order(BUY, LIMIT, 100, price="1.0990", client_order_id=name) for name in ("a", "b"))
        made.submit(first, T0)
        made.submit(second, T0)
        amend(made, first, **{field: value})
        assert bench.bar(made, "1.1 1.1 1.0980 1.1", volume="10")[0].client_order_id == expected, field


def oco(made: object, *orders: OrderRequest, kind: Contingency = Contingency.OCO) -> tuple[Order, ...]:
    taken: tuple[Order, ...] = made.submit_list(  # type: ignore[attr-defined]
        OrderList(list_id="l", contingency=kind, orders=orders), T0
    )
    return taken


def rule_one_cancels_the_other(bench: Bench) -> None:
    for prices, filled in (("1.1 1.1060 1.0990 1.1", "sell 100 1.1050"), ("1.1 1.1010 1.0940 1.1", "sell 100 1.0950")):
        made = bench.opened()
        oco(made, order(SELL, LIMIT, price="1.1050"), order(SELL, STOP, trigger_price="1.0950"))
        assert shown(bench.bar(made, prices)) == [filled]
        assert len(made.state.book) == 0


def rule_both_legs_within_one_bar_is_the_stop_loss(bench: Bench) -> None:
    """Whichever extreme comes first."""
    for prices in ("1.1000 1.1060 1.0900 1.1000", "1.1000 1.1100 1.0940 1.1000"):
        made = bench.opened()
        oco(made, order(SELL, LIMIT, price="1.1050"), order(SELL, STOP, trigger_price="1.0950"))
        assert shown(bench.bar(made, prices)) == ["sell 100 1.0950"]


def rule_an_open_beyond_a_take_profit_came_before_the_rest_of_the_bar(bench: Bench) -> None:
    made = bench.opened()
    oco(made, order(SELL, LIMIT, price="1.1050"), order(SELL, STOP, trigger_price="1.0950"))
    assert shown(bench.bar(made, "1.1060 1.1070 1.0900 1.1000")) == ["sell 100 1.1060"]


def rule_one_triggers_the_others(bench: Bench) -> None:
    made = bench.opened()
    parent, child = order(BUY, LIMIT, price="1.0950"), order(SELL, LIMIT, price="1.1050")
    oco(made, parent, child, kind=Contingency.OTO)
    assert bench.bar(made, "1.1 1.1060 1.0960 1.1") == []
    assert shown(bench.bar(made, "1.1 1.1060 1.0940 1.1", 1)) == ["buy 100 1.0950", "sell 100 1.1050"]


def rule_children_end_with_a_parent_that_was_not_filled(bench: Bench) -> None:
    made = bench.opened()
    parent, child = order(BUY, LIMIT, price="1.0950"), order(SELL, LIMIT, price="1.1050")
    oco(made, parent, child, kind=Contingency.OTO)
    made.cancel_all("main", None, T0)
    assert ending(made, child) == "canceled 0 100 parent"


def rule_a_bracket_protects_what_it_opened(bench: Bench) -> None:
    made = bench.opened(bench.account(mode=PositionMode.HEDGING))
    entry = order(BUY, LIMIT, price="1.0950")
    stop, target = order(SELL, STOP, trigger_price="1.0900"), order(SELL, LIMIT, price="1.1050")
    oco(made, entry, target, stop, kind=Contingency.BRACKET)
    assert shown(bench.bar(made, "1.1 1.1 1.0940 1.1")) == ["buy 100 1.0950"]
    assert shown(bench.bar(made, "1.1 1.1060 1.0990 1.1", 1)) == ["sell 100 1.1050"]
    assert (len(made.state.book), made.state.holdings) == (0, {})
    assert ending(made, stop) == "canceled 0 100 oco"


def rule_a_list_is_taken_whole_or_not_at_all(bench: Bench) -> None:
    made = bench.opened()
    with pytest.raises(InvalidStops):
        oco(made, order(SELL, LIMIT, price="1.1050"), order(SELL, STOP, trigger_price="1.1000"))
    assert (len(made.state.book), made.state.counters.order) == (0, 0)
    for bad in (
        (order(),),
        (order(BUY), order(SELL, LIMIT, price="1.2"), order(SELL, LIMIT, price="1.3")),
        (order(BUY), order(BUY, STOP, trigger_price="1.05"), order(SELL, LIMIT, price="1.3")),
        (order(BUY, quantity=5), order(SELL, STOP, trigger_price="1.05"), order(SELL, LIMIT, price="1.3")),
    ):
        with pytest.raises(InvalidOrder):
            oco(made, *bad, kind=Contingency.BRACKET)
