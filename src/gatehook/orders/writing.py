"""Domain objects as the journal's text, and whether what a provider said can be read again."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType
from types import UnionType
from typing import Annotated
from typing import Any
from typing import Final
from typing import TypeVar
from typing import Union
from typing import get_args
from typing import get_origin
from typing import get_type_hints

import attrs

from gatehook.kinds.codec import from_json
from gatehook.kinds.codec import to_json

T = TypeVar("T")
_Test = Callable[[Any], bool]

# json.dumps makes a new encoder at each call that wants other separators.
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode
_PLAIN: Final = frozenset({str, bool, int, Decimal, NoneType})


def write_json(value: Any) -> str:
    """Write a domain object as compact JSON text."""
    return _ENCODE(to_json(value))


def write_checked(value: Any) -> str:
    """Write what a provider said, if it can be read again: a field of a wrong type must not poison the journal.

    Raises:
        ValueError: when it cannot.
    """
    try:
        text = write_json(value)
        if not _is_of(type(value))(value):  # perhaps it can all the same
            read_json(type(value), text)
    except Exception as error:
        raise ValueError(f"not a valid {type(value).__name__}: {type(error).__name__}") from error
    return text


def read_json(cls: type[T], text: str) -> T:
    """Read what ``write_json`` wrote."""
    return from_json(cls, json.loads(text))


@cache
def _is_of(annotation: Any) -> _Test:
    """Return a test that only what is exactly of a type passes. It is certain to be readable, which the test finds out
    ten times as fast as reading does.
    """
    if (types := _exact_types(annotation)) is not None:
        return lambda value: type(value) in types
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        tests = [_is_of(one) for one in arguments]
        return lambda value: any(test(value) for test in tests)
    if origin is tuple and arguments[-1:] == (Ellipsis,):
        member = _is_of(arguments[0])
        return lambda value: type(value) is tuple and all(map(member, value))
    return _is_record(annotation) if attrs.has(annotation) else lambda _: False


def _exact_types(annotation: Any) -> frozenset[type] | None:
    """Return the types of the values that an annotation allows where they have no parts."""
    if get_origin(annotation) is Annotated:
        return _exact_types(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        parts = [_exact_types(one) for one in get_args(annotation)]
        return None if None in parts else frozenset().union(*(part for part in parts if part))
    is_plain = isinstance(annotation, type) and (annotation in _PLAIN or issubclass(annotation, Enum))
    return frozenset({annotation}) if is_plain else None


def _is_record(cls: type) -> _Test:
    hints = get_type_hints(cls, include_extras=True)
    names = [field.name for field in attrs.fields(cls) if field.name != "raw"]  # which is not written
    exact = {name: types for name in names if (types := _exact_types(hints[name])) is not None}
    allowed, values_of = tuple(exact.values()), attrgetter(*exact, "__class__")  # so that it returns a tuple
    rest = [(name, _is_of(hints[name])) for name in names if name not in exact]

    def test(value: Any) -> bool:
        # One loop in C: an order has twenty fields.
        return (
            type(value) is cls
            and all(map(frozenset.__contains__, allowed, map(type, values_of(value))))
            and all(is_right(getattr(value, name)) for name, is_right in rest)
        )

    return test
