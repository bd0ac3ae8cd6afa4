"""The defaults of a linted schema, put where a value says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatehook.config.schema_walk import child
from gatehook.config.schema_walk import together
from gatehook.config.trees import plain


def with_defaults(value: Any, schema: Any, root: Any) -> Any:
    """Return a copy with every default applied, in nested objects too.

    A missing object is made of its defaults when they give it all that it requires.
    """
    if isinstance(value, list):
        return [with_defaults(one, child(schema, root, at), root) for at, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    made = {name: with_defaults(one, child(schema, root, name), root) for name, one in value.items()}
    for part in together(schema, root):
        for name, property_schema in part.get("properties", {}).items():
            if name not in made:
                made |= _missing(name, property_schema, root)
    return made


def _missing(name: str, schema: Any, root: Any) -> dict[str, Any]:
    parts = together(schema, root)
    for part in parts:
        if "default" in part:
            return {name: with_defaults(plain(part["default"]), schema, root)}
    if not any(part.get("type") == "object" for part in parts):
        return {}
    made = with_defaults({}, schema, root)
    required = {one for part in parts for one in part.get("required", ())}
    return {name: made} if made and required <= made.keys() else {}


def property_names(schema: Any, root: Any) -> list[str]:
    """Return the names of the properties that a schema lists."""
    return [name for part in together(schema, root) if isinstance(part, Mapping) for name in part.get("properties", {})]
