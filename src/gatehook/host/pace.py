"""How fast requests may leave: what plugins declare and configurations lower."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from typing import Final

import attrs

MINUTE: Final = 60.0


@attrs.frozen
class Pace:
    """How many requests may leave.

    Attributes:
        per_minute: the most that leave in any minute.
        burst: the most that leave at once, at most half of a minute's; ``None``: a tenth.
    """

    per_minute: int
    burst: int | None = None

    @property
    def capacity(self) -> int:
        """How many tokens are kept at most."""
        wanted = self.per_minute // 10 if self.burst is None else self.burst
        return max(1, min(wanted, self.per_minute // 2))

    @property
    def per_second(self) -> float:
        """How many tokens come in a second: with a full stock spent at once, a minute holds ``per_minute`` requests."""
        return (self.per_minute - self.capacity + 1) / MINUTE

    @property
    def reserve(self) -> int:
        """How many tokens reads leave for orders."""
        return self.capacity // 4 or min(1, self.capacity - 1)


def slowest(wanted: int | None, declared: Iterable[Any]) -> Pace | None:
    """Return the pace that holds for everything that kinds' capabilities declare, and what a configuration wants."""
    said = [(one.requests_per_minute, one.requests_burst) for one in declared if hasattr(one, "requests_per_minute")]
    rates = [rate for rate in (wanted, *(rate for rate, _ in said)) if rate is not None]
    bursts = [burst for _, burst in said if burst is not None]
    return Pace(min(rates), min(bursts, default=None)) if rates else None
