"""The settings of gatehook.toml."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from gatehook.config import Row
from gatehook.config import reference
from gatehook.config.settings import Shape
from generating.tables import cell_code
from generating.tables import prose
from generating.tables import table

_WRITTEN = {
    "limits.<scope>": '[limits."<entry>/<account>"]',
    "permissions.<rule>": "[[permissions]]",
    "memory.folders.<folder>": "[[memory.folders]]",
    "memory.news.<feed>": "[[memory.news]]",
    "memory.retention.<rule>": "[[memory.retention]]",
}
_HEADER = ("key", "value", "default", "what it does", "a change needs a restart")


def section() -> str:
    """Return one table for each section of the file, and for what stands beside them."""
    return "\n\n".join(_section(name, list(rows)) for name, rows in groupby(reference(), _section_of))


def _section_of(row: Row) -> str:
    return row.key.rpartition(".")[0]


def _section(name: str, rows: list[Row]) -> str:
    return f"### `{_WRITTEN.get(name, f'[{name}]')}`\n\n" + table(_HEADER, [_cells(row) for row in rows])


def _cells(row: Row) -> tuple[str, ...]:
    restart = "yes" if row.restart else "no"
    return (cell_code(row.key.rpartition(".")[2]), _shape(row), _default(row.default), prose(row.summary), restart)


def _shape(row: Row) -> str:
    if not row.choices:
        return prose(row.shape)
    words = ", ".join(map(cell_code, row.choices))
    return f"a list of {words}" if row.shape == Shape.CHOICES else words


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return cell_code(str(value).lower())
    if value in ([], {}, ()):
        return "empty"
    return prose(value) if isinstance(value, str) and " " in value else cell_code(value)
