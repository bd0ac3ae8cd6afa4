"""The regular expressions of schemas: the same answers as ``re``, in linear time, and the rest refused."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.config.patterns import LONGEST_TEXT
from gatehook.config.patterns import PatternRefused
from gatehook.config.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", ["a", "ab-c", "a--b", "A", ""]),
        (r"\d{2,3}", ["a1", "a12", "1234", ""]),
        (r"^(a|b|)c?$", ["a", "", "bc", "cc"]),
        (r"^https?://[^/\s]+(/.*)?$", ["http://x", "https://x/y z", "ftp://x"]),
        (r"^a{0,3}$", ["", "aaa", "aaaa"]),
        (r"^a{2}b{1,}?$", ["aab", "aabbb", "ab", "aa"]),
        (r"x|^y$", ["axa", "y", "yy"]),
        (r"[\]\-a\d]", ["]", "-", "b", "7"]),
        (r"^[^a-c]+$", ["xyz", "xaz"]),
        (r"^(?:[A-Z]{3}){1,4}$", ["EURUSD", "EURUS"]),
        (r"", ["", "x"]),
        (r"^(a*)*b$", ["aaab", "aaaa"]),
        (r"\x41\u0042\t", ["AB\t", "AB"]),
        (r"^[\w-]+$", ["a-b_c", "a b"]),
        (r"^\W\D\S$", ["-a-", "a1 "]),
        (r"^[a-]$", ["a", "-", "b"]),
    ],
)
def test_answers_as_re_does(pattern: str, texts: list[str]) -> None:
    compiled = compile_pattern(pattern)
    for text in texts:
        assert compiled.search(text) == bool(re.search(pattern, text)), text


ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "(a|b)", "(ab)", "(?:a|)"])
PATTERNS = st.lists(st.tuples(ATOMS, st.sampled_from(["", "*", "+", "?", "{2}", "{1,2}"])), max_size=4).map(
    lambda parts: "".join(atom + mark for atom, mark in parts)
)


@given(PATTERNS, PATTERNS, st.booleans(), st.booleans(), st.text("abc", max_size=7))
@settings(max_examples=100)
def test_generated_expressions_answer_as_re_does(one: str, other: str, start: bool, end: bool, text: str) -> None:
    pattern = "^" * start + f"({one}|{other})*{one}" + "$" * end
    assert compile_pattern(pattern).search(text) == bool(re.search(pattern, text))


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?=a)", "looks around"),
        ("(?P<n>a)", "names a group"),
        (r"\bx", r"\\b is not accepted"),
        (r"(a)\1", "not accepted"),
        ("(a", "no \\)"),
        ("a)", "no \\("),
        ("[a", "no \\]"),
        ("[a-", "no \\]"),
        ("[b-a]", "range"),
        ("*", "nothing to repeat"),
        ("a**", "nothing to repeat"),
        ("a{2,1}", "before its start"),
        ("a^", "at the ends only"),
        ("(a$)", "at the ends only"),
        ("(a{100}){100}", "more than 1000 steps"),
        ("(((a{0,999}){0,999}){0,999}){0,999}", "more than 1000 steps"),
        ("(" * 30 + ")" * 30, "nested deeper"),
        ("\\", "not accepted"),
        (r"\xZZ", "malformed"),
        ("a" * 513, "longer than"),
    ],
)
def test_refuses(pattern: str, why: str) -> None:
    with pytest.raises(PatternRefused, match=why):
        compile_pattern(pattern)


@given(st.text(alphabet="ab()[]{}|*+?^$\\.-,019dw", max_size=30))
@settings(max_examples=100)
def test_any_text_compiles_or_is_refused(source: str) -> None:
    with suppress(PatternRefused):
        compile_pattern(source).search("aab01")


def test_what_would_hang_re_ends() -> None:
    assert not compile_pattern("^(a+)+$").search("a" * 4000 + "b")
    assert not compile_pattern("^(a|a)*$").search("a" * 4000 + "b")


def test_a_text_too_long_matches_nothing() -> None:
    assert not compile_pattern("a").search("a" * (LONGEST_TEXT + 1))
