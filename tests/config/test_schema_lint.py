"""A plugin's configSchema is checked once, and neither a bomb nor nonsense gets through."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from gatehook.config import entry_references
from gatehook.config import lint_schema
from gatehook.config import unmarked_secrets
from gatehook.kinds.kind import Kind

METAAPI = {
    "type": "object",
    "properties": {
        "token": {"type": "string", "description": "MetaAPI token"},
        "allowedAccounts": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["token"],
}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    names = {f"n{at}": {"allOf": [{"$ref": f"#/$defs/n{at - 1}"}] * 2} for at in range(1, levels)}
    return {"$defs": {"n0": {}, **names}, "$ref": f"#/$defs/n{levels - 1}"}


def chain(length: int) -> dict[str, Any]:
    names: dict[str, Any] = {f"n{at}": {"$ref": f"#/$defs/n{at + 1}"} for at in range(length)}
    return {"$defs": {**names, f"n{length}": {}}, "$ref": "#/$defs/n0"}


@pytest.mark.parametrize(
    "schema",
    [
        METAAPI,
        {},
        {"$defs": {"a b/~": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a%20b~1~0"}}},
        {"definitions": {"a": {"type": "string"}}, "properties": {"x": {"$ref": "#/definitions/a"}}},
        {"$id": "https://example.org/s", "properties": {"x": {"anyOf": [True, {"$ref": "#/properties/y"}]}, "y": {}}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema#"},
        {"patternProperties": {"^x-": {"type": ["string", "null"]}}, "additionalProperties": False},
        {"properties": {"prices": {"type": "string", "x-gatehook-entry": "connector.marketData"}}, "x-ui": 3},
    ],
)
def test_accepts(schema: dict[str, Any]) -> None:
    assert lint_schema(schema) == ()


@pytest.mark.parametrize(
    ("schema", "code", "pointer"),
    [
        (3, "config.schema-invalid", "/configSchema"),
        ({"type": "strin"}, "config.schema-invalid", "/configSchema/type"),
        ({"properties": {"a": {"required": "x"}}}, "config.schema-invalid", "/configSchema/properties/a/required"),
        ({"properties": {"a": 3}}, "config.schema-invalid", "/configSchema/properties/a"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "config.schema-invalid", "/configSchema/$schema"),
        ({"$ref": "https://example.org/x"}, "config.schema-reference", "/configSchema/$ref"),
        ({"$ref": "#/$defs/missing"}, "config.schema-reference", "/configSchema/$ref"),
        ({"title": "x", "$ref": "#/title"}, "config.schema-reference", "/configSchema/$ref"),
        ({"default": {"a": {}}, "$ref": "#/default/a"}, "config.schema-reference", "/configSchema/$ref"),
        ({"$dynamicRef": "#x"}, "config.schema-reference", "/configSchema"),
        ({"items": {"$id": "https://example.org/s"}}, "config.schema-reference", "/configSchema/items"),
        ({"properties": {"a": {"$ref": "#"}}}, "config.schema-reference", "/configSchema/properties/a/$ref"),
        (nested(50), "config.schema-too-complex", "/configSchema"),
        (doubling(30), "config.schema-too-complex", "/configSchema"),
        (chain(200), "config.schema-too-complex", None),
        (
            {"patternProperties": {"a": {}}, "unevaluatedProperties": False},
            "config.schema-too-complex",
            "/configSchema",
        ),
        ({"properties": {"a": {"pattern": "(?=x)"}}}, "config.schema-pattern", "/configSchema/properties/a"),
        ({"patternProperties": {"(a": {}}}, "config.schema-pattern", "/configSchema"),
        (
            {"properties": {"a": {"x-gatehook-entry": "connector.brokr"}}},
            "config.schema-entry-kind",
            "/configSchema/properties/a/x-gatehook-entry",
        ),
    ],
)
def test_refuses(schema: Any, code: str, pointer: str | None) -> None:
    found = lint_schema(schema, plugin="mine", path=Path("plugin.json"))
    assert found[0].code == code
    assert pointer in (None, found[0].pointer)
    assert found[0].plugin == "mine"
    assert "mine" in found[0].message


def test_regression_12_a_structurally_invalid_schema_is_a_finding_of_its_own_plugin() -> None:
    assert [one.plugin for one in lint_schema({"properties": []}, plugin="broken")] == ["broken"]


@pytest.mark.parametrize(
    "bomb",
    [
        doubling(5000),
        chain(5000),
        nested(5000),
        {"properties": {"a": {"pattern": "(((a{0,999}){0,999}){0,999}){0,999}"}}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"enum": [["x"] * 1000] * 200, "anyOf": [{"$ref": "#/$defs/a"}] * 20_000, "$defs": {"a": {}}},
    ],
    ids=["doubling", "chain", "deep", "pattern", "loop", "wide"],
)
def test_fault_07_a_schema_bomb_is_refused_at_once(bomb: Any) -> None:
    start = time.process_time()
    assert lint_schema(bomb)
    assert time.process_time() - start < 10  # a bomb would take years; this only says "not that"


def test_a_plain_schema_costs_no_import_of_jsonschema() -> None:
    program = f"""
import sys
from gatehook.config import lint_schema
assert lint_schema({METAAPI!r}) == ()
assert not {{"jsonschema", "tomlkit", "cattrs", "anyio", "mcp"}} & set(sys.modules), "a heavy import"
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_author_is_asked_to_mark_secrets() -> None:
    found = unmarked_secrets({"properties": {**METAAPI["properties"], "apiKey": {"writeOnly": True}}})  # type: ignore[dict-item]
    assert [one.pointer for one in found] == ["/configSchema/properties/token"]


def test_which_properties_name_entries() -> None:
    schema = {
        "properties": {
            "prices": {"type": "string", "x-gatehook-entry": "connector.marketData"},
            "all": {"items": {"$ref": "#/$defs/broker"}},
        },
        "$defs": {"broker": {"x-gatehook-entry": "connector.broker"}},
    }
    assert entry_references(schema) == {"/prices": Kind.MARKET_DATA, "/all/*": Kind.BROKER}


KEYWORDS = st.sampled_from(
    ["type", "properties", "required", "items", "enum", "minimum", "maxLength", "allOf", "anyOf", "default", "format"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["string", "object", "x"]) | st.just(1.5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.just("a"), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(KEYWORDS, VALUES, max_size=4))
@settings(max_examples=100)
def test_what_the_lint_accepts_the_metaschema_accepts(schema: dict[str, Any]) -> None:
    try:
        Draft202012Validator.check_schema(schema)
        is_schema = True
    except SchemaError:
        is_schema = False
    assert (lint_schema(schema) == ()) == is_schema
