from __future__ import annotations

from decimal import Decimal

import pytest

from gatehook import McpResult
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.exact_json import NotExactJson
from gatehook.kinds.exact_json import exact_json


def test_numbers_are_exact():
    assert exact_json('{"price": 1.10, "lots": 3, "tiny": 1e-8}') == {
        "price": Decimal("1.10"),
        "lots": 3,
        "tiny": Decimal("1E-8"),
    }
    assert str(exact_json("1.10")) == "1.10"


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[Infinity]",
        "-Infinity",
        '{"a": 1, "a": 2}',
        "{",
        "",
        "1e999999999",
        "9" * 5000,
        '"\\ud800"',
        '{"\\ud800": 1}',
        "[" * 65 + "]" * 65,
        "[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_not_exact_is_refused_without_being_shown(text):
    with pytest.raises(NotExactJson) as caught:
        exact_json(text)
    assert len(str(caught.value)) < 80


def test_a_result_is_read_as_json():
    assert McpResult(texts=('{"bid": 1.1}',)).json() == {"bid": Decimal("1.1")}


@pytest.mark.parametrize("texts", [(), ("1", "2"), ("Unavailable",), ("NaN",)])
def test_a_result_that_is_no_json_names_its_tool(texts):
    with pytest.raises(ToolAnswerInvalid, match="get_symbol_price"):
        McpResult(texts=texts, tool="get_symbol_price").json()
