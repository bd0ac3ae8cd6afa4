"""How far each memory is with something that is read in order: a journal, the audit, a feed. In a file of its own."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Generic
from typing import TypeVar

import anyio
import anyio.to_thread

#: A number, or the cursor of a feed.
Position = TypeVar("Position", int, str)


async def _believe(_: object) -> bool:
    return True


class Positions(Generic[Position]):
    """Positions by name, kept over restarts. One that is lost means from the start, which is harmless: what is there
    already is written as it is there. So a position is noted after the memory has the documents, never before.
    """

    def __init__(
        self, path: Path, kind: type[Position], holds: Callable[[Position], Awaitable[bool]] = _believe
    ) -> None:
        """Use the file at ``path``. Positions of another ``kind``, or that do not ``holds``, are as if not there."""
        self._path = path
        self._kind: type[Position] = kind
        self._holds: Callable[[Position], Awaitable[bool]] = holds
        self._known: dict[str, Position] | None = None
        self._turn = anyio.Lock()

    async def get(self, name: str, default: Position) -> Position:
        """Return how far one is."""
        async with self._turn:
            return (await self._all()).get(name, default)

    async def set(self, name: str, position: Position) -> None:
        """Note how far one is.

        Raises:
            OSError: it cannot be written down; it is known until the process ends.
        """
        async with self._turn:
            known = await self._all()
            known[name] = position
            await anyio.to_thread.run_sync(_write, self._path, dict(known))

    async def _all(self) -> dict[str, Position]:
        if self._known is None:
            found = await anyio.to_thread.run_sync(_read, self._path)
            fitting = {name: one for name, one in found.items() if type(one) is self._kind}
            self._known = {name: one for name, one in fitting.items() if await self._holds(one)}
        return self._known


def _read(path: Path) -> dict[str, Any]:
    """Read a file; one that is missing or damaged is empty."""
    try:
        return dict(json.loads(path.read_text("utf-8")).items())
    except (OSError, ValueError, AttributeError):
        return {}


def _write(path: Path, positions: Mapping[str, object]) -> None:
    temporary = path.with_suffix(".new")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(positions), "utf-8")
    temporary.replace(path)
