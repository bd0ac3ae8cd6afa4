"""What a ranking is worth: nDCG@10, recall@10, the first right one's reciprocal rank; and how sure a mean is."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import attrs

DEPTH: Final = 10
_SEED: Final = 7
_RESAMPLES: Final = 2_000


def ndcg(ranked: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Return nDCG@10 of keys as they were ranked."""
    ideal = _gain(sorted(relevant.values(), reverse=True))
    return _gain([relevant.get(key, 0) for key in ranked]) / ideal if ideal else 0.0


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades[:DEPTH], start=1))


def recall(ranked: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Return how much of what is right is among the first ten."""
    return len(set(ranked[:DEPTH]) & set(relevant)) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranked: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Return 1 / the rank of the first right one among the first ten, 0 where there is none."""
    return next((1 / rank for rank, key in enumerate(ranked[:DEPTH], start=1) if key in relevant), 0.0)


@attrs.frozen
class Interval:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(values: Sequence[float]) -> Interval:
    """Return the mean of values with its bootstrap interval; the same values give the same interval."""
    if not values:
        return Interval(0.0, 0.0, 0.0)
    rng = random.Random(_SEED)
    count = len(values)
    means = sorted(sum(rng.choices(values, k=count)) / count for _ in range(_RESAMPLES))
    return Interval(sum(values) / count, means[round(0.025 * _RESAMPLES)], means[round(0.975 * _RESAMPLES) - 1])


def paired(after: Mapping[str, float], before: Mapping[str, float]) -> Interval:
    """Return how much better ``after`` is, query by query of those that both have."""
    return bootstrap([after[id_] - before[id_] for id_ in sorted(after.keys() & before.keys())])
