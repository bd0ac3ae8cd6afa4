"""What a linted schema says about one place in a value: what applies there, the types admitted, the marks."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final
from urllib.parse import unquote

from gatehook.config.patterns import compile_pattern
from gatehook.config.vocabulary import TYPES
from gatehook.secrets import is_secret_name

_NOTHING: Final[Mapping[str, Any]] = {}


def target(root: Any, reference: str) -> Any:
    """Return what a local ``$ref`` (``#`` or ``#/…``) leads to; ``None`` when it leads nowhere."""
    found = root
    for step in unquote(reference[1:]).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and name in found:
            found = found[name]
        elif isinstance(found, Sequence) and not isinstance(found, str) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def together(schema: Any, root: Any) -> list[Mapping[str, Any]]:
    """Return the schemas that all apply where this one does: itself, its ``$ref`` and its ``allOf``."""
    if not isinstance(schema, Mapping):
        return []
    found = [schema]
    if "$ref" in schema:
        found += together(target(root, schema["$ref"]), root)
    for one in schema.get("allOf", ()):
        found += together(one, root)
    return found


def possible(schema: Any, root: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every schema that may apply where this one does, alternatives and conditions included."""
    for one in together(schema, root):
        yield one
        branches = [*one.get("anyOf", ()), *one.get("oneOf", ()), *(one.get(word, True) for word in ("then", "else"))]
        for branch in branches:
            yield from possible(branch, root)


def child(schema: Any, root: Any, step: str | int) -> Any:
    """Return a schema that says of a property or element what this one says of it."""
    parts: list[Any] = []
    for one in together(schema, root):
        parts += _direct(one, step)
        for word in ("anyOf", "oneOf"):
            if word in one:
                parts.append({"anyOf": [child(branch, root, step) for branch in one[word]]})
        for word in ("then", "else"):
            if word in one:
                parts.append({"anyOf": [True, child(one[word], root, step)]})
    return parts[0] if len(parts) == 1 else {"allOf": parts}


def _direct(schema: Mapping[str, Any], step: str | int) -> list[Any]:
    if isinstance(step, int):
        prefix = schema.get("prefixItems", ())
        return [prefix[step]] if step < len(prefix) else [schema["items"]] if "items" in schema else []
    found = [schema["properties"][step]] if step in schema.get("properties", _NOTHING) else []
    named = schema.get("patternProperties", _NOTHING)
    found += [one for pattern, one in named.items() if compile_pattern(pattern).search(step)]
    if not found and "additionalProperties" in schema:
        found.append(schema["additionalProperties"])
    return found


def admitted(schema: Any, root: Any) -> frozenset[str]:
    """Return the JSON types that a schema lets through."""
    if schema is False:
        return frozenset()
    found = TYPES
    for one in together(schema, root):
        found &= _of_type(one) & _of_values(one)
        for word in ("anyOf", "oneOf"):
            if word in one:
                found &= frozenset().union(*(admitted(branch, root) for branch in one[word]))
    return found


def _of_type(schema: Mapping[str, Any]) -> frozenset[str]:
    word = schema.get("type", TYPES)
    return frozenset((word,) if isinstance(word, str) else word)


def _of_values(schema: Mapping[str, Any]) -> frozenset[str]:
    values = schema["enum"] if "enum" in schema else [schema["const"]] if "const" in schema else None
    return TYPES if values is None else frozenset().union(*(_types_of(value) for value in values))


def _types_of(value: Any) -> frozenset[str]:
    for kind, words in _JSON_TYPES:
        if isinstance(value, kind):
            return words
    return frozenset({"null"})


_JSON_TYPES: Final[tuple[tuple[Any, frozenset[str]], ...]] = (
    (bool, frozenset({"boolean"})),
    (int | float, frozenset({"integer", "number"})),
    (str, frozenset({"string"})),
    (Mapping, frozenset({"object"})),
    (list | tuple, frozenset({"array"})),
)


def takes_reference(schema: Any, root: Any) -> bool:
    """Say whether a secret reference is read here: where a string is admitted and an object is not."""
    types = admitted(schema, root)
    return "string" in types and "object" not in types


def is_marked(schema: Any, root: Any) -> bool:
    """Say whether the author marked what is here as a secret."""
    return any(
        one.get("writeOnly") is True or one.get("format") == "password" or one.get("x-sensitive") is True
        for one in possible(schema, root)
    )


def is_hidden_at(schema: Any, steps: Sequence[str | int]) -> bool:
    """Say whether what is here is not for people to see: a secret, or nothing that the schema admits."""
    here = schema
    for step in steps:
        here = child(here, schema, step)
        if not admitted(here, schema):
            return True
    return is_secret_at(schema, schema, steps)


def is_secret_at(schema: Any, root: Any, steps: Sequence[str | int]) -> bool:
    """Say whether a place is secret: it, or something around it, is marked or has a secret's name."""
    here = schema
    for step in steps:
        here = child(here, root, step)
        if is_marked(here, root) or (isinstance(step, str) and is_secret_name(step)):
            return True
    return False
