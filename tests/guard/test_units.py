"""Quantities in an instrument's own unit: exactly the same, or refused with the numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds.errors import UnitMismatch
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.instruments import Settlement
from gatehook.orders.units import in_instrument_unit
from tests.guard.board import instrument
from tests.guard.board import request

LOTS = {"quantity_unit": QuantityUnit.LOTS}
CONTRACTS = {"quantity_unit": QuantityUnit.CONTRACTS}
QUOTE = {"quantity_unit": QuantityUnit.QUOTE}


@pytest.mark.parametrize("unit", [LOTS, QUOTE, {}], ids=["lots", "quote", "base"])
def test_its_own_unit_and_the_quote_currency_stay(unit):
    asked = request(**unit)
    traded = instrument(contract_size=100, **({} if unit == QUOTE else unit))
    assert in_instrument_unit(asked, traded) is asked


@pytest.mark.parametrize(
    ("quantity", "asked", "traded", "converted"),
    [("250", {}, LOTS, "2.5"), ("0.25", LOTS, {}, "25"), ("300", {}, CONTRACTS, "3"), ("2", CONTRACTS, {}, "200")],
)
def test_base_units_and_parcels_are_converted(quantity, asked, traded, converted):
    found = in_instrument_unit(request(quantity=quantity, **asked), instrument(contract_size=100, **traded))
    assert found.quantity == Decimal(converted)
    assert found.quantity_unit is instrument(**traded).quantity_unit
    assert found.client_order_id == "a"


@pytest.mark.parametrize(
    ("asked", "traded", "words"),
    [
        ({}, {**LOTS, "contract_size": 3}, "the quantity is 10 in base: one is 3 base units"),
        (LOTS, CONTRACTS, "is traded in contracts, the quantity is 10 in lots"),
        (CONTRACTS, LOTS, "one cannot be made from the other"),
        ({}, QUOTE, "one cannot be made from the other"),
        ({}, {**CONTRACTS, "settlement": Settlement.INVERSE}, "depends on the price"),
    ],
)
def test_what_cannot_be_converted_exactly_is_refused(asked, traded, words):
    with pytest.raises(UnitMismatch, match=words):
        in_instrument_unit(request(**asked), instrument(**traded))


POSITIVE = st.decimals("0.00000001", "1000000", places=8)


@settings(max_examples=60, deadline=None)
@given(quantity=POSITIVE, size=POSITIVE)
def test_there_and_back_again_is_the_same(quantity, size):
    lots = request(quantity=quantity, **LOTS)
    there = in_instrument_unit(lots, instrument(contract_size=size))
    assert there.quantity == quantity * size
    assert in_instrument_unit(there, instrument(contract_size=size, **LOTS)).quantity == quantity
