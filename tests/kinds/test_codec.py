from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehook import AccountKey
from gatehook import InstrumentId
from gatehook import Order
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import QuantityUnit
from gatehook import Side
from gatehook.kinds.codec import from_json
from gatehook.kinds.codec import to_json

words = st.text("abcXYZ019_-", min_size=1, max_size=12)
amounts = st.decimals(min_value=0, max_value=10**12, places=8, allow_nan=False).map(str)


@st.composite
def orders(draw):
    request = OrderRequest(
        client_order_id=draw(words),
        account=AccountKey(draw(words), draw(words)),
        instrument_id=InstrumentId(draw(words), draw(words)),
        side=draw(st.sampled_from(Side)),
        type=draw(st.sampled_from(OrderType)),
        quantity=draw(amounts),
        quantity_unit=draw(st.sampled_from(QuantityUnit)),
        price=draw(st.none() | amounts),
        expire_at=draw(st.none() | st.integers(0, 2**61)),
        tags=draw(st.lists(words, max_size=3)),
    )
    return Order.of(request, draw(st.sampled_from(OrderStatus)), ts_last=draw(st.integers(0, 2**61)))


@given(orders())
def test_an_order_survives_json(order):
    assert from_json(Order, json.loads(json.dumps(to_json(order)))) == order


def _order_as_json() -> dict[str, object]:
    request = OrderRequest(
        client_order_id="a",
        account=AccountKey("paper", "main"),
        instrument_id=InstrumentId.parse("EURUSD.SIMULATED"),
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=1,
        quantity_unit=QuantityUnit.BASE,
    )
    return to_json(Order.of(request, OrderStatus.INITIALIZED, raw={"venue": "payload"}))


@pytest.mark.parametrize(
    ("key", "value"),
    [("leaves", 1.0), ("leaves", 1), ("version", True), ("version", "1"), ("status", "shipped"), ("ts_last", 5)]
    + [("extra", 1), ("reason", "no"), ("owner", None)],
)
def test_nothing_is_coerced_and_nothing_unknown_is_taken(key, value):
    with pytest.raises((ValueError, TypeError, ExceptionGroup)):
        from_json(Order, {**_order_as_json(), key: value})


def test_the_venue_payload_is_not_written():
    assert "raw" not in _order_as_json()


def test_a_list_is_not_read_as_its_letters():
    data = _order_as_json()
    with pytest.raises(ExceptionGroup):
        from_json(Order, {**data, "request": {**data["request"], "tags": "letters"}})


def test_orders_are_frozen():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        from_json(Order, _order_as_json()).status = OrderStatus.FILLED
