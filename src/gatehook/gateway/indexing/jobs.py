"""Indexing that somebody asked for: done by the indexer's own task, followed by whoever asked, as long as they want."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path

import anyio

from gatehook.gateway.indexing.changes import Changes
from gatehook.gateway.indexing.changes import Tell
from gatehook.kinds.memory import Progress


class Job:
    """One request. It goes on when nobody follows it any more."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._progress: Progress | None = None
        self._changed = anyio.Event()
        self._outcome: tuple[Changes, ...] | Exception | None = None

    async def do(self, index: Callable[[Sequence[Path], Tell], Awaitable[tuple[Changes, ...]]]) -> None:
        """Do it; what it raises is for who follows it."""
        try:
            self._outcome = await index(self._paths, self._tell)
        except Exception as error:  # noqa: BLE001  handed to who asked, who raises it
            self._outcome = error
        self._wake()

    def _tell(self, progress: Progress) -> None:
        self._progress = progress
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def follow(self) -> AsyncIterator[Progress | Changes]:
        """Yield how far it is, the newest only, and then what changed in each folder.

        Raises:
            GatehookError: what indexing raised; ProviderError and OSError as well.
        """
        told: Progress | None = None
        while self._outcome is None:
            if self._progress is None or self._progress is told:
                await self._changed.wait()
            else:
                told = self._progress
                yield told
        if isinstance(self._outcome, Exception):
            raise self._outcome
        for one in self._outcome:
            yield one
