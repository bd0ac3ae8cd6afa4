"""What conditions are in PostgreSQL.

What filters ask about beyond the columns is one JSON object a row: a field's name, and the list of its values. JSON
keeps ``true`` from ``1`` and text from numbers, and takes ``1`` and ``1.0`` for the same, as the filters do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final
from typing import Literal

from gatehook.kinds.filters import Scalar
from gatehook.kinds.memory import MemoryDoc
from gatehook.memory.conditions import Compiler
from gatehook.memory.conditions import Condition
from gatehook.memory.postgres.texts import write_text


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


class _Postgres:
    def mark(self, type_: Literal["bigint", "text"]) -> str:
        return f"%s::{type_}"

    def compare_column(self, column: str, operator: str, value: str | float) -> Condition:
        if isinstance(value, str):
            return Condition(f"({column} {operator} %s::text)", (write_text(value),))
        if isinstance(value, int):
            return Condition(f"({column} {operator} %s::bigint)", (value,))
        return Condition(f"({column}::numeric {operator} %s::numeric)", (json.dumps(_comparable(value)),))

    def compare_fact(self, field: str, operator: str, value: Scalar) -> Condition:
        if operator == "=":
            return Condition("(d.facts @> %s::jsonb)", (json.dumps({write_text(field): [_comparable(value)]}),))
        members = "EXISTS (SELECT FROM jsonb_array_elements(d.facts -> %s::text) AS f(value)"
        if isinstance(value, str):
            # JSON's own order of text is that of the database's language.
            text = "(f.value #>> '{}') COLLATE \"C\""
            sql = f"{members} WHERE jsonb_typeof(f.value) = 'string' AND {text} {operator} %s::text)"
            return Condition(sql, (write_text(field), write_text(value)))
        sql = f"{members} WHERE jsonb_typeof(f.value) = 'number' AND f.value {operator} %s::jsonb)"
        return Condition(sql, (write_text(field), json.dumps(_comparable(value))))

    def has_fact(self, field: str) -> Condition:
        return Condition("(d.facts ? %s::text)", (write_text(field),))


COMPILER: Final = Compiler(_Postgres())
of_filter: Final = COMPILER.of_filter
of_namespaces: Final = COMPILER.of_namespaces
of_visibility: Final = COMPILER.of_visibility
