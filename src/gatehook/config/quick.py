"""The common keywords of JSON Schema, checked at once.

Most configurations are answered here, without the import of ``jsonschema``, which costs more than a listing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.config.patterns import compile_pattern


class Stored(str):
    """Text that came from a secret's store, or stands in for it while nothing is resolved."""

    __slots__ = ()


_ANNOTATIONS: Final = frozenset(
    {
        "$comment",
        "$defs",
        "$schema",
        "contentEncoding",
        "contentMediaType",
        "default",
        "definitions",
        "deprecated",
        "description",
        "examples",
        "format",
        "readOnly",
        "title",
        "writeOnly",
    }
)


def surely_valid(schema: Any, value: Any, *, deferred: bool = False) -> bool:
    """Say whether a value certainly satisfies a schema of the common keywords; ``False`` means that it is not certain.

    Args:
        schema: linted before.
        value: dicts, lists and scalars.
        deferred: whether ``Stored`` values are placeholders, of which only the type is known.
    """
    if schema is True:
        return True
    if not isinstance(schema, Mapping):
        return False
    for keyword, wanted in schema.items():
        if keyword in _ANNOTATIONS or keyword.startswith("x-"):
            continue
        if deferred and isinstance(value, Stored) and keyword in _OF_TEXT:
            continue
        check = _CHECKS.get(keyword)
        if check is None or not check(wanted, value):
            return False
    return _properties_fit(schema, value, deferred) and _items_fit(schema, value, deferred)


def _properties_fit(schema: Mapping[str, Any], value: Any, deferred: bool) -> bool:
    if not isinstance(value, dict):
        return True
    known = schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    return all(surely_valid(known.get(name, rest), one, deferred=deferred) for name, one in value.items())


def _items_fit(schema: Mapping[str, Any], value: Any, deferred: bool) -> bool:
    items = schema.get("items", True)
    return not isinstance(value, list) or all(surely_valid(items, one, deferred=deferred) for one in value)


def _is_of_type(wanted: Any, value: Any) -> bool:
    words = (wanted,) if isinstance(wanted, str) else wanted
    return any(word in words for word in _words_of(value))


def _words_of(value: Any) -> tuple[str, ...]:
    if isinstance(value, bool):
        return ("boolean",)
    if isinstance(value, int):
        return ("integer", "number")
    if isinstance(value, float):
        return ("number",)
    for kind, word in ((str, "string"), (dict, "object"), (list, "array"), (type(None), "null")):
        if isinstance(value, kind):
            return (word,)
    return ()


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, str | bool) and type(one) in type(other).__mro__ and bool(one == other)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OF_TEXT: Final = frozenset({"enum", "pattern", "minLength", "maxLength"})
_CHECKS: Final[Mapping[str, Any]] = {
    "type": _is_of_type,
    "properties": lambda _, __: True,
    "additionalProperties": lambda _, __: True,
    "items": lambda _, __: True,
    "required": lambda wanted, value: not isinstance(value, dict) or all(name in value for name in wanted),
    "enum": lambda wanted, value: any(_same(one, value) for one in wanted),
    "pattern": lambda wanted, value: not isinstance(value, str) or compile_pattern(wanted).search(value),
    "minLength": lambda wanted, value: not isinstance(value, str) or len(value) >= wanted,
    "maxLength": lambda wanted, value: not isinstance(value, str) or len(value) <= wanted,
    "minItems": lambda wanted, value: not isinstance(value, list) or len(value) >= wanted,
    "maxItems": lambda wanted, value: not isinstance(value, list) or len(value) <= wanted,
    "minimum": lambda wanted, value: not _number(value) or value >= wanted,
    "maximum": lambda wanted, value: not _number(value) or value <= wanted,
    "exclusiveMinimum": lambda wanted, value: not _number(value) or value > wanted,
    "exclusiveMaximum": lambda wanted, value: not _number(value) or value < wanted,
}
