"""What makes two orders the same, in this release and in every later one."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.orders.digest import order_digest
from gatehook.orders.digest import with_defaults
from tests.orders.venue import OTHER
from tests.orders.venue import limit


def test_a_digest_never_changes_between_releases():
    """It is in journals out there: a new field at its default, or another spelling of a number, leaves it as it is."""
    assert order_digest(limit("a")) == "46c5d21d26b5360da8bf1158f2adc41aa0fb5874bda47f59aa794620a65d31ad"


@pytest.mark.parametrize(
    "same",
    [
        limit("a", "10.000"),
        limit("a", "1E+1"),
        limit("a", price="1.10"),
        limit("a", time_in_force=TimeInForce.GTC),
        limit("a", post_only=False, tags=()),
        with_defaults(limit("a")),
    ],
)
def test_equal_content_in_other_words_is_the_same(same):
    assert order_digest(same) == order_digest(limit("a"))


@pytest.mark.parametrize(
    "other",
    [
        limit("b"),
        limit("a", "11"),
        limit("a", price="1.2"),
        limit("a", side=Side.SELL),
        limit("a", account=OTHER),
        limit("a", time_in_force=TimeInForce.DAY),
        limit("a", post_only=True),
        limit("a", tags=("x",)),
        limit("a", trailing=Trailing(offset="1", unit=TrailingUnit.BPS)),
    ],
)
def test_other_content_is_another_order(other):
    assert order_digest(other) != order_digest(limit("a"))


@settings(max_examples=50)
@given(st.permutations(["x", "y", "z"]), st.decimals(1, 10**9, places=8), st.integers(0, 5))
def test_neither_the_order_of_tags_nor_trailing_zeros_count(tags, quantity, zeros):
    one = limit("a", f"{quantity:f}", tags=tuple(tags))
    two = attrs.evolve(one, quantity=f"{quantity:f}" + "0" * zeros, tags=("x", "y", "z"))
    assert order_digest(one) == order_digest(two)
