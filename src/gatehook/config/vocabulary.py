"""What of JSON Schema (Draft 2020-12) holds schemas, and what each keyword's value looks like."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TYPES: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
ONE_SCHEMA: Final = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
SCHEMA_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
SCHEMA_MAPS: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
#: Keywords whose schemas apply only where a ``$ref`` leads to them.
DEFINITIONS: Final = frozenset({"$defs", "definitions"})


def subschemas(schema: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the schemas directly inside one, each with its steps from it."""
    if not isinstance(schema, Mapping):
        return
    for keyword, value in schema.items():
        if keyword in ONE_SCHEMA:
            yield (keyword,), value
        elif keyword in SCHEMA_LISTS and isinstance(value, list | tuple):
            yield from (((keyword, str(at)), one) for at, one in enumerate(value))
        elif keyword in SCHEMA_MAPS and isinstance(value, Mapping):
            yield from (((keyword, name), one) for name, one in value.items())


def is_well_formed(keyword: str, value: Any) -> bool:
    """Say whether a keyword's value certainly has the form it must have; unknown keywords are free."""
    check = _FORMS.get(keyword)
    return check is None or check(value)


def _is_schema(value: Any) -> bool:
    return isinstance(value, bool | Mapping)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _are_texts(value: Any) -> bool:
    return _is_list(value) and all(map(_is_text, value)) and len(set(value)) == len(value)


def _is_type(value: Any) -> bool:
    words = [value] if isinstance(value, str) else value
    return _are_texts(words) and bool(words) and TYPES.issuperset(words)


def _are_schemas(value: Any) -> bool:
    return _is_list(value) and bool(value) and all(map(_is_schema, value))


def _map_of_schemas(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_is_schema, value.values()))


def _map_of_texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_are_texts, value.values()))


_FORMS: Final[Mapping[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(ONE_SCHEMA, _is_schema),
    **dict.fromkeys(SCHEMA_LISTS, _are_schemas),
    **dict.fromkeys(SCHEMA_MAPS, _map_of_schemas),
    **dict.fromkeys(("title", "description", "format", "pattern", "$comment"), _is_text),
    **dict.fromkeys(("contentEncoding", "contentMediaType"), _is_text),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_count),
    **dict.fromkeys(("minProperties", "maxProperties", "minContains", "maxContains"), _is_count),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("uniqueItems", "readOnly", "writeOnly", "deprecated"), _is_switch),
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "required": _are_texts,
    "dependentRequired": _map_of_texts,
    "enum": _is_list,
    "examples": _is_list,
    "type": _is_type,
    "$ref": _is_text,
    "$schema": lambda value: isinstance(value, str) and value.rstrip("#") == DIALECT,
    # these change what a $ref means; jsonschema's own check decides about them
    **dict.fromkeys(("$id", "$anchor", "$vocabulary"), lambda _: False),
}
