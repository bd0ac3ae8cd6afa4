"""Filters, namespaces and times as SQL with parameters: no text of a query or a filter is ever SQL."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import attrs

from gatehook.kinds import filters
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import Scalar
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.times import Ns
from gatehook.memory.scope import above
from gatehook.memory.scope import write_namespace

_COLUMNS: Final = {"ts": "d.ts", "available_at": "d.available_at", "kind": "d.kind"}
_ORDERS: Final[Mapping[type, str]] = {filters.Lt: "<", filters.Le: "<=", filters.Gt: ">", filters.Ge: ">="}
_Comparison = filters.Eq | filters.Ne | filters.Lt | filters.Le | filters.Gt | filters.Ge | filters.In | filters.Exists
_NULL, _BOOL, _NUMBER, _TEXT, EMPTY = range(5)


@attrs.frozen
class Condition:
    """A piece of SQL over ``docs d`` and its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()


def type_of(value: Scalar) -> int:
    """Return the ``type`` under which a value is stored and compared."""
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return _BOOL
    return _TEXT if isinstance(value, str) else _NUMBER


def stored(value: Scalar) -> object:
    """Return what stands in the ``value`` column."""
    return 0 if value is None else value


def both(*conditions: Condition) -> Condition:
    """All of these."""
    return _joined(" AND ", conditions, "1")


def _joined(word: str, conditions: Sequence[Condition], neutral: str) -> Condition:
    if not conditions:
        return Condition(neutral)
    sql = word.join(one.sql for one in conditions)
    return Condition(f"({sql})", tuple(value for one in conditions for value in one.parameters))


def of_filter(filter_: Filter | None) -> Condition:
    """Compile a filter that ``check_filter`` let pass."""
    if filter_ is None:
        return Condition("1")
    if isinstance(filter_, filters.And):
        return _joined(" AND ", [of_filter(part) for part in filter_.filters], "1")
    if isinstance(filter_, filters.Or):
        return _joined(" OR ", [of_filter(part) for part in filter_.filters], "0")
    if isinstance(filter_, filters.Not):
        return _negated(of_filter(filter_.filter))
    return _of_comparison(filter_)


def _of_comparison(filter_: _Comparison) -> Condition:
    match filter_:
        case filters.Exists(field):
            return _exists(field)
        case filters.In(field, values):
            return _joined(" OR ", [_compare(field, "=", value) for value in values], "0")
        case filters.Eq(field, value):
            return _compare(field, "=", value)
        case filters.Ne(field, value):
            return _negated(_compare(field, "=", value))
    return _compare(filter_.field, _ORDERS[type(filter_)], filter_.value)


def _negated(condition: Condition) -> Condition:
    return Condition(f"NOT {condition.sql}", condition.parameters)


def _compare(field: str, operator: str, value: Scalar) -> Condition:
    kind = type_of(value)
    if field in _COLUMNS:
        comparable = kind == (_TEXT if field == "kind" else _NUMBER)
        return Condition(f"({_COLUMNS[field]} {operator} ?)", (value,)) if comparable else Condition("0")
    sql = f"EXISTS (SELECT 1 FROM facts WHERE rid = d.rid AND field = ? AND type = ? AND value {operator} ?)"  # noqa: S608  constants only
    return Condition(sql, (field, kind, stored(value)))


def _exists(field: str) -> Condition:
    if field in _COLUMNS or field == "tags":
        return Condition("1")
    return Condition("EXISTS (SELECT 1 FROM facts WHERE rid = d.rid AND field = ?)", (field,))


def of_namespaces(selectors: Sequence[NamespaceSelector]) -> Condition:
    """Select documents of any of these namespaces."""
    return _joined(" OR ", [_of_namespace(selector) for selector in selectors], "0")


def _of_namespace(selector: NamespaceSelector) -> Condition:
    key = write_namespace(selector.namespace)
    if selector.exact:
        return Condition("d.ns = ?", (key,))
    if not selector.namespace:
        return Condition("1")
    return Condition("(d.ns >= ? AND d.ns < ?)", (key, above(selector.namespace)))


def of_visibility(now: Ns, as_of: Ns | None) -> Condition:
    """Select current revisions, or those in force at ``as_of``; nothing that has expired."""
    if as_of is None:
        return Condition("d.past = 0 AND (d.expires_at IS NULL OR d.expires_at > ?)", (now,))
    sql = "d.ts <= ? AND d.visible_at <= ? AND d.superseded_at > ? AND (d.expires_at IS NULL OR d.expires_at > ?)"
    return Condition(sql, (as_of, as_of, as_of, max(now, as_of)))


def of_query(query: Query, now: Ns) -> Condition:
    """Everything a query asks for but its words."""
    return both(of_visibility(now, query.as_of), of_namespaces(query.namespaces), of_filter(query.filter))
