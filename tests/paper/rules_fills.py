"""When and at what price orders fill: every function is one sentence of the rules, given an engine package."""

from __future__ import annotations

import pytest

from gatehook.kinds.errors import InvalidStops
from gatehook.kinds.errors import NoQuote
from gatehook.kinds.errors import PostOnlyWouldTake
from gatehook.kinds.orders import Liquidity
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.kinds.prices import CandleSide
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND
from tests.paper.kit import EURUSD
from tests.paper.kit import T0
from tests.paper.kit import Bench
from tests.paper.kit import D
from tests.paper.kit import ending
from tests.paper.kit import fills
from tests.paper.kit import last
from tests.paper.kit import order
from tests.paper.kit import shown

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP, STOP_LIMIT, TRAILING = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP


def trail(offset: str, unit: TrailingUnit = TrailingUnit.PRICE, start: str | None = None) -> Trailing:
    return Trailing(offset=offset, unit=unit, activation_price=start)


def rule_buys_fill_on_the_ask_and_sells_on_the_bid(bench: Bench) -> None:
    made = bench.opened(spread=D("0.0002"))
    made.submit(order(BUY), T0)
    made.submit(order(SELL), T0)
    assert shown(bench.bar(made, "1.1 1.1 1.1 1.1")) == ["buy 100 1.1002", "sell 100 1.1"]


def rule_a_candle_of_mids_lies_between_bid_and_ask(bench: Bench) -> None:
    made = bench.opened(spread=D("0.0002"))
    made.submit(order(BUY), T0)
    made.submit(order(SELL), T0)
    found = bench.bar(made, "1.1 1.1 1.1 1.1", side=CandleSide.MID)
    assert [one.price for one in found] == [D("1.1001"), D("1.0999")]


def rule_buy_stops_trigger_on_the_ask_and_sell_stops_on_the_bid(bench: Bench) -> None:
    made = bench.opened(spread=D("0.0010"))
    made.submit(order(BUY, STOP, trigger_price="1.1050"), T0)
    made.submit(order(SELL, STOP, trigger_price="1.0950"), T0)
    assert shown(bench.bar(made, "1.1 1.1039 1.0951 1.1")) == []
    assert shown(bench.bar(made, "1.1 1.1040 1.0951 1.1", 1)) == ["buy 100 1.1050"]
    assert shown(bench.bar(made, "1.1 1.1 1.0950 1.1", 2)) == ["sell 100 1.0950"]


def rule_one_placed_on_a_close_first_sees_the_next_open(bench: Bench) -> None:
    made = bench.opened()
    taken = made.submit(order(BUY), T0)
    assert (taken.status, fills(made)) == (OrderStatus.ACCEPTED, [])
    found = bench.bar(made, "1.1020 1.1030 1.1010 1.1025")
    assert shown(found) == ["buy 100 1.1020"]
    assert found[0].ts_event == T0


def rule_an_order_sees_only_points_after_its_time(bench: Bench) -> None:
    """Accepted at half past: the low at twenty past is gone, the high at forty past is not."""
    made = bench.opened()
    low, high = order(BUY, LIMIT, price="1.0950"), order(SELL, LIMIT, price="1.1080")
    made.submit(low, T0 + 30 * MINUTE)
    made.submit(high, T0 + 30 * MINUTE)
    found = bench.bar(made, "1.1000 1.1100 1.0950 1.1000")
    assert shown(found) == ["sell 100 1.1080"]
    assert T0 + 30 * MINUTE < found[0].ts_event < T0 + 40 * MINUTE


def rule_a_market_order_inside_a_bar_fills_on_the_line(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(BUY), T0 + 30 * MINUTE)
    assert shown(bench.bar(made, "1.1000 1.1100 1.0950 1.1000")) == ["buy 100 1.1025"]


