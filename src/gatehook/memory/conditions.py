"""Filters, namespaces and times as SQL with parameters: no text of a query or a filter is ever SQL.

One walk for every engine with SQL; what an engine writes differently is its dialect.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final
from typing import Literal
from typing import Protocol

import attrs

from gatehook.kinds import filters
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import Scalar
from gatehook.kinds.filters import is_encodable
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.times import Ns
from gatehook.memory.scope import above
from gatehook.memory.scope import write_namespace

#: The fields that are columns of their own; all others are facts.
_COLUMNS: Final = {"ts": "d.ts", "available_at": "d.available_at", "kind": "d.kind"}
_ORDERS: Final[Mapping[type, str]] = {filters.Lt: "<", filters.Le: "<=", filters.Gt: ">", filters.Ge: ">="}
# Every time that is stored is below the last one; what is asked for may be any int.
_LAST: Final = (1 << 63) - 2
_Comparison = filters.Eq | filters.Ne | filters.Lt | filters.Le | filters.Gt | filters.Ge | filters.In | filters.Exists


@attrs.frozen
class Condition:
    """A piece of SQL over ``docs d`` and its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()


ALWAYS: Final = Condition("true")
NEVER: Final = Condition("false")


class Dialect(Protocol):
    """What an engine writes in its own way."""

    def mark(self, type_: Literal["bigint", "text"]) -> str:
        """Return what stands for a parameter of a type."""

    def compare_column(self, column: str, operator: str, value: str | float) -> Condition:
        """Compare a column with a value that it can be compared with."""

    def compare_fact(self, field: str, operator: str, value: Scalar) -> Condition:
        """Select documents with a member of a field (``meta.…``, ``tags``) of the value's type that compares so."""

    def has_fact(self, field: str) -> Condition:
        """Select documents that have a key of ``meta``, with whatever value."""


def both(*conditions: Condition) -> Condition:
    """All of these."""
    return _joined(" AND ", conditions, ALWAYS)


def _joined(word: str, conditions: Sequence[Condition], neutral: Condition) -> Condition:
    if not conditions:
        return neutral
    sql = word.join(one.sql for one in conditions)
    return Condition(f"({sql})", tuple(value for one in conditions for value in one.parameters))


def _negated(condition: Condition) -> Condition:
    return Condition(f"NOT {condition.sql}", condition.parameters)


@attrs.frozen
class Compiler:
    """Writes what documents are asked for in a dialect."""

    dialect: Dialect

    def of_query(self, query: Query, now: Ns) -> Condition:
        """Everything a query asks for but its words."""
        visible = self.of_visibility(now, query.as_of)
        return both(visible, self.of_namespaces(query.namespaces), self.of_filter(query.filter))

    def of_filter(self, filter_: Filter | None) -> Condition:
        """Compile a filter that ``check_filter`` let pass."""
        if filter_ is None:
            return ALWAYS
        if isinstance(filter_, filters.And):
            return _joined(" AND ", [self.of_filter(part) for part in filter_.filters], ALWAYS)
        if isinstance(filter_, filters.Or):
            return _joined(" OR ", [self.of_filter(part) for part in filter_.filters], NEVER)
        if isinstance(filter_, filters.Not):
            return _negated(self.of_filter(filter_.filter))
        return self._of_comparison(filter_)

    def _of_comparison(self, filter_: _Comparison) -> Condition:
        match filter_:
            case filters.Exists(field):
                return ALWAYS if field in _COLUMNS or field == "tags" else self.dialect.has_fact(field)
            case filters.In(field, values):
                return _joined(" OR ", [self._compare(field, "=", value) for value in values], NEVER)
            case filters.Eq(field, value):
                return self._compare(field, "=", value)
            case filters.Ne(field, value):
                return _negated(self._compare(field, "=", value))
        return self._compare(filter_.field, _ORDERS[type(filter_)], filter_.value)

    def _compare(self, field: str, operator: str, value: Scalar) -> Condition:
        if field not in _COLUMNS:
            return self.dialect.compare_fact(field, operator, value)
        if value is None or isinstance(value, bool) or isinstance(value, str) != (field == "kind"):
            return NEVER
        return self.dialect.compare_column(_COLUMNS[field], operator, value)

    def of_namespaces(self, selectors: Sequence[NamespaceSelector]) -> Condition:
        """Select documents of any of these namespaces."""
        return _joined(" OR ", [self._of_namespace(selector) for selector in selectors], NEVER)

    def _of_namespace(self, selector: NamespaceSelector) -> Condition:
        if not all(is_encodable(segment) for segment in selector.namespace):
            return NEVER
        key, text = write_namespace(selector.namespace), self.dialect.mark("text")
        if selector.exact:
            return Condition(f"(d.ns = {text})", (key,))
        if not selector.namespace:
            return ALWAYS
        return Condition(f"(d.ns >= {text} AND d.ns < {text})", (key, above(selector.namespace)))

    def of_visibility(self, now: Ns, as_of: Ns | None) -> Condition:
        """Select current revisions, or those in force at ``as_of``; nothing that has expired."""
        now, as_of = min(now, _LAST), None if as_of is None else max(-_LAST, min(as_of, _LAST))
        time = self.dialect.mark("bigint")
        alive = f"(d.expires_at IS NULL OR d.expires_at > {time})"
        if as_of is None:
            return Condition(f"(d.past = 0 AND {alive})", (now,))
        known = f"d.ts <= {time} AND d.visible_at <= {time} AND d.superseded_at > {time}"
        return Condition(f"({known} AND {alive})", (as_of, as_of, as_of, max(now, as_of)))
