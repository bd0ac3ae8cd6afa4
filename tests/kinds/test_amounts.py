from __future__ import annotations

from decimal import Decimal
from decimal import Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import Money
from gatehook.kinds.amounts import exact
from gatehook.kinds.amounts import on_step
from gatehook.kinds.amounts import plain

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
