"""The line of each key, in every way TOML has of writing keys."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.config.lines import line_numbers


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a = 1\nb = 2\n", "b", 2),
        ("# a\n\n[t] # c\nk = 1\n", "t", 3),
        ("[t]\n'k.x' = 1\n", "t/k.x", 2),
        ('[t."a b"]\nk = 1\n', "t/a b/k", 2),
        ("a.b.c = 1\n", "a/b", 1),
        ('s = """\nx = 1\n"""\nk = 1\n', "k", 4),
        ("s = '''\n[t]\n'''\nk = 1\n", "k", 4),
        ('s = "# no"\nk = 1 # yes\nl = 2\n', "l", 3),
        ("a = [ # c\n 1,\n [2,\n 3]]\n", "a/1/1", 4),
        ("a = { b = 1, c = { d = [1,\n 2] } }\n", "a/c/d/1", 2),
        ("[[t]]\nk = 1\n[[t]]\nk = 2\n", "t/1/k", 4),
        ("[[t]]\n[t.u]\nk = 1\n[[t]]\n[t.u]\nk = 2\n", "t/1/u/k", 6),
        ("[a.b.c]\n", "a/b", 1),
        ("k = 1979-05-27T07:32:00Z\nl = 1\n", "l", 2),
        ('"\\u0041" = 1\n', "A", 1),
    ],
)
def test_the_line_of(text: str, key: str, line: int) -> None:
    tomllib.loads(text)
    assert line_numbers(text)[tuple(key.split("/"))] == line


TABLES = st.recursive(
    st.integers() | st.text(max_size=8) | st.booleans(),
    lambda inner: st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), TABLES, max_size=4))
@settings(max_examples=60)
def test_every_key_of_a_generated_file_has_a_line(tree: dict[str, Any]) -> None:
    text = tomlkit.dumps(tree)
    found = line_numbers(text)
    for name, value in tomllib.loads(text).items():
        assert 1 <= found[(name,)] <= text.count("\n") + 1
        for inner in value if isinstance(value, dict) else ():
            assert found[(name, inner)] >= found[(name,)]