def rule_a_quote_before_the_order_is_not_met(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1001")
    made.submit(order(BUY, LIMIT, price="1.0990"), T0 + 10 * SECOND)
    assert shown(bench.tick(made, "1.0970", "1.0971", 9)) == []
    assert shown(bench.tick(made, "1.0980", "1.0981", 10)) == ["buy 100 1.0981"]


def rule_the_path_goes_to_the_nearer_extreme_first(bench: Bench) -> None:
    """Low first (also on a tie): the sell stop is hit before the high that would have moved nothing."""
    for prices, expected in (
        ("1.1000 1.1100 1.0950 1.1050", ["buy", "sell"]),
        ("1.1000 1.1100 1.0900 1.1050", ["buy", "sell"]),
        ("1.1000 1.1050 1.0900 1.1040", ["sell", "buy"]),
    ):
        made = bench.opened()
        made.submit(order(BUY, LIMIT, price="1.0960"), T0)
        made.submit(order(SELL, LIMIT, price="1.1040"), T0)
        assert [str(one.side) for one in bench.bar(made, prices)] == expected, prices


def rule_a_crossed_price_fills_exactly_there(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(BUY, LIMIT, price="1.0960"), T0)
    made.submit(order(SELL, LIMIT, price="1.1060"), T0)
    found = bench.bar(made, "1.1000 1.1100 1.0900 1.1000")
    assert shown(found) == ["buy 100 1.0960", "sell 100 1.1060"]
    assert [one.liquidity for one in found] == [Liquidity.MAKER, Liquidity.MAKER]


def rule_an_open_beyond_fills_at_the_open(bench: Bench) -> None:
    """Limits improve, stops slip."""
    made = bench.opened()
    made.submit(order(BUY, LIMIT, 1, price="1.0990"), T0)
    made.submit(order(SELL, STOP, 2, trigger_price="1.0980"), T0)
    assert shown(bench.bar(made, "1.0900 1.0910 1.0890 1.0900")) == ["sell 2 1.0900", "buy 1 1.0900"]


def rule_touch_fills_and_through_does_not(bench: Bench) -> None:
    for mode, expected in (("touch", 1), ("through", 0)):
        made = bench.opened(limit_fill=mode)
        made.submit(order(BUY, LIMIT, price="1.0950"), T0)
        made.submit(order(SELL, LIMIT, price="1.1050"), T0)
        assert len(bench.bar(made, "1.1000 1.1040 1.0950 1.1000")) == expected
        assert len(bench.bar(made, "1.1000 1.1060 1.0949 1.1000", 1)) == 2 - expected


def rule_through_does_not_keep_a_taker_from_taking(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002", limit_fill="through")
    made.submit(order(BUY, LIMIT, price="1.1002"), T0)
    assert shown(fills(made)) == ["buy 100 1.1002"]
    assert fills(made)[0].liquidity is Liquidity.TAKER


def rule_a_stop_limit_works_from_the_trigger_on(bench: Bench) -> None:
    """Its limit was passed before the trigger; only what comes after counts."""
    made = bench.opened()
    near = order(BUY, STOP_LIMIT, 1, trigger_price="1.1050", price="1.1060")
    far = order(BUY, STOP_LIMIT, 2, trigger_price="1.1050", price="1.0980")
    made.submit(near, T0)
    made.submit(far, T0)
    found = bench.bar(made, "1.1000 1.1100 1.0950 1.1040")
    assert (shown(found), found[0].liquidity) == (["buy 1 1.1050"], Liquidity.TAKER)
    assert last(made, far).status is OrderStatus.TRIGGERED
    assert shown(bench.bar(made, "1.1000 1.1010 1.0970 1.1000", 1)) == ["buy 2 1.0980"]


def rule_a_stop_limit_that_gaps_beyond_its_limit_waits(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(SELL, STOP_LIMIT, trigger_price="1.0950", price="1.0940"), T0)
    assert shown(bench.bar(made, "1.0900 1.0930 1.0890 1.0910")) == []
    assert shown(bench.bar(made, "1.0910 1.0950 1.0890 1.0910", 1)) == ["sell 100 1.0940"]


def rule_a_trigger_equal_to_the_market_is_refused(bench: Bench) -> None:
    made = bench.opened(spread=D("0.0002"))
    for refused in (
        order(BUY, STOP, trigger_price="1.1002"),
        order(SELL, STOP, trigger_price="1.1000"),
        order(BUY, STOP_LIMIT, trigger_price="1.0990", price="1.1"),
    ):
        with pytest.raises(InvalidStops):
            made.submit(refused, T0)
    made.submit(order(BUY, STOP, trigger_price="1.1003"), T0)
    made.submit(order(SELL, STOP, trigger_price="1.0999"), T0)


def rule_post_only_at_a_limit_equal_to_the_ask_crosses(bench: Bench) -> None:
    made = bench.opened(spread=D("0.0002"))
    for side, price in ((BUY, "1.1002"), (SELL, "1.1000")):
        with pytest.raises(PostOnlyWouldTake):
            made.submit(order(side, LIMIT, price=price, post_only=True), T0)
    made.submit(order(BUY, LIMIT, price="1.1001", post_only=True), T0)
    made.submit(order(SELL, LIMIT, price="1.1001", post_only=True), T0)


def rule_a_post_only_stop_limit_that_would_take_is_canceled(bench: Bench) -> None:
    made = bench.opened()
    taken = order(BUY, STOP_LIMIT, trigger_price="1.1050", price="1.1050", post_only=True)
    made.submit(taken, T0)
    assert shown(bench.bar(made, "1.1000 1.1100 1.0990 1.1000")) == []
    assert ending(made, taken) == "canceled 0 100 post_only_would_take"


def rule_no_price_or_a_stale_one_is_no_quote(bench: Bench) -> None:
    with pytest.raises(NoQuote):
        bench.engine().submit(order(), T0)
    made = bench.quoted("1.1000", "1.1001")
    made.submit(order(), T0 + 60 * SECOND)
    with pytest.raises(NoQuote):
        made.submit(order(), T0 + 60 * SECOND + 1)


def rule_a_close_holds_for_one_candle_more(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(), T0 + HOUR + MINUTE)
    with pytest.raises(NoQuote):
        made.submit(order(), T0 + HOUR + MINUTE + 1)


def rule_crossed_and_one_sided_quotes_are_no_prices(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1001")
    made.submit(order(BUY, LIMIT, price="1.0990"), T0)
    assert bench.tick(made, "1.0980", "1.0970") == []
    assert made.state.marks[EURUSD].bid == D("1.1000")


def rule_an_unfinished_or_old_candle_is_no_price(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(BUY, LIMIT, price="1.0990"), T0)
    assert bench.bar(made, "1.1 1.1 1.0900 1.1", closed=False) == []
    made.submit(order(BUY, LIMIT, price="1.0990"), T0)
    assert bench.bar(made, "1.2 1.2 1.2 1.2", -1) == []
    assert made.state.marks[EURUSD].bid == D("1.1000")
    assert len(bench.bar(made, "1.1 1.1 1.0900 1.1")) == 2
    made.submit(order(), T0 + HOUR)
    assert bench.bar(made, "1.1 1.1 1.0900 1.1") == []


def rule_trailing_follows_the_extremes_of_the_path(bench: Bench) -> None:
    """Open 1.1000, low first: no fire at 1.0960; then high 1.1100; the close passes 1.1050 on its way down."""
    made = bench.opened()
    made.submit(order(SELL, TRAILING, trailing=trail("0.0050")), T0)
    assert shown(bench.bar(made, "1.1000 1.1100 1.0960 1.1040")) == ["sell 100 1.1050"]


def rule_trailing_starts_at_acceptance(bench: Bench) -> None:
    """The open 1.0950 is beyond 1.1000 - 0.0050 already."""
    made = bench.opened()
    made.submit(order(SELL, TRAILING, 1, trailing=trail("0.0050")), T0)
    made.submit(order(BUY, TRAILING, 2, trailing=trail("0.0050")), T0)
    assert shown(bench.bar(made, "1.0940 1.0940 1.0940 1.0940")) == ["sell 1 1.0940"]
    assert shown(bench.bar(made, "1.0940 1.1000 1.0930 1.0985", 1)) == ["buy 2 1.0980"]


def rule_a_trailing_trigger_never_goes_back(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(SELL, TRAILING, trailing=trail("0.0050")), T0)
    assert bench.bar(made, "1.1000 1.1040 1.1000 1.1010") == []
    assert bench.bar(made, "1.1010 1.1020 1.0995 1.1000", 1) == []
    assert shown(bench.bar(made, "1.1000 1.1000 1.0980 1.0985", 2)) == ["sell 100 1.0990"]


def rule_trailing_offsets_round_away_from_the_market(bench: Bench) -> None:
    """10 basis points of 1.1005 are 0.0011005: 1.0993995 becomes 1.0993. Above the low of 1.0990: 1.1001."""
    for side, fired in ((SELL, "1.0993"), (BUY, "1.1001")):
        made = bench.opened(at="1.1005")
        made.submit(order(side, TRAILING, trailing=trail("10", TrailingUnit.BPS)), T0)
        assert shown(bench.bar(made, "1.1005 1.1020 1.0990 1.1005")) == [f"{side} 100 {fired}"]
    made = bench.opened()
    made.submit(order(BUY, TRAILING, trailing=trail("15", TrailingUnit.POINTS)), T0)
    assert shown(bench.bar(made, "1.1000 1.1020 1.1000 1.1020")) == ["buy 100 1.1015"]


def rule_a_trail_begins_at_its_activation_price(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(SELL, TRAILING, trailing=trail("0.0020", start="1.1050")), T0)
    assert bench.bar(made, "1.1000 1.1049 1.0900 1.1000") == []
    assert shown(bench.bar(made, "1.1000 1.1050 1.0990 1.1000", 1)) == ["sell 100 1.1030"]
    made = bench.opened()
    made.submit(order(BUY, TRAILING, trailing=trail("0.0020", start="1.0950")), T0)
    assert bench.bar(made, "1.1000 1.1100 1.0951 1.1000") == []
    assert shown(bench.bar(made, "1.1000 1.1050 1.0950 1.1000", 1)) == ["buy 100 1.0970"]


def rule_a_standing_quote_is_met_at_once(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002")
    assert made.submit(order(BUY), T0).status is OrderStatus.FILLED
    assert made.submit(order(SELL, LIMIT, price="1.1000"), T0).status is OrderStatus.FILLED
    assert made.submit(order(SELL, LIMIT, price="1.1001"), T0).status is OrderStatus.ACCEPTED
    assert shown(fills(made)) == ["buy 100 1.1002", "sell 100 1.1000"]


def rule_a_quote_is_a_point_without_a_way_to_it(bench: Bench) -> None:
    """From 1.1000 to 1.1100: a stop at 1.1050 slips, a limit at 1.1050 improves."""
    made = bench.quoted("1.1000", "1.1000")
    made.submit(order(BUY, STOP, 1, trigger_price="1.1050"), T0)
    made.submit(order(SELL, LIMIT, 2, price="1.1050"), T0)
    assert shown(bench.tick(made, "1.1100", "1.1100")) == ["buy 1 1.1100", "sell 2 1.1100"]


def rule_a_trail_that_began_inside_a_bar_knows_its_close(bench: Bench) -> None:
    """Accepted at ten to, on the way from 1.0900 up to the close of 1.1000: the trigger is 1.0980."""
    made = bench.opened()
    made.submit(order(SELL, TRAILING, trailing=trail("0.0020")), T0 + 50 * MINUTE)
    assert bench.bar(made, "1.1000 1.1010 1.0900 1.1000") == []
    assert shown(bench.bar(made, "1.0979 1.0979 1.0979 1.0979", 1)) == ["sell 100 1.0979"]
