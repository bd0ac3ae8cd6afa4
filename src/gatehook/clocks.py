"""The clocks of the gateway: the machine's own, and the one whose market time a replay moves."""

from __future__ import annotations

import time

import anyio

from gatehook.kinds.times import Ns


class SystemClock:
    """Market time is the machine's time."""

    def now(self) -> Ns:
        """Return market time in nanoseconds UTC."""
        return time.time_ns()

    def wall(self) -> Ns:
        """Return the machine's time in nanoseconds UTC."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Return seconds of a clock that never jumps."""
        return time.monotonic()


class ReplayClock(SystemClock):
    """Market time stands still until the replay advances it; wall and monotonic time are the machine's.

    A replay waits for ``start()``, so that whoever builds the gateway decides when everything is ready for the first
    price.
    """

    def __init__(self, start: Ns = 0) -> None:
        self._now = start
        self._started = anyio.Event()

    def now(self) -> Ns:
        """Return the replay's time in nanoseconds UTC."""
        return self._now

    def advance(self, to: Ns) -> None:
        """Set market time to ``to``. Time never goes back: an earlier ``to`` changes nothing."""
        self._now = max(self._now, to)

    @property
    def is_started(self) -> bool:
        """Whether replays may run."""
        return self._started.is_set()

    def start(self) -> None:
        """Let replays run."""
        self._started.set()

    async def started(self) -> None:
        """Wait for ``start()``."""
        await self._started.wait()
