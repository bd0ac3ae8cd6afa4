"""The checks that need no venue, each refusal naming the rule and the bound (contract statements 5, 7, 8, 10)."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehook import AccountKey
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import OrderRequest
from gatehook import OrderType
from gatehook import QuantityUnit
from gatehook import Side
from gatehook import TimeInForce
from gatehook import Trailing
from gatehook.kinds.amounts import on_step
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.checks import check_capabilities
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.checks import check_shape
from gatehook.kinds.checks import default_time_in_force
from gatehook.kinds.checks import quantize_price
from gatehook.kinds.checks import quantize_quantity
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import UnitMismatch
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.orders import TrailingUnit

EURUSD = Instrument(
    id=InstrumentId("EURUSD", "TEST"),
    native_symbol="EURUSD",
    base="EUR",
    quote="USD",
    price_increment="0.00001",
    size_increment="1000",
    settle_currency="USD",
    min_quantity=1000,
    max_quantity=1_000_000,
    min_notional=100,
)
LIMIT = OrderRequest(
    client_order_id="a-1",
    account=AccountKey("test", "main"),
    instrument_id=EURUSD.id,
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=1000,
    quantity_unit=QuantityUnit.BASE,
    price="1.10000",
)
MARKET = attrs.evolve(LIMIT, type=OrderType.MARKET, price=None)
TRAILING = Trailing(offset=10, unit=TrailingUnit.POINTS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"client_order_id": ""}, "client_order_id"),
        ({"client_order_id": "a b"}, "client_order_id"),
        ({"quantity": 0}, "quantity is above zero, but 0"),
        ({"quantity": -1}, "quantity is above zero, but -1"),
        ({"price": 0}, "price is above zero"),
        ({"stop_loss": "-1"}, "stop_loss is above zero"),
        ({"price": None}, "a limit order needs price"),
        ({"trigger_price": 1}, "a limit order has no trigger_price"),
        ({"type": OrderType.STOP_LIMIT}, "a stop_limit order needs trigger_price"),
        ({"type": OrderType.TRAILING_STOP, "price": None}, "a trailing_stop order needs trailing"),
        ({"trailing": TRAILING}, "a limit order has no trailing"),
        ({"time_in_force": TimeInForce.GTD}, "gtd"),
        ({"expire_at": 1}, "gtd"),
        ({"type": OrderType.MARKET, "price": None, "post_only": True}, "post_only is for limit orders"),
    ],
)
def test_a_shape_that_no_venue_could_take_is_refused(changes, message):
    with pytest.raises(InvalidOrder, match=message):
        check_shape(attrs.evolve(LIMIT, **changes))


def test_a_market_order_may_carry_a_stop_loss_that_trails_where_that_is_declared():
    trailing = attrs.evolve(MARKET, trailing=TRAILING)
    check_shape(trailing)
    check_capabilities(trailing, BrokerCapabilities(order_types=(OrderType.MARKET,), order_trailing=True))
    with pytest.raises(UnsupportedCapability, match="trailing of a market order"):
        check_capabilities(trailing, BrokerCapabilities(order_types=(OrderType.MARKET,)))


def test_an_offset_of_nothing_is_refused():
    trailing = attrs.evolve(TRAILING, offset=0)
    with pytest.raises(InvalidOrder, match=r"trailing\.offset"):
        check_shape(attrs.evolve(MARKET, type=OrderType.TRAILING_STOP, trailing=trailing))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"type": OrderType.STOP, "price": None, "trigger_price": 1}, UnsupportedCapability, "order type stop"),
        ({"time_in_force": TimeInForce.FOK}, UnsupportedCapability, "time in force fok"),
        ({"post_only": True}, UnsupportedCapability, "post_only"),
        ({"reduce_only": True}, UnsupportedCapability, "reduce_only"),
        ({"take_profit": 2}, UnsupportedCapability, "take_profit"),
        ({"quantity_unit": QuantityUnit.QUOTE}, UnsupportedCapability, "quote"),
        ({"client_order_id": "x" * 37}, InvalidOrder, "36 characters; it is never truncated"),
    ],
)
def test_what_a_broker_does_not_declare_is_refused(changes, error, message):
    declared = BrokerCapabilities(order_types=(OrderType.MARKET, OrderType.LIMIT))
    check_capabilities(LIMIT, declared)
    with pytest.raises(error, match=message):
        check_capabilities(attrs.evolve(LIMIT, **changes), declared)


def test_the_default_time_in_force_needs_no_declaration():
    declared = BrokerCapabilities(order_types=(OrderType.MARKET, OrderType.LIMIT))
    for request in (MARKET, LIMIT):
        check_capabilities(attrs.evolve(request, time_in_force=default_time_in_force(request.type)), declared)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantity": 1500}, "quantity 1500 is off the size_increment 1000"),
        ({"quantity": 2_000_000}, "quantity 2000000 is above max_quantity 1000000"),
        ({"price": "1.100001"}, "price 1.100001 is off the price_increment 0.00001"),
        ({"stop_loss": "1.0000001"}, "stop_loss 1.0000001 is off"),
        ({"price": "0.05"}, "notional 50.00 is below min_notional 100"),
    ],
)
def test_a_breach_of_an_instruments_bounds_names_the_bound(changes, message):
    check_instrument(LIMIT, EURUSD)
    with pytest.raises(InvalidOrder, match=message):
        check_instrument(attrs.evolve(LIMIT, **changes), EURUSD)


def test_a_quantity_below_the_least_names_it():
    with pytest.raises(InvalidOrder, match="quantity 1000 is below min_quantity 5000"):
        check_instrument(LIMIT, attrs.evolve(EURUSD, min_quantity=5000))


def test_a_quantity_in_another_unit_is_refused_and_not_converted_by_guess():
    with pytest.raises(UnitMismatch, match="traded in base, the quantity is in lots"):
        check_instrument(attrs.evolve(LIMIT, quantity_unit=QuantityUnit.LOTS), EURUSD)


@pytest.mark.parametrize(
    ("side", "kind", "rounded"),
    [
        (Side.BUY, OrderType.LIMIT, "1.2"),
        (Side.SELL, OrderType.LIMIT, "1.3"),
        (Side.BUY, OrderType.STOP, "1.3"),
        (Side.SELL, OrderType.STOP, "1.2"),
    ],
)
def test_quantizing_a_price_never_costs_more_than_asked(side, kind, rounded):
    assert quantize_price(Decimal("1.25"), Decimal("0.1"), side, kind) == Decimal(rounded)


@given(st.decimals(0, 10**9, places=6), st.integers(1, 10**5))
def test_quantizing_a_quantity_goes_down_to_its_step(value, step):
    rounded = quantize_quantity(value, Decimal(step))
    assert on_step(rounded, Decimal(step))
    assert value - step < rounded <= value
