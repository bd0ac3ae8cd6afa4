"""A value against a linted schema: what breaks which rule, in words that never hold the value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import attrs

from gatehook.config.patterns import compile_pattern
from gatehook.diagnostics import did_you_mean

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

Steps = tuple[str | int, ...]


class Stored(str):
    """Text that came from a secret's store, or stands in for it while nothing is resolved."""

    __slots__ = ()


@attrs.frozen
class Finding:
    """A broken rule at a place; ``explanation`` is made of the schema alone."""

    steps: Steps
    rule: str
    explanation: str


def findings(schema: Mapping[str, Any], value: Any, *, deferred: bool = False) -> tuple[Finding, ...]:
    """Return every broken rule.

    Args:
        schema: linted before.
        value: dicts, lists and scalars.
        deferred: whether ``Stored`` values are placeholders, of which only the type is known.
    """
    if surely_valid(schema, value, deferred=deferred):
        return ()
    found: dict[Finding, None] = {}
    try:
        for error in _validator(schema).iter_errors(value):
            if not (deferred and _hangs_on_placeholder(error)):
                found[_finding(error)] = None
    except (ArithmeticError, RecursionError):  # numbers beyond what floats can divide, references beyond the stack
        found[Finding((), "limits", "a value is too large to be checked")] = None
    return tuple(found)


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry

    linear = extend(
        Draft202012Validator,
        {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional_properties},
    )
    here = {key: value for key, value in schema.items() if key != "$id"}
    registry: Registry[Any] = Registry()  # an empty one: nothing is ever fetched
    return linear(here, registry=registry)


def _pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not compile_pattern(pattern).search(instance):
        yield ValidationError("pattern")


def _pattern_properties(validator: Any, named: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    for pattern, schema in named.items() if isinstance(instance, dict) else ():
        compiled = compile_pattern(pattern)
        for name, value in instance.items():
            if compiled.search(name):
                yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rest: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    from jsonschema.exceptions import ValidationError

    extra = _extra(schema, instance) if isinstance(instance, dict) else []
    if rest is False and extra:
        yield ValidationError("additionalProperties")
    elif isinstance(rest, Mapping):
        for name in extra:
            yield from validator.descend(instance[name], rest, path=name)


def _extra(schema: Mapping[str, Any], instance: Mapping[str, Any]) -> list[str]:
    patterns = [compile_pattern(one) for one in schema.get("patternProperties", ())]
    known = schema.get("properties", {})
    return [name for name in instance if name not in known and not any(one.search(name) for one in patterns)]


_COMBINING: Final = frozenset(
    ["anyOf", "oneOf", "not", "if", "contains", "dependentSchemas", "uniqueItems", "unevaluatedProperties", "unevaluatedItems"]
)


def _hangs_on_placeholder(error: ValidationError) -> bool:
    """Say whether a placeholder's unknown text may be the only reason; its type has been admitted before."""
    return isinstance(error.instance, Stored) or (error.validator in _COMBINING and _holds_placeholder(error.instance))


def _holds_placeholder(value: Any) -> bool:
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, Stored) or any(_holds_placeholder(one) for one in inner)


def _finding(error: ValidationError) -> Finding:
    from jsonschema.exceptions import best_match

    nearest = best_match([error]) or error
    rule = str(nearest.validator)
    return Finding(tuple(nearest.absolute_path), rule, _explained(rule, nearest))


def _explained(rule: str, error: ValidationError) -> str:
    wanted, instance = error.validator_value, error.instance
    if rule == "required" and isinstance(instance, dict):
        missing = [name for name in wanted if name not in instance]
        return "missing: " + ", ".join(missing)
    if rule == "additionalProperties" and wanted is False and isinstance(error.schema, Mapping):
        known = list(error.schema.get("properties", {}))
        return "unknown: " + ", ".join(
            f"{name}{did_you_mean(name[:64], known)}" for name in _extra(error.schema, instance)
        )
    if rule == "type":
        return "it must be " + (wanted if isinstance(wanted, str) else " or ".join(wanted))
    if rule == "enum":
        return "it must be one of " + ", ".join(str(one) for one in wanted)
    return f"it must have {rule} {wanted}" if isinstance(wanted, str | int | float) else f"see {rule} in the schema"


_ANNOTATIONS: Final = frozenset(
    ["$schema", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "format", "writeOnly", "readOnly", "deprecated", "contentEncoding", "contentMediaType"]
)


def surely_valid(schema: Any, value: Any, *, deferred: bool = False) -> bool:
    """Say whether a value certainly satisfies a schema of the common keywords; ``False`` says only that it is not certain.

    It answers for most configurations without the import of ``jsonschema``, which costs more than all the rest of a listing.
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
    return isinstance(one, str | bool) and type(one) in (type(other), *type(other).__mro__) and bool(one == other)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


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
