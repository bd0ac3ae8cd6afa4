"""What a schema passes on to a plugin's server: sorted by place, unchanged, and never shown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gatehook.config import lint_schema
from gatehook.config.passing import CannotPass
from gatehook.config.passing import passed_on
from gatehook.secrets import Redactor
from gatehook.secrets import Secret

SCHEMA = {
    "$defs": {"secret": {"type": "string", "writeOnly": True, "x-gatehook-header": "X-Key"}},
    "properties": {
        "token": {"type": "string", "x-gatehook-query": "token"},
        "accounts": {"type": "array", "items": {"type": "string"}, "x-gatehook-query": "accounts"},
        "bearer": {"type": "string", "x-gatehook-header": "Authorization: Bearer {}"},
        "key": {"$ref": "#/$defs/secret"},
        "level": {"type": "string", "x-gatehook-env": "LOG_LEVEL"},
        "both": {"x-gatehook-env": "BOTH", "x-gatehook-query": "both"},
        "kept": {"type": "string"},
    },
}


def shown(values):
    return {name: one.reveal() for name, one in values.items()}


def test_each_value_goes_where_the_schema_says():
    values = {"token": Secret("t&k"), "accounts": ("a", "b"), "bearer": Secret("abc"), "key": Secret("k"), "kept": "x"}
    passed = passed_on(SCHEMA, {**values, "level": "info"})
    assert shown(passed.query) == {"token": "t&k", "accounts": "a,b"}
    assert shown(passed.headers) == {"Authorization": "Bearer abc", "X-Key": "k"}
    assert shown(passed.environment) == {"LOG_LEVEL": "info"}


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (7, "7"), (Decimal("1.50"), "1.50"), ("", "")]
)
def test_switches_and_numbers_are_written_plainly_and_a_value_may_go_to_two_places(value, text):
    passed = passed_on(SCHEMA, {"both": value})
    assert (shown(passed.query), shown(passed.environment)) == ({"both": text}, {"BOTH": text})


def test_what_is_absent_is_not_sent():
    assert passed_on(SCHEMA, {}) == passed_on({}, {"token": "x"})


def test_nothing_of_it_is_shown():
    assert "abc" not in repr(passed_on(SCHEMA, {"bearer": Secret("abc"), "token": "abc"}))


@pytest.mark.parametrize(
    "values",
    [{"bearer": "a\nb"}, {"bearer": "ä"}, {"level": "a\0b"}, {"accounts": ["a,b"]}, {"both": {"a": 1}}],
    ids=str,
)
def test_a_value_that_cannot_go_there_is_refused_without_being_named(values):
    [(name, value)] = values.items()
    with pytest.raises(CannotPass) as caught:
        passed_on(SCHEMA, values)
    assert name in str(caught.value)
    assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("x-gatehook-query", ""),
        ("x-gatehook-query", 1),
        ("x-gatehook-query", "a b"),
        ("x-gatehook-env", "1A"),
        ("x-gatehook-env", "A=B"),
        ("x-gatehook-header", "Mcp-Session-Id"),
        ("x-gatehook-header", "content-length"),
        ("x-gatehook-header", "A: b"),
        ("x-gatehook-header", "A: {} {}"),
        ("x-gatehook-header", "A\r\nB"),
    ],
)
def test_a_keyword_that_names_no_place_is_a_finding(keyword, value):
    found = lint_schema({"properties": {"a": {keyword: value}}})
    assert [one.code for one in found] == ["config.schema-passing"]
    assert found[0].pointer == f"/configSchema/properties/a/{keyword}"


def test_a_keyword_below_the_top_level_is_a_finding():
    nested = {"properties": {"a": {"type": "object", "properties": {"b": {"x-gatehook-env": "B"}}}}}
    assert [one.code for one in lint_schema(nested)] == ["config.schema-passing"]
    assert not lint_schema({"properties": {"a": {"x-gatehook-env": "B"}}})


def test_a_secret_in_a_url_is_redacted_in_both_spellings():
    redactor = Redactor()
    redactor.add(Secret("se cr/et&1"))
    for written in ("se%20cr%2Fet%261", "se+cr%2Fet%261", "se%20cr/et%261"):
        assert redactor.redact(f"GET /sse?token={written} 200") == "GET /sse?token=******** 200"
