"""A value against a linted schema: what breaks which rule, in words that never hold the value."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import attrs

from gatehook.config.patterns import compile_pattern
from gatehook.config.quick import Stored
from gatehook.config.quick import surely_valid
from gatehook.diagnostics import did_you_mean

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Steps = tuple[str | int, ...]


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


def _validator(schema: Mapping[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry

    linear = extend(  # type: ignore[no-untyped-call]  # jsonschema's stubs leave it out
        Draft202012Validator,
        {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional_properties},
    )
    here = {key: value for key, value in schema.items() if key != "$id"}
    registry: Registry[Any] = Registry()  # an empty one: nothing is ever fetched
    return linear(here, registry=registry)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not compile_pattern(pattern).search(instance):
        yield ValidationError("pattern")


def _pattern_properties(validator: Any, named: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
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
    {
        "anyOf",
        "contains",
        "dependentSchemas",
        "if",
        "not",
        "oneOf",
        "unevaluatedItems",
        "unevaluatedProperties",
        "uniqueItems",
    }
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
    wanted: Any = error.validator_value
    instance: Any = error.instance
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
