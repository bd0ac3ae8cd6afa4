"""Markdown from plain text: escaped words, code, tables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Final

_CODE: Final = re.compile(r"(`[^`]+`)")
_SPECIAL: Final = re.compile(r"([\\*_\[\]<>|{}])")


def prose(text: str) -> str:
    """Escape what Markdown would read as markup; spans in backticks stay code, double ones become single ones."""
    parts = _CODE.split(text.replace("``", "`"))
    return "".join(part if place % 2 else _SPECIAL.sub(r"\\\1", part) for place, part in enumerate(parts))


def code(text: object) -> str:
    """Return text as code."""
    return f"`{text}`"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace(chr(10), ' ') for cell in line)} |" for line in lines)


def cell_code(text: object) -> str:
    """Return text as code for a table's cell, where a bar must be escaped even inside code."""
    return code(str(text).replace("|", "\\|"))
