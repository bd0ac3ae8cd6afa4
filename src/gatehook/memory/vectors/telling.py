"""What a memory with vectors tells of itself beside what it tells as a memory of words."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.memory.embedding.embedder import Embedder
from gatehook.memory.vectors.store import Filling
from gatehook.memory.vectors.store import Space


def health_with(health: Health, reasons: Sequence[str]) -> Health:
    """Return the health of a memory whose searches lack what ``reasons`` say, if any; one that is down stays so."""
    if health.status is HealthStatus.DOWN or not reasons:
        return health
    return Health(status=HealthStatus.DEGRADED, reasons=(*health.reasons, *reasons))


def stats_with(stats: MemoryStats, embedder: Embedder, dense_weight: float) -> MemoryStats:
    """Add whose vectors there are, and what they count for."""
    details: dict[str, str | float] = {"embedder": str(embedder.identity), "dense_weight": dense_weight}
    if embedder.caveat:
        details["embedder_caveat"] = embedder.caveat
    return attrs.evolve(stats, details={**stats.details, **details})


def stats_of(stats: MemoryStats, space: Space, filling: Filling) -> MemoryStats:
    """Add how far a space is."""
    details = {
        "vectors": filling.vectors,
        "vectors_waiting": filling.waiting,
        "vectors_refused": filling.refused,
        "vectors_searched": space.active,
    }
    return attrs.evolve(stats, details={**stats.details, **details})
