"""The fast way to JSON text gives the very text of the slow one, and is certain of nothing but exact types."""

from __future__ import annotations

import json
from decimal import Decimal

import attrs
import pytest

from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import Balance
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.amounts import Money
from gatehook.kinds.codec import from_json
from gatehook.kinds.codec import to_json
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.json_text import exact_text
from gatehook.kinds.json_text import to_text
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Reason
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit

ACCOUNT = AccountKey("paper", "main")
EURUSD = InstrumentId.parse("EURUSD.m.PAPER")
REQUEST = OrderRequest(
    client_order_id='a "quoted" \u20ac \ud800',
    account=ACCOUNT,
    instrument_id=EURUSD,
    side=Side.BUY,
    type=OrderType.TRAILING_STOP,
    quantity="1E-8",
    quantity_unit=QuantityUnit.LOTS,
    trailing=Trailing(offset=3, unit=TrailingUnit.BPS),
    expire_at=1_700_000_000_000_000_001,
    reduce_only=True,
    tags=("b", "a"),
)
ORDER = Order.of(
    REQUEST,
    OrderStatus.REJECTED,
    reason=Reason(code="x", message="y\n"),
    ts_submitted=1_700_000_000_000_000_000,
    ts_last=1_700_000_000_500_000_000,
    raw={"anything": object()},
)
FILL = Fill(
    trade_id="T1",
    account=ACCOUNT,
    instrument_id=EURUSD,
    venue_order_id="P1",
    client_order_id=None,
    side=Side.SELL,
    quantity=-0,
    quantity_unit=QuantityUnit.BASE,
    price=Decimal("1.0800"),
    commission=Money("0.10", "USD"),
    ts_event=-1,
)
STATE = AccountState(
    account=ACCOUNT,
    mode=Mode.PAPER,
    account_type=AccountType.MARGIN,
    position_mode=PositionMode.NETTING,
    currency="USD",
    balances=[Balance(asset="USD", total=1, free=1, locked=0)],
    complete=False,
    ts_event=0,
)


@pytest.mark.parametrize("value", [REQUEST, ORDER, FILL, STATE, EURUSD, ACCOUNT, Side.BUY, (), {"a": 1}, None])
def test_the_text_is_that_of_the_values(value):
    assert to_text(value) == json.dumps(to_json(value), separators=(",", ":"))


@pytest.mark.parametrize("value", [REQUEST, ORDER, FILL, STATE])
def test_what_is_exact_is_read_again(value):
    text = exact_text(value)
    assert text is not None
    assert from_json(type(value), json.loads(text)) == value


@pytest.mark.parametrize(
    "value",
    [
        attrs.evolve(ORDER, owner=3),
        attrs.evolve(ORDER, status="rejected"),
        attrs.evolve(ORDER, version=True),
        attrs.evolve(ORDER, ts_last=None),
        attrs.evolve(ORDER, request=attrs.evolve(REQUEST, tags=(1,))),
        attrs.evolve(FILL, account="paper/main"),
        {"no": "domain object"},
    ],
)
def test_what_is_not_exactly_of_its_types_is_left_to_the_slow_way(value):
    assert exact_text(value) is None


def test_a_class_with_fields_of_other_kinds_is_left_to_the_slow_way():
    @attrs.frozen
    class Loose:
        anything: dict[str, int]

    assert exact_text(Loose({"a": 1})) is None
    assert to_text(Loose({"a": 1})) == '{"anything":{"a":1}}'
