"""Filters, namespaces and times as SQL with parameters: no text of a query or a filter is ever SQL.

What filters ask about is one JSON object a row: a field's name, and the list of its values. JSON keeps ``true`` from
``1`` and text from numbers, and takes ``1`` and ``1.0`` for the same, as the filters do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import attrs

from gatehook.kinds import filters
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import Scalar
from gatehook.kinds.filters import is_encodable
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.times import Ns
from gatehook.memory.postgres.texts import write_text
from gatehook.memory.scope import above
from gatehook.memory.scope import write_namespace

_COLUMNS: Final = {"ts": "d.ts", "available_at": "d.available_at", "kind": "d.kind"}
_ORDERS: Final[Mapping[type, str]] = {filters.Lt: "<", filters.Le: "<=", filters.Gt: ">", filters.Ge: ">="}
_LAST: Final = (1 << 63) - 2
_Comparison = filters.Eq | filters.Ne | filters.Lt | filters.Le | filters.Gt | filters.Ge | filters.In | filters.Exists


@attrs.frozen
class Condition:
    """A piece of SQL over ``docs d`` and its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()


ALWAYS: Final = Condition("true")
NEVER: Final = Condition("false")


def both(*conditions: Condition) -> Condition:
    """All of these."""
    return _joined(" AND ", conditions, ALWAYS)


def _joined(word: str, conditions: Sequence[Condition], neutral: Condition) -> Condition:
    if not conditions:
        return neutral
    sql = word.join(one.sql for one in conditions)
    return Condition(f"({sql})", tuple(value for one in conditions for value in one.parameters))


def facts_of(doc: MemoryDoc) -> str:
    """Return what filters may ask about beyond the columns, as JSON."""
    facts: dict[str, list[Scalar]] = {"tags": [_comparable(tag) for tag in sorted(doc.tags)]}
    for key, value in doc.meta.items():
        members: Sequence[Scalar] = value if isinstance(value, tuple | list) else (value,)
        facts[write_text(f"meta.{key}")] = [_comparable(member) for member in members]
    return json.dumps(facts)


def _comparable(value: Scalar) -> Scalar:
    """Return a value whose JSON compares exactly: a whole float has fewer digits than the number it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return write_text(value) if isinstance(value, str) else value


def of_filter(filter_: Filter | None) -> Condition:
    """Compile a filter that ``check_filter`` let pass."""
    if filter_ is None:
        return ALWAYS
    if isinstance(filter_, filters.And):
        return _joined(" AND ", [of_filter(part) for part in filter_.filters], ALWAYS)
    if isinstance(filter_, filters.Or):
        return _joined(" OR ", [of_filter(part) for part in filter_.filters], NEVER)
    if isinstance(filter_, filters.Not):
        return _negated(of_filter(filter_.filter))
    return _of_comparison(filter_)


def _of_comparison(filter_: _Comparison) -> Condition:
    match filter_:
        case filters.Exists(field):
            return _exists(field)
        case filters.In(field, values):
            return _joined(" OR ", [_compare(field, "=", value) for value in values], NEVER)
        case filters.Eq(field, value):
            return _compare(field, "=", value)
        case filters.Ne(field, value):
            return _negated(_compare(field, "=", value))
    return _compare(filter_.field, _ORDERS[type(filter_)], filter_.value)


def _negated(condition: Condition) -> Condition:
    return Condition(f"NOT {condition.sql}", condition.parameters)


def _compare(field: str, operator: str, value: Scalar) -> Condition:
    if field in _COLUMNS:
        return _compare_column(field, operator, value)
    if operator == "=":
        return Condition("(d.facts @> %s::jsonb)", (json.dumps({write_text(field): [_comparable(value)]}),))
    return _compare_order(field, operator, value)


def _compare_column(field: str, operator: str, value: Scalar) -> Condition:
    if isinstance(value, str):
        comparable = field == "kind"
    else:
        comparable = field != "kind" and value is not None and not isinstance(value, bool)
    if not comparable:
        return NEVER
    kind = "text" if field == "kind" else "bigint" if isinstance(value, int) else "numeric"
    column = _COLUMNS[field] if kind != "numeric" else f"{_COLUMNS[field]}::numeric"
    return Condition(f"({column} {operator} %s::{kind})", (_written(value),))


def _written(value: Scalar) -> object:
    if isinstance(value, float):
        return json.dumps(_comparable(value))
    return write_text(value) if isinstance(value, str) else value


def _compare_order(field: str, operator: str, value: Scalar) -> Condition:
    members = "EXISTS (SELECT FROM jsonb_array_elements(d.facts -> %s::text) AS f(value) WHERE jsonb_typeof(f.value) ="
    if isinstance(value, str):
        # JSON's own order of text is that of the database's language.
        sql = f"{members} 'string' AND (f.value #>> '{{}}') COLLATE \"C\" {operator} %s::text)"
        return Condition(sql, (write_text(field), write_text(value)))
    sql = f"{members} 'number' AND f.value {operator} %s::jsonb)"
    return Condition(sql, (write_text(field), json.dumps(_comparable(value))))


def _exists(field: str) -> Condition:
    if field in _COLUMNS or field == "tags":
        return ALWAYS
    return Condition("(d.facts ? %s::text)", (write_text(field),))


def of_namespaces(selectors: Sequence[NamespaceSelector]) -> Condition:
    """Select documents of any of these namespaces."""
    return _joined(" OR ", [_of_namespace(selector) for selector in selectors], NEVER)


def _of_namespace(selector: NamespaceSelector) -> Condition:
    if not all(is_encodable(segment) for segment in selector.namespace):
        return NEVER
    key = write_namespace(selector.namespace)
    if selector.exact:
        return Condition("(d.ns = %s::text)", (key,))
    if not selector.namespace:
        return ALWAYS
    return Condition("(d.ns >= %s::text AND d.ns < %s::text)", (key, above(selector.namespace)))


def of_visibility(now: Ns, as_of: Ns | None) -> Condition:
    """Select current revisions, or those in force at ``as_of``; nothing that has expired."""
    # Every time that is stored is below the last one; what is asked for may be any int.
    now, as_of = min(now, _LAST), None if as_of is None else max(-_LAST, min(as_of, _LAST))
    alive = "(d.expires_at IS NULL OR d.expires_at > %s::bigint)"
    if as_of is None:
        return Condition(f"(d.past = 0 AND {alive})", (now,))
    known = "(d.ts <= %s::bigint AND d.visible_at <= %s::bigint AND d.superseded_at > %s::bigint"
    return Condition(f"{known} AND {alive})", (as_of, as_of, as_of, max(now, as_of)))


def of_query(query: Query, now: Ns) -> Condition:
    """Everything a query asks for but its words."""
    return both(of_visibility(now, query.as_of), of_namespaces(query.namespaces), of_filter(query.filter))
