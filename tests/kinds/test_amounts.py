from __future__ import annotations

import json
from decimal import Decimal
from decimal import Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import Money
from gatehook.kinds.amounts import as_json_number
from gatehook.kinds.amounts import exact
from gatehook.kinds.amounts import on_step
from gatehook.kinds.amounts import plain
from gatehook.kinds.errors import Denied

finite = st.decimals(allow_nan=False, allow_infinity=False, places=12)


@pytest.mark.parametrize("value", [1.0, True, None, b"1", [1]])
def test_a_number_is_built_from_text_or_int_only(value):
    with pytest.raises(TypeError, match="built from str, int or Decimal"):
        exact(value)


@pytest.mark.parametrize("value", ["", "x", "1,5", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="not a"):
        exact(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E-8", "0.00000001"), ("1E+3", "1000"), ("0.10", "0.10"), ("1234567890123456789012345678", None)],
)
def test_plain_text_has_no_exponent_and_every_digit(value, text):
    assert plain(exact(value)) == (text or value)


@given(finite)
def test_plain_text_reads_back_as_the_same_number(value):
    assert exact(plain(value)) == value


def test_ledger_arithmetic_refuses_to_round():
    with pytest.raises(Inexact):
        LEDGER.divide(Decimal(1), Decimal(3))


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_a_whole_multiple_is_on_its_step(times, step):
    assert on_step(Decimal(times * step), Decimal(step))
    assert not on_step(Decimal(times * step) + Decimal(step) / 2, Decimal(step))


def test_money_shows_its_currency():
    assert str(Money("1E+2", "USD")) == "100 USD"


# --- wires that carry JSON numbers


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_statement_9_a_venue_that_reads_doubles_reads_the_same_value_or_nothing_is_written(value):
    try:
        number = as_json_number(value)
    except Denied:
        return
    assert Decimal(repr(float(json.dumps(number)))) == value


@given(st.decimals(-(10**9), 10**9, places=6))
def test_what_a_double_can_hold_is_written(value):
    assert Decimal(json.dumps(as_json_number(value))) == value


@pytest.mark.parametrize(
    "value",
    ["0.1234567890123456789012345678", "12345678901234567.25", "9007199254740993", "1E+400", "1E-400", "-1E+1000000"],
)
def test_what_would_arrive_as_another_value_is_denied(value):
    with pytest.raises(Denied, match="nothing was sent"):
        as_json_number(value)


@pytest.mark.parametrize(
    ("value", "text"), [("0.1", "0.1"), ("1E-8", "1e-08"), ("1000.00", "1000"), (7, "7"), ("9007199254740992", None)]
)
def test_whole_numbers_are_written_without_a_fraction(value, text):
    assert json.dumps(as_json_number(value)) == (text or value)


@pytest.mark.parametrize("value", [0.1, True, None])
def test_a_float_or_a_bool_is_no_amount_for_a_wire_either(value):
    with pytest.raises(TypeError):
        as_json_number(value)
