"""Filters over memory documents: a closed algebra, pure data, the same in every backend.

A field is ``kind``, ``ts``, ``available_at``, ``tags`` or ``meta.<key>``. A comparison with a missing field is false, except ``Ne``
which is its negation. ``True`` is not ``1``, but ``1`` is ``1.0``. ``Eq`` on ``tags`` or on a list means "has".
"""

from __future__ import annotations

import attrs

Scalar = str | int | float | bool | None


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
    values: tuple[Scalar, ...] = attrs.field(converter=tuple)


@attrs.frozen
class Exists:
    """The field is there."""

    field: str


@attrs.frozen
class And:
    """All of these hold (an empty one always does)."""

    filters: tuple[Filter, ...] = attrs.field(converter=tuple)


@attrs.frozen
class Or:
    """At least one of these holds (an empty one never does)."""

    filters: tuple[Filter, ...] = attrs.field(converter=tuple)


@attrs.frozen
class Not:
    """This does not hold."""

    filter: Filter


Filter = Eq | Ne | Lt | Le | Gt | Ge | In | Exists | And | Or | Not
