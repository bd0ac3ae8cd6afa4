"""The state machine: whatever is reported in whatever order, the quantities add up and nothing goes backwards."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds.orders import TRANSITIONS
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.orders.machine import Traded
from gatehook.orders.machine import may_move
from gatehook.orders.machine import with_fill
from gatehook.orders.machine import with_report
from gatehook.orders.machine import with_status
from tests.orders.venue import EURUSD
from tests.orders.venue import MAIN
from tests.orders.venue import limit

SUBMITTED = Order.of(limit("a"), OrderStatus.SUBMITTED)
VENUE = sorted(TRANSITIONS[OrderStatus.UNKNOWN])


def fill(trade_id: str, quantity: str, price: str = "1.1") -> Fill:
    return Fill(
        trade_id=trade_id,
        account=MAIN,
        instrument_id=EURUSD,
        venue_order_id="V1",
        client_order_id="a",
        side=SUBMITTED.request.side,
        quantity=quantity,
        quantity_unit=SUBMITTED.request.quantity_unit,
        price=price,
        ts_event=1,
    )


def report(status: OrderStatus, filled: int) -> Order:
    return attrs.evolve(SUBMITTED, status=status, filled=filled, cost=filled, venue_order_id="V1")


reports = st.builds(report, st.sampled_from(VENUE), st.integers(0, 10))
fills = st.builds(lambda number: fill(f"T{number}", "1"), st.integers(0, 9))
ours = st.sampled_from([OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_UPDATE])


@settings(max_examples=100)
@given(st.lists(reports | fills | ours, max_size=25))
def test_statement_22_the_quantities_add_up_whatever_is_reported(steps):
    order, traded, seen = SUBMITTED, Traded(), set()
    for step in steps:
        before = order
        if isinstance(step, Fill):
            if step.trade_id in seen:
                continue
            seen.add(step.trade_id)
            traded = traded.plus(step)
            order = with_fill(order, step, traded)
        elif isinstance(step, OrderStatus):
            order = with_status(order, step, None, traded)
        else:
            order = with_report(order, step, traded)
        assert order.filled >= before.filled
        assert order.filled >= traded.quantity
        if traded.quantity == order.filled:
            assert order.cost == traded.cost
        assert order.filled + order.leaves + order.canceled == order.request.quantity
        assert order.leaves == 0 if order.status.is_final else order.canceled == 0
        if order.status is not before.status:
            assert order.status in TRANSITIONS[before.status]
        if before.status.is_final:
            assert order.status in (before.status, OrderStatus.FILLED)
        assert (order is before) or order.version == before.version + 1


@given(st.lists(reports, max_size=6), reports)
@settings(max_examples=50)
def test_the_same_report_twice_changes_nothing_the_second_time(steps, last):
    order = SUBMITTED
    for step in [*steps, last]:
        order = with_report(order, step, Traded())
    assert with_report(order, last, Traded()) is order


@pytest.mark.parametrize(
    ("now", "to"),
    [("partially_filled", "accepted"), ("triggered", "accepted"), ("filled", "canceled"), ("denied", "accepted")],
)
def test_what_would_go_backwards_is_no_move(now, to):
    assert not may_move(OrderStatus(now), OrderStatus(to))


def test_a_fill_resolves_an_unknown_order():
    unknown = with_status(SUBMITTED, OrderStatus.UNKNOWN, Reason(code="ambiguous", message="?"), Traded())
    one = fill("T1", "4")
    assert with_fill(unknown, one, Traded().plus(one)).status is OrderStatus.PARTIALLY_FILLED


def test_the_real_trades_replace_what_the_venue_only_summed_up():
    summed = with_report(SUBMITTED, report(OrderStatus.PARTIALLY_FILLED, 4), Traded())
    assert (summed.filled, summed.cost) == (4, 4)
    one = fill("T1", "4", "1.5")
    assert with_fill(summed, one, Traded().plus(one)).cost == Decimal(6)


def test_an_amend_at_the_venue_is_the_new_quantity():
    amended = attrs.evolve(
        report(OrderStatus.ACCEPTED, 0), request=attrs.evolve(SUBMITTED.request, quantity="6", price="1.3")
    )
    order = with_report(SUBMITTED, amended, Traded())
    assert (order.request.quantity, order.leaves, order.request.price) == (6, 6, Decimal("1.3"))
    assert order.request.tags == SUBMITTED.request.tags


def test_a_stale_report_does_not_undo_an_amend():
    current = attrs.evolve(report(OrderStatus.PARTIALLY_FILLED, 4), leaves=6)
    stale = attrs.evolve(report(OrderStatus.ACCEPTED, 0), request=attrs.evolve(SUBMITTED.request, price="9"))
    assert with_report(current, stale, Traded()).request.price == SUBMITTED.request.price
