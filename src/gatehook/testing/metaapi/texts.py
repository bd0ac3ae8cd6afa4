"""JSON as the server reads and writes it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from typing import NoReturn


def read(text: bytes | str) -> Any:
    """Read JSON, numbers with a point as Decimal.

    Raises:
        ValueError: for anything else.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_no_number)


def write(value: Any, *, indent: int | None = None) -> str:
    """Write JSON; a Decimal becomes the number that JavaScript would write."""
    return json.dumps(value, indent=indent, default=_number, ensure_ascii=False)


def _number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return int(value) if value == value.to_integral_value() else float(value)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
