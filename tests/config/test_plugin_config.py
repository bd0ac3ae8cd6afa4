"""A plugin's own configuration: structure first, then secrets, defaults, all of the schema, and sealed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gatehook.config import EntryConfig
from gatehook.config import NamedEntry
from gatehook.config import check_structure
from gatehook.config import config_from
from gatehook.config import load_config
from gatehook.config import masked
from gatehook.config import named_entries
from gatehook.config import resolve_entry
from gatehook.config.validation import findings
from gatehook.diagnostics import GatehookError
from gatehook.kinds.kind import Kind
from gatehook.secrets import MASK
from gatehook.secrets import Redactor
from gatehook.secrets import Secret

CANARY = "canary-4711-secret"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "token": {"type": "string", "minLength": 3},
        "allowedAccounts": {"type": "array", "items": {"type": "string"}},
        "prices": {"type": "string", "default": "simulated", "x-gatehook-entry": "connector.marketData"},
        "net": {
            "type": "object",
            "properties": {"retries": {"type": "integer", "default": 3}, "pin": {"type": "integer", "writeOnly": True}},
        },
        "free": {},
        "size": {"type": "integer", "maximum": 9},
    },
    "required": ["token"],
    "additionalProperties": False,
}


def entry(config: Mapping[str, Any], **more: Any) -> EntryConfig:
    return config_from({"plugins": {"entries": {"mine": {"config": config, **more}}}}).plugins.entries["mine"]


def resolve(config: Mapping[str, Any], schema: Mapping[str, Any] = SCHEMA, **environ: str) -> Mapping[str, Any]:
    return resolve_entry(entry(config), schema, environ=environ, redactor=Redactor()).values


def broken(
    config: Mapping[str, Any], schema: Mapping[str, Any] = SCHEMA, **environ: str
) -> list[tuple[str, str | None]]:
    with pytest.raises(GatehookError) as caught:
        resolve_entry(entry(config), schema, environ=environ, redactor=Redactor())
    assert CANARY not in str(caught.value) + json.dumps([one.to_json() for one in caught.value.diagnostics])
    return [(one.code, one.pointer) for one in caught.value.diagnostics]


def test_resolved_values_are_sealed_with_defaults_and_secrets() -> None:
    values = resolve({"token": {"env": "T"}, "allowedAccounts": ["a"]}, T=CANARY)
    assert values["token"] == Secret(CANARY)
    assert {**values, "token": None} == {
        "token": None,
        "allowedAccounts": ("a",),
        "prices": "simulated",
        "net": {"retries": 3},
    }
    with pytest.raises(TypeError):
        values["net"]["retries"] = 4


@pytest.mark.parametrize("reference", [{"env": "T"}, "${T}", Secret(CANARY), CANARY])
def test_every_way_to_give_a_secret(reference: Any) -> None:
    redactor = Redactor()
    values = resolve_entry(entry({"token": reference}), SCHEMA, environ={"T": CANARY}, redactor=redactor).values
    assert values["token"].reveal() == CANARY
    assert redactor.redact(f"x{CANARY}x") == f"x{MASK}x"
    assert CANARY not in repr(values) + str(values)


def test_a_relative_file_is_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "gatehook.toml").write_text('[plugins.entries.mine.config]\ntoken = { file = "token.txt" }\n')
    (tmp_path / "token.txt").write_text(CANARY + "\n")
    mine = load_config(tmp_path / "gatehook.toml", environ={}).plugins.entries["mine"]
    assert resolve_entry(mine, SCHEMA, redactor=Redactor()).values["token"].reveal() == CANARY


def test_a_reference_is_read_only_where_a_string_and_no_object_may_stand() -> None:
    values = resolve({"token": "abcdef", "free": {"env": "T"}, "net": {"x": "${T}"}}, T=CANARY)
    assert values["free"] == {"env": "T"}
    assert values["net"]["x"] == "${T}"
    assert broken({"token": "abcdef", "size": {"env": "T"}}, T="3") == [("config.invalid-entry", "/size")]


def test_a_schema_s_default_is_never_a_reference() -> None:
    schema = {"properties": {"path": {"type": "string", "default": "${HOME}"}}}
    assert resolve({}, schema, HOME=CANARY)["path"] == "${HOME}"


def test_secret_by_mark_by_name_and_below_a_marked_place() -> None:
    schema = {
        "properties": {
            "one": {"type": "string", "format": "password"},
            "two": {"type": "string", "x-sensitive": True},
            "three": {"writeOnly": True, "items": {"properties": {"deep": {"type": "string"}}}},
            "privateKey": {"type": "string"},
            "keyboard": {"type": "string"},
            "tokenLimit": {"type": "integer"},
            "either": {"anyOf": [{"type": "string", "writeOnly": True}, {"type": "integer"}]},
        }
    }
    words = {"one": "abcdef", "two": "abcdef", "privateKey": "abcdef", "either": "abcdef"}
    values = resolve({**words, "three": [{"deep": "abcdef"}], "keyboard": "qwertz", "tokenLimit": 5}, schema)
    for name in words:
        assert isinstance(values[name], Secret), name
    assert values["three"] == ({"deep": Secret("abcdef")},)
    assert (values["keyboard"], values["tokenLimit"]) == ("qwertz", 5)


def test_a_number_is_secret_only_when_marked() -> None:
    assert resolve({"token": "abcdef", "net": {"pin": 123456}})["net"]["pin"] == Secret("123456")


def test_a_short_secret_is_a_finding() -> None:
    resolved = resolve_entry(entry({"token": "abc"}), SCHEMA, redactor=Redactor())
    assert [(one.code, one.pointer) for one in resolved.diagnostics] == [("secrets.too-short", "/token")]


def test_regression_19_no_diagnostic_holds_the_secret() -> None:
    schema = {
        "properties": {
            "token": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5, "enum": ["x"], "const": "y"},
            "password": {"type": "integer"},
            "keys": {"type": "array", "writeOnly": True, "uniqueItems": True, "items": {"type": "integer"}},
            "apiKey": {"anyOf": [{"type": "integer"}, {"maxLength": 2}], "not": {"type": "string"}},
        }
    }
    config = {"token": {"env": "T"}, "password": CANARY, "keys": [CANARY, CANARY], "apiKey": CANARY}
    found = broken(config, schema, T=CANARY)
    assert {pointer for _, pointer in found} >= {"/token", "/password", "/keys", "/keys/0", "/apiKey"}
    assert CANARY not in str(check_structure(entry(config), schema)) + repr(entry(config))
    assert CANARY not in json.dumps(masked(entry(config), schema))


def test_regression_20_a_plugin_receives_its_own_configuration_only() -> None:
    both = config_from({"plugins": {"entries": {"a": {"config": {"x": 1}}, "b": {"config": {"token": CANARY}}}}})
    values = resolve_entry(both.plugins.entries["a"], {}, redactor=Redactor()).values
    assert values == {"x": 1}
    assert CANARY not in repr(both) + repr(both.plugins.entries["a"])


def test_every_broken_rule_is_named_with_pointer_line_and_hint(tmp_path: Path) -> None:
    path = tmp_path / "gatehook.toml"
    path.write_text("[plugins.entries.mine.config]\ntokn = 'x'\nsize = 10\nallowedAccounts = [\n 'a',\n 3,\n]\n")
    found = check_structure(load_config(path, environ={}).plugins.entries["mine"], SCHEMA)
    assert {(one.pointer, one.line) for one in found} == {("", 1), ("/size", 3), ("/allowedAccounts/1", 6)}
    text = " ".join(one.message for one in found)
    for part in ("missing: token", 'unknown: tokn (did you mean "token"?)', "maximum 9", "must be string"):
        assert part in text


def test_the_control_plane_resolves_nothing_and_knows_only_the_type_of_a_reference() -> None:
    schema = {
        **SCHEMA,
        "properties": {
            "token": {"type": "string", "pattern": "^x$", "anyOf": [{"const": "a"}, {"maxLength": 1}]},
            "list": {"uniqueItems": True, "items": {"type": "string", "enum": ["a"]}},
        },
    }
    unset = entry({"token": {"env": "NO_SUCH_VARIABLE"}, "list": [{"env": "A"}, {"env": "B"}]})
    assert check_structure(unset, schema) == ()


def test_nothing_configured_but_something_required_is_needs_config() -> None:
    (found,) = check_structure(EntryConfig(entry_id="mine"), SCHEMA)
    assert (found.code, found.entry) == ("config.needs-config", "mine")
    assert "token" in found.message
    assert check_structure(EntryConfig(entry_id="mine"), {**SCHEMA, "required": ["prices"]}) == ()


def test_a_missing_secret_names_its_place_and_not_more() -> None:
    assert broken({"token": {"env": "NOPE"}}) == [("secrets.unavailable", "/token")]
    assert broken({"token": {"file": "/no/such/file"}}) == [("secrets.unavailable", "/token")]


@pytest.mark.parametrize("value", [dt.date(2026, 1, 1), float("nan"), float("inf"), [object()]])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    assert broken({"token": "abcdef", "free": {"x": value}})[0][0] == "config.not-json"
    assert check_structure(entry({"free": {"x": value}}), SCHEMA)[0].code == "config.not-json"


def test_the_environment_s_keys_are_spelled_as_the_schema_spells_them() -> None:
    environ = {"GATEHOOK__PLUGINS__ENTRIES__MINE__CONFIG__ALLOWEDACCOUNTS": '["a"]'}
    mine = config_from({"plugins": {"entries": {"mine": {"config": {"token": "abcdef"}}}}}, environ=environ)
    values = resolve_entry(mine.plugins.entries["mine"], SCHEMA, redactor=Redactor()).values
    assert values["allowedAccounts"] == ("a",)


def test_the_entries_that_a_configuration_names() -> None:
    named = NamedEntry("/prices", Kind.MARKET_DATA, "simulated")
    assert named_entries(entry({"token": "abcdef"}), SCHEMA) == (named,)
    (other,) = named_entries(entry({"token": "abcdef", "prices": "replay"}), SCHEMA)
    assert other.entry_id == "replay"


def test_defaults_reach_through_references_and_into_elements() -> None:
    schema = {
        "$defs": {"leg": {"type": "object", "properties": {"size": {"default": 1}}, "required": ["name"]}},
        "properties": {
            "legs": {"items": {"$ref": "#/$defs/leg"}},
            "one": {"$ref": "#/$defs/leg"},
            "two": {"allOf": [{"type": "object", "properties": {"a": {"default": [1]}}}]},
        },
    }
    values = resolve({"legs": [{"name": "x"}]}, schema)
    assert values == {"legs": ({"name": "x", "size": 1},), "two": {"a": (1,)}}


def test_masked_shows_references_as_written_and_hides_values() -> None:
    shown = masked(entry({"token": {"env": "T"}, "net": {"pin": 5, "apiKey": "abc"}, "size": 3}), SCHEMA)
    assert shown == {"token": {"env": "T"}, "net": {"pin": MASK, "apiKey": MASK}, "size": 3}


JSON = st.recursive(
    st.booleans() | st.integers(-4, 4) | st.sampled_from([0.5, 2.0]) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "integer", "number", "object", "array", "boolean"]),
            "enum": st.lists(JSON, max_size=3),
            "minimum": st.integers(-3, 3),
            "exclusiveMaximum": st.integers(-3, 3),
            "maxLength": st.integers(0, 3),
            "pattern": st.sampled_from(["^a", "b$", "^(a|b)*$"]),
            "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {"properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)},
        optional={
            "additionalProperties": inner | st.booleans(),
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=2),
        },
    ),
    max_leaves=4,
)


@given(SCHEMAS, JSON)
@settings(max_examples=100)
def test_the_quick_way_and_the_linear_patterns_agree_with_jsonschema(schema: dict[str, Any], value: Any) -> None:
    assert (findings(schema, value) == ()) == Draft202012Validator(schema).is_valid(value)
