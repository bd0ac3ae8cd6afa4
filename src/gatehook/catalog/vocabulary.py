"""The words of the capability vocabularies as rules: what each takes in a manifest, and its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import NoneType
from types import UnionType
from typing import Any
from typing import Literal
from typing import NamedTuple
from typing import Union
from typing import get_args
from typing import get_origin
from typing import get_type_hints

from gatehook.kinds.capabilities import vocabulary
from gatehook.kinds.kind import KINDS


class Mismatch(ValueError):
    """A value is not what the vocabulary takes."""


class Shape(NamedTuple):
    """What an annotation takes.

    Attributes:
        read: turns the JSON value into the field's; raises ``Mismatch``.
        expected: what it takes, in words.
        schema: the same as JSON Schema.
        words: the words it takes, for a did-you-mean.
    """

    read: Callable[[Any], Any]
    expected: str
    schema: Mapping[str, Any]
    words: tuple[str, ...] = ()


class Word(NamedTuple):
    """A capability: the kinds that know it (by name), each with its field, and the shape of its value."""

    key: str
    fields: Mapping[str, str]
    shape: Shape
    summary: str


@cache
def words() -> Mapping[str, Word]:
    """Return every capability by its manifest key."""
    found: dict[str, Word] = {}
    for kind, spec in KINDS.items():
        hints = get_type_hints(spec.capabilities)
        for one in vocabulary(spec.capabilities):
            known = found.get(one.key)
            found[one.key] = Word(
                key=one.key,
                fields={**(known.fields if known else {}), kind.value: one.field},
                shape=known.shape if known else shape_of(hints[one.field]),
                summary=one.summary,
            )
    return found


def shape_of(annotation: Any) -> Shape:
    """Return the shape of a field's annotation.

    Raises:
        TypeError: for an annotation that no vocabulary uses.
    """
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _choice(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return _list(shape_of(arguments[0]))
    if origin is Literal:
        return _literal(arguments)
    if origin in (Union, UnionType):
        return _any_of([shape_of(one) for one in arguments if one is not NoneType])
    raise TypeError(f"no capability has the type {annotation}")


def _scalar(kind: type, expected: str, schema: str) -> Shape:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise Mismatch
        return value

    return Shape(read, expected, {"type": schema})


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise Mismatch
    return value


_SCALARS: Mapping[Any, Shape] = {
    bool: _scalar(bool, "true or false", "boolean"),
    str: _scalar(str, "a string", "string"),
    int: Shape(_count, "a whole number of at least 1", {"type": "integer", "minimum": 1}),
}


def _choice(enum: type[StrEnum]) -> Shape:
    known = {str(member): member for member in enum}

    def read(value: Any) -> Any:
        if type(value) is not str or value not in known:
            raise Mismatch
        return known[value]

    return Shape(read, " | ".join(f'"{word}"' for word in known), {"enum": list(known)}, tuple(known))


def _literal(values: tuple[Any, ...]) -> Shape:
    def read(value: Any) -> Any:
        if type(value) is not str or value not in values:
            raise Mismatch
        return value

    return Shape(read, " | ".join(f'"{word}"' for word in values), {"enum": list(values)}, values)


def _list(item: Shape) -> Shape:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise Mismatch
        made = tuple([item.read(one) for one in value])
        if len(set(value)) != len(value):
            raise Mismatch
        return made

    schema = {"type": "array", "items": dict(item.schema), "uniqueItems": True}
    return Shape(read, f"a list, each once, of {item.expected}", schema, item.words)


def _any_of(shapes: list[Shape]) -> Shape:
    if len(shapes) == 1:
        return shapes[0]

    def read(value: Any) -> Any:
        for shape in shapes:
            try:
                return shape.read(value)
            except Mismatch:
                continue
        raise Mismatch

    return Shape(
        read,
        " or ".join(shape.expected for shape in shapes),
        {"anyOf": [dict(shape.schema) for shape in shapes]},
        tuple(word for shape in shapes for word in shape.words),
    )
