"""How often an entry may fail, and how long it waits before it tries again."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from gatehook.config.model import SupervisionSection


class FailureBudget:
    """Counts failures of provider code within a window; being disconnected is none."""

    def __init__(self, settings: SupervisionSection, now: Callable[[], float]) -> None:
        self._limit = settings.quarantine_failures
        self._window = settings.quarantine_window
        self._now = now
        self._times: deque[float] = deque(maxlen=self._limit)

    def count(self) -> None:
        """Count one failure, now."""
        self._times.append(self._now())

    @property
    def failures(self) -> int:
        """How many failures lie within the window."""
        oldest = self._now() - self._window
        return sum(1 for time in self._times if time >= oldest)

    @property
    def spent(self) -> bool:
        """Whether the entry belongs into quarantine."""
        return self.failures >= self._limit

    def clear(self) -> None:
        """Forget every failure: somebody asked for a restart."""
        self._times.clear()


class Backoff:
    """Full jitter: a wait between zero and a bound that doubles with every failure, up to the cap."""

    def __init__(self, settings: SupervisionSection, chance: random.Random | None = None) -> None:
        self._base = settings.backoff_base
        self._cap = settings.backoff_cap
        self._chance = chance or random.Random()  # noqa: S311  jitter is no secret
        self._attempt = 0

    @property
    def bound(self) -> float:
        """The longest that the next wait can be, in seconds."""
        return float(min(self._cap, self._base * 2 ** min(self._attempt, 30)))

    def next(self) -> float:
        """Return the next wait in seconds."""
        wait = self._chance.uniform(0, self.bound)
        self._attempt += 1
        return wait

    def reset(self) -> None:
        """Begin again at the base: it worked for long enough."""
        self._attempt = 0
