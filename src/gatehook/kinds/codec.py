"""The domain types as JSON and back, strictly: Decimals are strings, times RFC 3339, no value is coerced.

``to_json`` gives what ``json.dumps`` takes; ``from_json`` refuses unknown keys and wrong types.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType
from types import UnionType
from typing import Annotated
from typing import Any
from typing import TypeVar
from typing import Union
from typing import get_args
from typing import get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn
from cattrs.gen import make_dict_unstructure_fn
from cattrs.gen import override

from gatehook.kinds.amounts import exact
from gatehook.kinds.amounts import plain
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.times import from_rfc3339
from gatehook.kinds.times import to_rfc3339

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Turn a domain object into plain JSON values. ``raw`` payloads are left out."""
    return _converter().unstructure(value)


def from_json(cls: type[T], data: Any) -> T:
    """Build a domain object from plain JSON values.

    Raises:
        ValueError, TypeError: for a wrong type, a missing or unknown key, a bad value (possibly in an exception group
            that names the path; ``cattrs.transform_error`` lists them).
    """
    return _converter().structure(data, cls)


@cache
def _converter() -> Converter:
    return new_converter()


def new_converter() -> Converter:
    """Return a strict converter of the caller's own, to add hooks to."""
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    for scalar in (str, bool, int):
        converter.register_structure_hook(scalar, _only(scalar))
    converter.register_structure_hook(Decimal, lambda value, _: exact(_text(value)))
    converter.register_unstructure_hook(Decimal, plain)
    converter.register_structure_hook(InstrumentId, lambda value, _: InstrumentId.parse(_text(value)))
    converter.register_unstructure_hook(InstrumentId, str)
    converter.register_structure_hook_func(_is_time, lambda value, _: from_rfc3339(_text(value)))
    converter.register_unstructure_hook_func(_is_time, to_rfc3339)
    converter.register_structure_hook_factory(_is_optional_time, _optional_time)
    converter.register_unstructure_hook_factory(_is_optional_time, _optional_time_text)
    converter.register_structure_hook_func(lambda t: t is Any, lambda value, _: value)
    converter.register_structure_hook_func(_is_tuple, lambda value, t: _tuple(converter, value, t))
    converter.register_structure_hook_factory(
        attrs.has, lambda cls: _without_raw(converter, cls, make_dict_structure_fn)
    )
    converter.register_unstructure_hook_factory(
        attrs.has, lambda cls: _without_raw(converter, cls, make_dict_unstructure_fn)
    )
    converter.register_structure_hook(StrEnum, lambda value, t: t(_text(value)))
    return converter


def _only(kind: type) -> Callable[[Any, Any], Any]:
    def check(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
        return value

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a string, found {type(value).__name__}")
    return value


def _is_time(annotation: Any) -> bool:
    return get_origin(annotation) is Annotated and "nanoseconds UTC" in annotation.__metadata__


def _is_optional_time(annotation: Any) -> bool:
    if get_origin(annotation) not in (Union, UnionType):
        return False
    rest = [part for part in get_args(annotation) if part is not NoneType]
    return len(rest) == 1 and _is_time(rest[0])


def _optional_time(_: Any) -> Callable[[Any, Any], int | None]:
    return lambda value, _t: None if value is None else from_rfc3339(_text(value))


def _optional_time_text(_: Any) -> Callable[[Any], str | None]:
    return lambda value: None if value is None else to_rfc3339(value)


def _is_tuple(annotation: Any) -> bool:
    return get_origin(annotation) is tuple and get_args(annotation)[-1:] == (Ellipsis,)


def _tuple(converter: Converter, value: Any, annotation: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"expected a list, found {type(value).__name__}")
    member = get_args(annotation)[0]
    return tuple(converter.structure(item, member) for item in value)


def _without_raw(converter: Converter, cls: Any, make: Callable[..., Any]) -> Any:
    origin = get_origin(cls) or cls
    omitted = {field.name: override(omit=True) for field in attrs.fields(origin) if field.name == "raw"}
    return make(cls, converter, **omitted)
