"""Data on stdout, everything else on stderr: documents, streams of JSON lines, tables, notes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

#: The version of every document that ``--json`` prints; it rises when a field changes its meaning or goes away.
SCHEMA_VERSION: Final = 1


def write_document(data: Mapping[str, Any]) -> None:
    """Print the one JSON document of a command."""
    document = data if "schemaVersion" in data else {"schemaVersion": SCHEMA_VERSION, **data}
    _write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def write_line(data: Mapping[str, Any]) -> None:
    """Print one item of a stream as a line of JSON, at once."""
    _write(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")


def write_text(text: str) -> None:
    """Print a line of text."""
    _write(printable(text) + "\n")


def note(text: str) -> None:
    """Say something on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def printable(text: str) -> str:
    """Return text that cannot move the cursor or colour the terminal: control characters become ``?``."""
    return "".join(one if one.isprintable() or one == "\n" else "?" for one in text.replace("\t", " "))


def write_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print rows under their columns: drawn with rich on a terminal, aligned with spaces elsewhere.

    ``empty`` is said on stderr when there are no rows: the next command, best.
    """
    cells = [["" if cell is None else printable(str(cell)) for cell in row] for row in rows]
    if not cells:
        note(empty)
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        _draw(columns, cells)
    else:
        widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
        for row in ([name.upper() for name in columns], *cells):
            _write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


def _draw(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=sys.stdout).print(table)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
