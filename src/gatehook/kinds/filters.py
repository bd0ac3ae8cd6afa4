"""Filters over memory documents: a closed algebra, pure data, the same in every backend.

A field is ``kind``, ``ts``, ``available_at``, ``tags`` or ``meta.<key>``. A comparison with a missing field is false,
except ``Ne`` which is its negation. ``True`` is not ``1``, but ``1`` is ``1.0``. A comparison with ``tags`` or with a
list means "has one that"; text is ordered by code points; neither ``None`` nor a bool has an order. ``matches`` is the
meaning of all this.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.errors import FilterError

Scalar = str | int | float | bool | None

#: Filters nest at most this deep.
MAX_DEPTH: Final = 50
#: A filter has at most this many parts, the values of ``In`` included.
MAX_PARTS: Final = 2_000
#: A document's fields by name; a missing key is a missing field.
Fields = Mapping[str, Scalar | tuple[Scalar, ...]]
_PLAIN_FIELDS: Final = frozenset({"kind", "ts", "available_at", "tags"})
_INT64: Final = 1 << 63


def _filters(value: Iterable[Filter]) -> tuple[Filter, ...]:
    return tuple(value)


def _scalars(value: Iterable[Scalar]) -> tuple[Scalar, ...]:
    return tuple(value)


@attrs.frozen
class Eq:
    """The field has this value."""

    field: str
    value: Scalar


@attrs.frozen
class Ne:
    """The field does not have this value, or is missing."""

    field: str
    value: Scalar


@attrs.frozen
class Lt:
    """The field is below the value; both are numbers, or both are text."""

    field: str
    value: str | int | float


@attrs.frozen
class Le:
    """The field is at most the value."""

    field: str
    value: str | int | float


@attrs.frozen
class Gt:
    """The field is above the value."""

    field: str
    value: str | int | float


@attrs.frozen
class Ge:
    """The field is at least the value."""

    field: str
    value: str | int | float


@attrs.frozen
class In:
    """The field has one of these values."""

    field: str
    values: tuple[Scalar, ...] = attrs.field(converter=_scalars)


@attrs.frozen
class Exists:
    """The field is there."""

    field: str


@attrs.frozen
class And:
    """All of these hold (an empty one always does)."""

    filters: tuple[Filter, ...] = attrs.field(converter=_filters)


@attrs.frozen
class Or:
    """At least one of these holds (an empty one never does)."""

    filters: tuple[Filter, ...] = attrs.field(converter=_filters)


@attrs.frozen
class Not:
    """The inner filter does not hold."""

    filter: Filter


Filter = Eq | Ne | Lt | Le | Gt | Ge | In | Exists | And | Or | Not

_ORDERS: Final[Mapping[type, Callable[[Any, Any], bool]]] = {
    Lt: operator.lt,
    Le: operator.le,
    Gt: operator.gt,
    Ge: operator.ge,
}


def check_filter(filter_: object) -> None:
    """Check a filter without a document.

    Raises:
        FilterError: for an unknown operator or field, a value that is no finite scalar of at most 64 bits, too deep a
            tree or too many parts.
    """
    parts = sum(_check(part) for part in _walk(filter_, 0))
    if parts > MAX_PARTS:
        raise FilterError(f"a filter has at most {MAX_PARTS} parts, this one has {parts}")


def _walk(filter_: object, depth: int) -> Iterator[object]:
    if depth > MAX_DEPTH:
        raise FilterError(f"filters nest at most {MAX_DEPTH} deep")
    yield filter_
    inner: tuple[object, ...] = ()
    if isinstance(filter_, And | Or):
        inner = filter_.filters
    elif isinstance(filter_, Not):
        inner = (filter_.filter,)
    for part in inner:
        yield from _walk(part, depth + 1)


def _check(part: object) -> int:
    if isinstance(part, And | Or | Not):
        return 1
    if not isinstance(part, Eq | Ne | Lt | Le | Gt | Ge | In | Exists):
        raise FilterError(f"unknown filter operator {type(part).__name__}")
    _check_field(part.field)
    values = part.values if isinstance(part, In) else () if isinstance(part, Exists) else (part.value,)
    for value in values:
        check_scalar(value)
    if type(part) in _ORDERS and (values[0] is None or isinstance(values[0], bool)):
        raise FilterError(f"{type(part).__name__} compares numbers or text, not {values[0]!r}")
    return 1 + len(values)


def _check_field(field: object) -> None:
    if not isinstance(field, str) or not (field in _PLAIN_FIELDS or field.removeprefix("meta.") not in ("", field)):
        raise FilterError(f"unknown field {field!r}; fields are kind, ts, available_at, tags and meta.<key>")
    check_scalar(field)


def check_scalar(value: object) -> None:
    """Check that a value can be stored and compared by every backend.

    Raises:
        FilterError: for another type, NaN, an infinity, an int beyond 64 bits, text with a lone surrogate.
    """
    if value is None:
        return
    if isinstance(value, str):
        if not is_encodable(value):
            raise FilterError("text with a lone surrogate is no text")
        return
    if not isinstance(value, int | float):
        raise FilterError(f"a value is text, a number, a bool or None, not {type(value).__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise FilterError(f"{value} is no finite number")
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise FilterError("an integer has at most 64 bits")


def is_encodable(text: str) -> bool:
    """Say whether text has a UTF-8 form: no lone surrogate."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def matches(filter_: Filter, fields: Fields) -> bool:
    """Say whether a document with these fields passes the (checked) filter. A missing field is a missing key."""
    if isinstance(filter_, And):
        return all(matches(part, fields) for part in filter_.filters)
    if isinstance(filter_, Or):
        return any(matches(part, fields) for part in filter_.filters)
    if isinstance(filter_, Not):
        return not matches(filter_.filter, fields)
    return _compares(filter_, fields)


def _compares(filter_: Eq | Ne | Lt | Le | Gt | Ge | In | Exists, fields: Fields) -> bool:
    values = _values(fields, filter_.field)
    match filter_:
        case Exists(field):
            return field in fields
        case Eq(_, wanted):
            return any(_same(one, wanted) for one in values)
        case Ne(_, wanted):
            return not any(_same(one, wanted) for one in values)
        case In(_, several):
            return any(_same(one, wanted) for one in values for wanted in several)
    order = _ORDERS[type(filter_)]
    return any(_ordered(order, one, filter_.value) for one in values)


def _values(fields: Fields, field: str) -> tuple[Scalar, ...]:
    if field not in fields:
        return ()
    value = fields[field]
    return value if isinstance(value, tuple) else (value,)


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(one: Scalar, other: Scalar) -> bool:
    return (type(one) is type(other) or (_is_number(one) and _is_number(other))) and one == other


def _ordered(order: Callable[[Any, Any], bool], one: Scalar, other: Scalar) -> bool:
    comparable = (isinstance(one, str) and isinstance(other, str)) or (_is_number(one) and _is_number(other))
    return comparable and order(one, other)
