from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehook.kinds.times import SECOND
from gatehook.kinds.times import from_rfc3339
from gatehook.kinds.times import to_rfc3339

times = st.integers(0, 4_102_444_800 * SECOND)


@given(times)
def test_a_time_reads_back_to_the_nanosecond(ns):
    assert from_rfc3339(to_rfc3339(ns)) == ns


def test_a_time_shows_only_the_digits_it_has():
    assert to_rfc3339(1_500_000_000) == "1970-01-01T00:00:01.5Z"
    assert to_rfc3339(0) == "1970-01-01T00:00:00Z"


def test_an_offset_is_converted():
    assert from_rfc3339("1970-01-01T02:00:00+02:00") == 0
    assert from_rfc3339("1970-01-01 00:00:00z") == 0


@pytest.mark.parametrize(
    "text", ["", "1970-01-01", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z", "1970-01-01T00:00:00.1234567890Z"]
)
def test_text_without_a_date_a_time_and_an_offset_is_refused(text):
    with pytest.raises(ValueError):
        from_rfc3339(text)
