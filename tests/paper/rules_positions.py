"""Positions and their protection: one sentence a function."""

from __future__ import annotations

import pytest

from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import InvalidStops
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import ReduceOnlyRejected
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.kinds.times import MINUTE
from tests.paper.kit import EURUSD
from tests.paper.kit import MAIN
from tests.paper.kit import T0
from tests.paper.kit import Bench
from tests.paper.kit import D
from tests.paper.kit import ending
from tests.paper.kit import fills
from tests.paper.kit import last
from tests.paper.kit import order
from tests.paper.kit import shown

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
HERE = PositionRef(account=MAIN, instrument_id=EURUSD)


def held(made: object) -> list[str]:
    return [f"{one.side} {one.quantity} {one.cost}" for one in made.state.holdings.values()]  # type: ignore[attr-defined]


def hedging(bench: Bench) -> object:
    return bench.quoted("1.1000", "1.1002", bench.account(mode=PositionMode.HEDGING))


def rule_netting_merges_and_flips(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002")
    made.submit(order(BUY, quantity=100), T0)
    made.submit(order(BUY, quantity=50), T0)
    assert held(made) == [f"buy 150 {150 * D('1.1002')}"]
    made.submit(order(SELL, quantity=200), T0)
    assert held(made) == ["sell 50 55.0000"]
    made.submit(order(BUY, quantity=50), T0)
    assert held(made) == []


def rule_a_position_stores_the_sum_and_never_an_average(bench: Bench) -> None:
    """A third of a sum that three does not divide: what is taken and what is left add up to it exactly."""
    made = bench.quoted("1.1000", "1.1000")
    made.submit(order(BUY, quantity=1), T0)
    bench.tick(made, "1.1001", "1.1001")
    made.submit(order(BUY, quantity=2), T0)
    made.submit(order(SELL, quantity=1), T0)
    (position,) = made.state.holdings.values()
    assert position.cost + D("1.100066666667") == D("3.3002")


def rule_hedged_positions_stay_separate(bench: Bench) -> None:
    made = hedging(bench)
    made.submit(order(BUY), T0)
    made.submit(order(SELL, quantity=40), T0)
    made.submit(order(BUY, quantity=10), T0)
    assert [one.split()[:2] for one in held(made)] == [["buy", "100"], ["sell", "40"], ["buy", "10"]]
    with pytest.raises(InvalidOrder):
        made.close_position(HERE, None, "close", T0)
    made.close_position(PositionRef(account=MAIN, instrument_id=EURUSD, position_id="N2"), None, "close", T0)
    assert [one.split()[:2] for one in held(made)] == [["buy", "100"], ["buy", "10"]]


def rule_hedged_orders_with_a_position_never_open_the_reverse(bench: Bench) -> None:
    made = hedging(bench)
    made.submit(order(BUY), T0)
    closing = order(SELL, quantity=130, position_id="N1")
    made.submit(closing, T0)
    assert (ending(made, closing), held(made)) == ("canceled 100 30 reduce_only", [])
    with pytest.raises(InvalidOrder):
        made.submit(order(SELL, position_id="N1"), T0)
    with pytest.raises(InvalidOrder):
        made.submit(order(SELL, reduce_only=True), T0)


def rule_reduce_only_without_a_position_is_rejected(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002")
    with pytest.raises(ReduceOnlyRejected):
        made.submit(order(SELL, reduce_only=True), T0)
    made.submit(order(SELL), T0)
    with pytest.raises(ReduceOnlyRejected):
        made.submit(order(SELL, reduce_only=True), T0)
    assert held(made) == ["sell 100 110.0000"]


def rule_reduce_only_fills_to_zero_and_cancels_the_rest(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002")
    made.submit(order(BUY, quantity=60), T0)
    closing = order(SELL, quantity=100, reduce_only=True)
    made.submit(closing, T0)
    assert (ending(made, closing), held(made)) == ("canceled 60 40 reduce_only", [])


def rule_a_resting_reduce_only_never_flips(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(BUY, quantity=60), T0)
    bench.bar(made, "1.1 1.1 1.1 1.1")
    made.submit(order(SELL, LIMIT, 60, price="1.1050", reduce_only=True), T0)
    made.submit(order(SELL, LIMIT, 50, price="1.1050", reduce_only=True), T0)
    assert shown(bench.bar(made, "1.1 1.1060 1.1 1.1", 1)) == ["sell 60 1.1050"]
    assert (held(made), len(made.state.book)) == ([], 0)


def rule_concurrent_closes_never_exceed_the_position(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(BUY), T0)
    bench.bar(made, "1.1 1.1 1.1 1.1")
    made.close_position(HERE, D(70), "a", T0)
    made.close_position(HERE, D(70), "b", T0)
    assert shown(bench.bar(made, "1.1 1.1 1.1 1.1", 1)) == ["sell 70 1.1", "sell 30 1.1"]
    with pytest.raises(NotFound):
        made.close_position(HERE, None, "c", T0)


def protected(bench: Bench, side: Side = BUY, **fields: str) -> object:
    """A position of 100 at 1.1000 whose order carried protection."""
    made = bench.opened()
    made.submit(order(side, **fields), T0)
    bench.bar(made, "1.1 1.1 1.1 1.1")
    return made


def rule_an_orders_protection_goes_to_the_position(bench: Bench) -> None:
    for side, level, prices in ((BUY, "1.0950", "1.1 1.1 1.0940 1.1"), (SELL, "1.1050", "1.1 1.1060 1.1 1.1")):
        made = protected(bench, side, stop_loss=level)
        assert shown(bench.bar(made, prices, 1)) == [f"{side.opposite} 100 {level}"]
        assert made.state.holdings == {}


def rule_protection_that_fires_is_an_order_of_the_venue(bench: Bench) -> None:
    made = protected(bench, stop_loss="1.0950", take_profit="1.1050")
    assert shown(bench.bar(made, "1.1 1.1060 1.0960 1.1", 1)) == ["sell 100 1.1050"]
    fired = [one for one in made.state.changes.events if isinstance(one, Order)][-1]
    assert (fired.origin, fired.status) == (OrderOrigin.VENUE, OrderStatus.FILLED)
    assert (fired.request.tags, fired.request.reduce_only) == (("take_profit",), True)
    assert fired.request.client_order_id == "paper-P2"


def rule_stop_loss_and_take_profit_within_one_bar_is_the_stop_loss(bench: Bench) -> None:
    for prices in ("1.1000 1.1060 1.0900 1.1000", "1.1000 1.1100 1.0940 1.1000"):
        made = protected(bench, stop_loss="1.0950", take_profit="1.1050")
        assert shown(bench.bar(made, prices, 1)) == ["sell 100 1.0950"]


def rule_protection_slips_at_an_open_beyond_it(bench: Bench) -> None:
    made = protected(bench, stop_loss="1.0950")
    assert shown(bench.bar(made, "1.0900 1.0950 1.0890 1.0900", 1)) == ["sell 100 1.0900"]


def rule_protection_on_the_wrong_side_is_refused(bench: Bench) -> None:
    made = bench.opened()
    for fields in ({"stop_loss": "1.1000"}, {"take_profit": "1.1000"}):
        for side in (BUY, SELL):
            with pytest.raises(InvalidStops):
                made.submit(order(side, **fields), T0)
    made.submit(order(BUY, LIMIT, price="1.05", stop_loss="1.04", take_profit="1.06"), T0)
    with pytest.raises(InvalidStops):
        made.submit(order(BUY, LIMIT, price="1.05", stop_loss="1.05"), T0)


def rule_a_positions_protection_can_be_set_and_removed(bench: Bench) -> None:
    made = protected(bench)
    for wrong in (Protection(stop_loss="1.1000"), Protection(take_profit="1.1000")):
        with pytest.raises(InvalidStops):
            made.protect(HERE, wrong, T0)
    with pytest.raises(InvalidOrder):
        made.protect(HERE, Protection(stop_loss="1.05001"), T0)
    made.protect(HERE, Protection(stop_loss="1.0990"), T0)
    made.protect(HERE, Protection(take_profit="1.1050"), T0)
    assert bench.bar(made, "1.1 1.1 1.0900 1.1", 1) == []
    assert shown(bench.bar(made, "1.1 1.1060 1.0900 1.1", 2)) == ["sell 100 1.1050"]


def rule_protection_set_inside_a_bar_sees_what_comes_after(bench: Bench) -> None:
    """The low at twenty past is gone at half past."""
    made = protected(bench)
    made.protect(HERE, Protection(stop_loss="1.0960"), T0 + 90 * MINUTE)
    assert bench.bar(made, "1.1000 1.1100 1.0950 1.1000", 1) == []


def rule_a_positions_stop_can_trail(bench: Bench) -> None:
    made = protected(bench)
    trailing = Trailing(offset="0.0020", unit=TrailingUnit.PRICE)
    made.protect(HERE, Protection(trailing=trailing, stop_loss="1.0970"), T0)
    assert bench.bar(made, "1.1000 1.1040 1.0990 1.1030", 1) == []
    assert shown(bench.bar(made, "1.1030 1.1035 1.1000 1.1010", 2)) == ["sell 100 1.1020"]


def rule_the_nearer_of_stop_loss_and_trail_fires(bench: Bench) -> None:
    trailing = Trailing(offset="0.0100", unit=TrailingUnit.PRICE)
    made = protected(bench)
    made.protect(HERE, Protection(trailing=trailing, stop_loss="1.0970"), T0)
    assert shown(bench.bar(made, "1.1000 1.1000 1.0800 1.0900", 1)) == ["sell 100 1.0970"]
    made = protected(bench, SELL)
    made.protect(HERE, Protection(trailing=trailing, stop_loss="1.1030"), T0)
    assert shown(bench.bar(made, "1.1000 1.1200 1.1000 1.1000", 1)) == ["buy 100 1.1030"]


def rule_orders_that_reduce_end_with_their_position(bench: Bench) -> None:
    made = bench.opened()
    made.submit(order(BUY), T0)
    bench.bar(made, "1.1 1.1 1.1 1.1")
    target = order(SELL, LIMIT, price="1.1050", reduce_only=True)
    opening = order(SELL, LIMIT, price="1.1060")
    made.submit(target, T0)
    made.submit(opening, T0)
    made.close_position(HERE, None, "close", T0)
    bench.bar(made, "1.1 1.1 1.1 1.1", 1)
    assert ending(made, target) == "canceled 0 100 reduce_only"
    assert len(made.state.book) == 1


def rule_a_cash_account_has_balances_and_no_positions(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002", bench.account(mode=PositionMode.NONE, balance="1000"))
    made.submit(order(BUY, quantity=100), T0)
    cash = made.state.accounts["main"]
    assert (held(made), cash.balances) == ([], {"USD": D("889.98"), "EUR": D(100)})
    made.submit(order(SELL, quantity=40), T0)
    assert cash.balances == {"USD": D("933.98"), "EUR": D(60)}
    for fields in ({"reduce_only": True}, {"stop_loss": "1.05"}, {"position_id": "N1"}):
        with pytest.raises(UnsupportedCapability):
            made.submit(order(BUY, **fields), T0)


def rule_a_partly_closed_position_stays_protected(bench: Bench) -> None:
    made = protected(bench, stop_loss="1.0950")
    made.close_position(HERE, D(40), "part", T0)
    bench.bar(made, "1.1 1.1 1.1 1.1", 1)
    assert shown(bench.bar(made, "1.1 1.1 1.0940 1.1", 2)) == ["sell 60 1.0950"]


def rule_a_stop_that_finds_too_little_size_works_on(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000")
    made.submit(order(BUY, stop_loss="1.0950"), T0)
    assert shown(bench.tick(made, "1.0940", "1.0940", 1, size="30")) == ["sell 30 1.0940"]
    assert shown(bench.tick(made, "1.0990", "1.0990", 2, size="200")) == ["sell 70 1.0990"]
    assert (held(made), len(made.state.book)) == ([], 0)


def rule_a_fill_names_its_position(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000")
    made.submit(order(BUY), T0)
    made.submit(order(SELL, quantity=150), T0)
    assert [(one.trade_id, one.position_id) for one in fills(made)] == [("T1", "N1"), ("T2", "N2")]
    assert last(made, order(client_order_id=fills(made)[0].client_order_id)).venue_order_id == "P1"
