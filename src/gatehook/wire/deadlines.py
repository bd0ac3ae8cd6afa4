"""Deadlines of many requests under one timer: a cancel scope for each costs more than all the rest of a request."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from collections.abc import Iterable
from typing import Protocol

import anyio


class Pending(Protocol):
    """What waits: ``deadline`` is a moment of ``time.monotonic()``."""

    deadline: float

    def expire(self) -> None:
        """Stop waiting; called once its deadline has passed."""


class Deadlines:
    """Ends what waits for too long. Its owner keeps what waits, tells of each by ``expect``, and runs ``run``."""

    def __init__(self, pending: Callable[[], Iterable[Pending]]) -> None:
        """``pending`` returns all that waits; ``expire`` may take from it."""
        self._pending = pending
        self._next = math.inf
        self._sooner = anyio.Event()

    def expect(self, deadline: float) -> None:
        """Look at what waits at this moment, or before. Most deadlines are later than the next one anyway."""
        if deadline < self._next:
            self._next = deadline
            self._sooner.set()

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            now = time.monotonic()
            for one in [one for one in self._pending() if one.deadline <= now]:
                one.expire()
            self._next = min((one.deadline for one in self._pending()), default=math.inf)
            self._sooner = anyio.Event()
            with anyio.move_on_after(max(0.0, self._next - time.monotonic())):
                await self._sooner.wait()
