"""The keys of plugin.json, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatehook.catalog import manifest_json_schema
from generating.tables import cell_code
from generating.tables import code
from generating.tables import prose
from generating.tables import table


def fields() -> str:
    """Return the keys at the top."""
    schema = manifest_json_schema()
    return _keys(schema["properties"], schema["required"])


def entries() -> str:
    """Return the keys of each form of ``entry``."""
    forms = manifest_json_schema()["properties"]["entry"]["oneOf"]
    return "\n\n".join(
        f"### {_capital(form['description'])}\n\n{_keys(form['properties'], form['required'])}" for form in forms
    )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def requires() -> str:
    """Return the keys of ``requires``."""
    return _keys(manifest_json_schema()["properties"]["requires"]["properties"], ())


def permissions() -> str:
    """Return the keys of ``permissions``."""
    return _keys(manifest_json_schema()["properties"]["permissions"]["properties"], ())


def _keys(properties: Mapping[str, Any], required: Any) -> str:
    rows = [
        (code(key), _value(schema), "yes" if key in required else "no", prose(schema.get("description", "")))
        for key, schema in properties.items()
    ]
    return table(("key", "value", "required", "meaning"), rows)


def _value(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return cell_code(schema["const"])
    if "enum" in schema:
        return " or ".join(map(cell_code, schema["enum"]))
    if "oneOf" in schema:
        return "one of several forms" if "properties" in schema["oneOf"][0] else _choices(schema["oneOf"])
    return _typed(schema)


def _typed(schema: Mapping[str, Any]) -> str:
    words = {"string": "a string", "object": "an object", "boolean": "`true` or `false`", "integer": "a whole number"}
    if schema["type"] != "array":
        return words[schema["type"]]
    items = schema["items"]
    return f"a list of {_value(items)}" if {"oneOf", "enum"} & set(items) else "a list of strings"


def _choices(forms: list[Mapping[str, Any]]) -> str:
    return ", ".join(cell_code(form["const"]) for form in forms)
