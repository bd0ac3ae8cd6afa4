"""A circuit breaker: after a run of failures calls fail fast, and now and then one goes through as a probe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

#: Failures in a row that open a breaker.
THRESHOLD: Final = 5
FIRST_REST: Final = 1.0
LONGEST_REST: Final = 30.0


class Breaker:
    """One circuit. ``closed`` is the usual state; the fields are read on every call and therefore plain."""

    __slots__ = ("_now", "_rest", "_until", "failures")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until = 0.0
        self._rest = FIRST_REST
        self.failures = 0

    @property
    def is_open(self) -> bool:
        """Whether the run of failures has reached the threshold."""
        return self.failures >= THRESHOLD

    def admits(self) -> bool:
        """Say whether a call may go through. While open, one call a rest may: it is the probe."""
        if self.failures < THRESHOLD:
            return True
        now = self._now()
        if now < self._until:
            return False
        self._until = now + self._rest
        return True

    def succeeded(self) -> None:
        """Close: the provider answered."""
        if self.failures:
            self.failures = 0
            self._rest = FIRST_REST

    def failed(self) -> None:
        """Count a failure; from the threshold on, rest twice as long after each."""
        self.failures += 1
        if self.failures >= THRESHOLD:
            if self.failures > THRESHOLD:
                self._rest = min(LONGEST_REST, self._rest * 2)
            self._until = self._now() + self._rest

    @property
    def rest(self) -> float:
        """Seconds until the next probe."""
        return max(0.0, self._until - self._now())
