"""Answers that are wrong in the way that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gatehook.testing.metaapi.faults import Fault
from gatehook.testing.metaapi.faults import Trouble
from gatehook.testing.metaapi.texts import write


def spoil(data: Any, troubles: Mapping[Fault, Trouble]) -> str:
    """Return the text of an answer, spoilt by the first fault that spoils."""
    if Fault.NOT_JSON in troubles:
        return "Internal Server Error"
    if Fault.NAN in troubles:
        return write(_replaced(data, lambda value: float("nan") if _is_number(value) else value))
    if Fault.WRONG_TYPES in troubles:
        return write(_of_wrong_types(data))
    if Fault.HUGE in troubles:
        return f'"{"x" * (troubles[Fault.HUGE].size - 2)}"'
    return write(data, indent=2)


def _of_wrong_types(data: Any) -> Any:
    if isinstance(data, list):
        return {str(index): one for index, one in enumerate(data)}
    return _replaced(data, lambda value: str(value) if _is_number(value) else 7 if value else value)


def _replaced(data: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(data, dict):
        return {name: _replaced(value, change) for name, value in data.items()}
    return [_replaced(one, change) for one in data] if isinstance(data, list) else change(data)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
