"""The cheap look at a ``configSchema``: is it a schema of an object at all, and does it accept an empty configuration.

The full lint is the configuration's, where a schema is used; it costs a hundred times more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import NamedTuple

_TYPES: Final = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
#: Keywords that cannot refuse an empty object; and ``required``, which is looked at.
_HARMLESS: Final = frozenset(
    {
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "title",
        "description",
        "type",
        "properties",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "maxProperties",
        "default",
        "examples",
        "required",
    }
)


class SchemaFault(NamedTuple):
    """What is wrong with a schema, and the JSON pointer into it."""

    reason: str
    pointer: str


def fault_of_schema(schema: Mapping[str, Any]) -> SchemaFault | None:
    """Return what makes it structurally no schema of an object; ``None`` when nothing does."""
    if schema.get("type", "object") != "object":
        return SchemaFault('its "type" is not "object"', "/type")
    properties = schema.get("properties", {})
    if type(properties) is not dict:
        return SchemaFault('"properties" is no object', "/properties")
    for name, one in properties.items():
        if type(one) is not bool and (type(one) is not dict or not _is_type(one.get("type", "null"))):
            return SchemaFault("a property is no schema, or has an unknown type", f"/properties/{name}")
    required = schema.get("required", [])
    if type(required) is not list or not all(type(one) is str for one in required):
        return SchemaFault('"required" is no list of strings', "/required")
    if type(schema.get("additionalProperties", True)) not in (bool, dict):
        return SchemaFault('"additionalProperties" is no schema', "/additionalProperties")
    return None


def _is_type(said: Any) -> bool:
    if type(said) is list:
        return bool(said) and all(type(one) is str and one in _TYPES for one in said)
    return type(said) is str and said in _TYPES


def missing_when_empty(schema: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return which properties an empty configuration lacks; ``None`` when only a validator can tell."""
    if any(key not in _HARMLESS and not key.startswith("x-") for key in schema):
        return None
    properties = schema.get("properties", {})
    lacking = tuple(schema.get("required", ()))
    if any(isinstance(properties.get(name), dict) and "default" in properties[name] for name in lacking):
        return None
    return lacking
