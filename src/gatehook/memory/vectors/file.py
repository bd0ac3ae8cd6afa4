"""The two ways to a memory's file, for what works beside the memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any
from typing import TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class VectorFile:
    """Reads and writes of the memory that owns the file; both raise ``Closed`` when it is closed."""

    def __init__(
        self, read: Callable[[Work[Any]], Awaitable[Any]], write: Callable[[Work[Any]], Awaitable[Any]]
    ) -> None:
        self._to_read = read
        self._to_write = write

    async def read(self, work: Work[T]) -> T:
        """Run a read in a thread."""
        result: T = await self._to_read(work)
        return result

    async def write(self, work: Work[T]) -> T:
        """Run a write in the writer's transaction."""
        result: T = await self._to_write(work)
        return result
