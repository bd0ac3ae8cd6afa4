"""What one look at a folder changed in the memory."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import attrs

from gatehook.kinds.memory import Progress

#: Is told how far it is.
Tell = Callable[[Progress], object]


@attrs.define
class Changes:
    """Paths below the folder. ``documents`` is how many were written; ``skipped`` has the reason with each path."""

    folder: str
    added: list[str] = attrs.field(factory=list)
    changed: list[str] = attrs.field(factory=list)
    removed: list[str] = attrs.field(factory=list)
    skipped: list[tuple[str, str]] = attrs.field(factory=list)
    documents: int = 0
    unreachable: str = ""

    def to_json(self) -> Mapping[str, Any]:
        """Return it as plain JSON values."""
        return {**attrs.asdict(self), "skipped": [{"path": path, "why": why} for path, why in self.skipped]}
