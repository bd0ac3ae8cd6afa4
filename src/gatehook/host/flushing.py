"""Waiting for vectors: it takes as long as it takes, so it is held to getting on, not to the deadline of a call."""

from __future__ import annotations

from typing import Final

import anyio
import attrs

from gatehook.host.port import Port
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryStats

#: A memory is asked in calls that end by themselves before the deadline of a call would end them.
_SHARE: Final = 0.8
#: So many of them in a row may see nothing happen.
_PATIENCE: Final = 3


@attrs.frozen
class _Filled:
    """How many vectors there are and how many texts wait; ``None`` where a memory does not tell."""

    vectors: int | None
    waiting: int | None

    @classmethod
    def of(cls, stats: MemoryStats) -> _Filled:
        found = (stats.details.get(name) for name in ("vectors", "vectors_waiting"))
        return cls(*(one if isinstance(one, int) else None for one in found))

    def is_beyond(self, before: _Filled) -> bool:
        """Say whether a text got its vector since; texts that were written meanwhile prove nothing."""
        more = self.vectors is not None and before.vectors is not None and self.vectors > before.vectors
        less = self.waiting is not None and before.waiting is not None and self.waiting < before.waiting
        return more or less


def longest(port: Port) -> float:
    """Return how many seconds a call may plan to take."""
    return _SHARE * port.timeout


async def flush_vectors(port: Port) -> None:
    """Return when no text of a memory waits for its vector.

    Raises:
        StorageUnavailable: when no text has got one for a while, or the embedder fails; what waits goes on waiting.
    """
    idle, before = 0, _Filled(None, None)
    while idle < _PATIENCE:
        provider: MemoryBackend = port.require()
        with anyio.move_on_after(longest(port)):
            await port.call(provider.flush, vectors=True)
            return
        now = _Filled.of(port.one(MemoryStats, "stats", await port.call(provider.stats, None)))
        idle = 0 if now.is_beyond(before) else idle + 1
        before = now
    raise StorageUnavailable(
        f"{port.owner.entry_id}: {_said(before.waiting)} for vectors, and none has got one within"
        f" {_PATIENCE * longest(port):g} s; searches go by words meanwhile, nothing is lost:"
        " see what the memory's health says of its embedder, mend that, and flush again"
    )


def _said(waiting: int | None) -> str:
    return "texts wait" if waiting is None else f"{waiting} texts wait"
