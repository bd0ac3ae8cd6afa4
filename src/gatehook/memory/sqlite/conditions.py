"""What conditions are in SQLite: what filters ask about beyond the columns is a row of ``facts`` for each value."""

from __future__ import annotations

from typing import Final
from typing import Literal

from gatehook.kinds.filters import Scalar
from gatehook.memory.conditions import Compiler
from gatehook.memory.conditions import Condition

_NULL, _BOOL, _NUMBER, _TEXT, EMPTY = range(5)


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


class _Sqlite:
    def mark(self, type_: Literal["bigint", "text"]) -> str:
        return "?"

    def compare_column(self, column: str, operator: str, value: str | float) -> Condition:
        return Condition(f"({column} {operator} ?)", (value,))

    def compare_fact(self, field: str, operator: str, value: Scalar) -> Condition:
        sql = f"EXISTS (SELECT 1 FROM facts WHERE rid = d.rid AND field = ? AND type = ? AND value {operator} ?)"  # noqa: S608  constants only
        return Condition(sql, (field, type_of(value), stored(value)))

    def has_fact(self, field: str) -> Condition:
        return Condition("EXISTS (SELECT 1 FROM facts WHERE rid = d.rid AND field = ?)", (field,))


COMPILER: Final = Compiler(_Sqlite())
of_filter: Final = COMPILER.of_filter
of_namespaces: Final = COMPILER.of_namespaces
of_visibility: Final = COMPILER.of_visibility
