"""Duplicate keys are found by counting: however the text is written, a key that is there twice is refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehook.catalog.strict_json import Refused
from gatehook.catalog.strict_json import decode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('a":\\ {}[],', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab":\\ ', max_size=3), inner, max_size=3),
    max_leaves=10,
)


def refusals(text: str) -> list[str]:
    with pytest.raises(Refused) as refused:
        decode(text.encode())
    return [one.code.id for one in refused.value.findings]


@given(VALUES, st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n"), (",", " : ")]))
def test_what_json_reads_is_read_alike(value, separators):
    text = json.dumps(value, separators=separators)
    assert decode(text.encode()) == (value, text)


@pytest.mark.parametrize("colon", [":", " :", "\n:", "\t: ", "\r\n :"])
@pytest.mark.parametrize("other", ['""', '":"', '"\\":"', '"a: b"', '{"c": ":"}', '["\\"  : "]'])
def test_a_key_that_is_there_twice_is_found(colon, other):
    assert refusals(f'{{"a"{colon}1, "b"{colon}{other}, "a"{colon}1}}') == ["manifest.duplicate-key"]
    assert refusals(f'{{"a"{colon}[{{"b"{colon}{other}, "b"{colon}1}}]}}') == ["manifest.duplicate-key"]


def test_a_key_that_is_there_twice_is_found_in_what_a_second_one_replaced():
    assert set(refusals('{"a": {"b": 1, "b": 1}, "a": {"b": 1}}')) == {"manifest.duplicate-key"}


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \n\n"])
def test_white_space_around_the_value_is_free(end):
    assert decode(f'{end}{{"a": 1}}{end}'.encode())[0] == {"a": 1}


@pytest.mark.parametrize("rest", ["{}", "\n,", "\u00a0"])
def test_anything_else_behind_the_value_is_refused(rest):
    assert refusals(f'{{"a": 1}}{rest}') == ["manifest.not-json"]


def test_a_duplicate_counts_before_a_fault_further_on():
    assert "manifest.duplicate-key" in refusals('{"a": {"b": 1, "b": 2}, "c": }')


def test_threads_do_not_count_each_others_keys():
    good, bad = b'{"a": {"b": 1}, "c": 2}', b'{"a": {"b": 1}, "a": 2}'

    def refused(data: bytes) -> bool:
        try:
            decode(data)
        except Refused:
            return True
        return False

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(refused, [good, bad] * 500)) == [False, True] * 500
