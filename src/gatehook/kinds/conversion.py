"""What fields of domain types accept, beyond their own type."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from gatehook.kinds.amounts import exact


def exact_or_none(value: Decimal | str | int | None) -> Decimal | None:
    """Return ``exact(value)``, or ``None`` for ``None``."""
    return None if value is None else exact(value)


def as_tuple(values: Iterable[Any]) -> tuple[Any, ...]:
    """Freeze any iterable; the field's own type says of what."""
    return tuple(values)
