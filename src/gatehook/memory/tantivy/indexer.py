"""The task that brings what is written into the index, some hundred milliseconds later, many writes at once."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs

from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.memory import Progress
from gatehook.memory.sqlite.writer import transaction
from gatehook.memory.tantivy.builds import Builds
from gatehook.memory.tantivy.engine import IndexFault
from gatehook.memory.tantivy.queue import State
from gatehook.memory.tantivy.queue import settle

_PATIENCE: Final = 30.0
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 30.0

Settle = Callable[[Callable[[sqlite3.Connection], None]], Awaitable[None]]


@attrs.frozen(kw_only=True)
class Pace:
    """How writes are gathered.

    Attributes:
        window: seconds from a write to the commit that brings it into the index.
        pending: with so many changes that are not in the index, a write waits for a commit.
        chars: with so many characters likewise.
        heap: bytes that tantivy gathers documents in.
    """

    window: float = 0.2
    pending: int = 4_000
    chars: int = 16_000_000
    heap: int = 64_000_000


class Indexer:
    """Follows the queue. Its methods are for the event loop, but ``begin``."""

    def __init__(self, path: Path, pace: Pace, write: Settle) -> None:
        self._pace = pace
        self._write = write
        self._builds = Builds(path, pace.heap)
        self._thread = anyio.CapacityLimiter(1)
        self._last = 0
        self._upto = 0
        self._sizes: deque[tuple[int, int]] = deque()
        self._chars = 0
        self._wake = anyio.Event()
        self._urgent = anyio.Event()
        self._moved = anyio.Event()
        self._ended: anyio.Event | None = None
        self._stopping = False
        self._pause = 0.0
        self.fault: str | None = None

    # --- life

    def begin(self, connection: sqlite3.Connection) -> None:
        """Open the build that belongs to the rows, or begin another; in a thread, before ``run``."""
        try:
            self._builds.begin(connection)
            with transaction(connection):
                settle(connection, self._builds.state)
        except IndexFault as error:
            self._failed(str(error))
        self._upto, self._last = self._builds.reach(connection)

    async def run(self) -> None:
        """Bring in what is written until ``stop``."""
        self._ended = anyio.Event()
        if self._last > self._upto:
            self._wake.set()
        try:
            while not self._stopping:
                await self._wait()
                if not self._stopping:
                    await self._cycle()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._builds.close, limiter=self._thread)
            self._ended.set()
            self._tell()

    async def stop(self) -> None:
        """End ``run`` when the commit under way is done; what is in the queue stays there. Idempotent."""
        self._stopping = True
        self._wake.set()
        self._urgent.set()
        with anyio.CancelScope(shield=True):
            if self._ended is None:
                await anyio.to_thread.run_sync(self._builds.close, limiter=self._thread)
            else:
                await self._ended.wait()

    # --- what others tell and ask

    def note(self, last: int) -> None:
        """Take notice of a committed write, and of the number of its last change."""
        self._last = max(self._last, last)
        self._wake.set()

    def weigh(self, chars: int) -> None:
        """Take notice of how long the texts of the writes up to now are."""
        self._sizes.append((self._last, chars))
        self._chars += chars

    def doubt(self, build: str, fault: IndexFault) -> None:
        """Take notice of a build that could not be read; if it cannot be, another one is made of the rows."""
        if self._builds.doubt(build, certain=fault.damaged):
            self.fault = str(fault)
            self._wake.set()

    async def room(self, factor: int = 1) -> None:
        """Wait until fewer changes are pending than allowed; not for an index that is being built or failing."""
        with anyio.move_on_after(_PATIENCE):
            while self._is_full(factor) and not (self.fault or self._stopping):
                await self._next()

    async def flush(self) -> None:
        """Return when everything that was written before is in the index on disk.

        Raises:
            StorageUnavailable: when it cannot be brought in now.
        """
        target = self._last
        while self._upto < target or self._builds.is_copying:
            self._check()
            await self._next()
        self._check()

    async def rebuild(self) -> AsyncIterator[Progress]:
        """Make another build of the rows while searches go on, and put it in the place of this one.

        Raises:
            StorageUnavailable: when it cannot be made now; the build that there was stays.
        """
        wanted = self._builds.ask_for_another()
        while not self._builds.has_made(wanted):
            self._check()
            await self._next()
            yield self._builds.progress

    # --- its own

    def _check(self) -> None:
        if self.fault is not None or self._stopping:
            raise StorageUnavailable(f"the index cannot be written: {self.fault or 'this memory is closing'}")

    def _is_full(self, factor: int) -> bool:
        pace = self._pace
        return self._last - self._upto > factor * pace.pending or self._chars > factor * pace.chars

    async def _next(self) -> None:
        """Ask for a commit at once, and wait until the next one is made or has failed."""
        moved = self._moved
        self._wake.set()
        self._urgent.set()
        await moved.wait()

    def _tell(self) -> None:
        self._moved.set()
        self._moved = anyio.Event()

    async def _wait(self) -> None:
        if self._pause:
            with anyio.move_on_after(self._pause):
                while not self._stopping:
                    await self._urgent.wait()
                    self._urgent = anyio.Event()
        elif not self._builds.is_busy:
            await self._wake.wait()
            with anyio.move_on_after(self._pace.window):
                await self._urgent.wait()
        else:
            await anyio.lowlevel.checkpoint()
        if not self._stopping:
            self._wake, self._urgent = anyio.Event(), anyio.Event()

    async def _cycle(self) -> None:
        try:
            state = await anyio.to_thread.run_sync(self._builds.step, limiter=self._thread)
            await self._write(partial(settle, state=state))
            await anyio.to_thread.run_sync(self._builds.tidy, state, limiter=self._thread)
        except (IndexFault, ProviderError, sqlite3.Error) as error:
            self._failed(str(error))
        else:
            self._went_well(state)
        self._tell()

    def _went_well(self, state: State) -> None:
        self._upto = state.upto
        while self._sizes and self._sizes[0][0] <= state.upto:
            self._chars -= self._sizes.popleft()[1]
        self.fault, self._pause = None, 0.0
        if self._last > self._upto:
            self._wake.set()

    def _failed(self, why: str) -> None:
        self.fault = why
        self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
