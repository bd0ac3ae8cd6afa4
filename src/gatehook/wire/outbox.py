"""Lines on their way out: written at once where the other side takes them, else put together and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import anyio


class Writing(Protocol):
    """Where bytes go. One that also has ``write_some`` is written to without a task between."""

    async def send(self, item: bytes, /) -> None:
        """Write all of it."""


class Outbox:
    """Numbers each line as it comes; ``has_left`` says whether a byte of it may be at the other side."""

    def __init__(
        self, writing: Writing, limit: int, *, crowded: Callable[[], bool], broken: Callable[[], None]
    ) -> None:
        """Prepare.

        Args:
            writing: where lines go; ``write_some(data) -> int`` writes what it takes now, and never waits.
            limit: bytes that wait before ``is_full``.
            crowded: whether more lines will come in this turn of the loop: those are written together.
            broken: called when the other side no longer reads.
        """
        self._writing = writing
        self._write_some: Callable[[bytes], int] | None = getattr(writing, "write_some", None)
        self._limit = limit
        self._crowded = crowded
        self._broken = broken
        self._lines: dict[int, bytes] = {}
        self._rest = b""
        self._under_way = 0
        self._waiting = 0
        self._frames = 0
        self._left = 0
        self._is_gathering = False
        self._work = anyio.Event()
        self._room = anyio.Event()

    def __len__(self) -> int:
        """Return how many lines have not left."""
        return len(self._lines)

    @property
    def is_full(self) -> bool:
        """Whether senders shall wait."""
        return self._waiting + self._under_way > self._limit

    def has_left(self, frame: int) -> bool:
        """Say whether a byte of a line may be at the other side."""
        return 0 <= frame <= self._left

    async def room(self) -> None:
        """Wait until something was written, or ``let_go`` is called."""
        if self._room.is_set():
            self._room = anyio.Event()
        await self._room.wait()

    def let_go(self) -> None:
        """Let nobody wait for room any more."""
        self._room.set()

    def put(self, line: bytes) -> int:
        """Take a line; return its number."""
        self._frames += 1
        if self._is_gathering or self._under_way or not self._written_at_once(line):
            self._lines[self._frames] = line
            self._waiting += len(line)
            self._work.set()
        return self._frames

    def _written_at_once(self, line: bytes) -> bool:
        if self._write_some is None:
            return False
        try:
            written = self._write_some(line)
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._left = self._frames
            self._broken()
            return True
        if not written:
            return False
        self._left = self._frames
        if written < len(line):
            self._rest = line[written:]
            self._under_way = len(self._rest)
            self._work.set()
        elif self._crowded():
            self._is_gathering = True
            self._work.set()
        return True

    def take_back(self, frame: int) -> bool:
        """Take a line back that has not left; say whether it had not."""
        line = self._lines.pop(frame, None)
        if line is not None:
            self._waiting -= len(line)
        return line is not None

    async def run(self) -> None:
        """Write what waits, until cancelled or the other side no longer reads."""
        while True:
            while not self._lines and not self._rest:
                self._is_gathering = False
                self._work = anyio.Event()
                await self._work.wait()
            data = b"".join((self._rest, *self._lines.values()))
            self._left, self._under_way = self._frames, len(data)
            self._rest, self._waiting = b"", 0
            self._lines.clear()
            try:
                await self._writing.send(data)
            except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                self._broken()
                return
            self._under_way = 0
            self._room.set()
