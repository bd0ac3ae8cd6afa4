"""How late the event loop is while it does some work, and the quantiles of what was measured."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from collections.abc import Sequence
from typing import TypeVar

import anyio

T = TypeVar("T")


async def lateness(work: Awaitable[T]) -> tuple[T, list[float]]:
    """Do some work; return what it returned, and by how many seconds a timer of a millisecond was late, each time."""
    late: list[float] = []

    async def probe() -> None:
        while True:
            begun = time.perf_counter()
            await anyio.sleep(0.001)
            late.append(time.perf_counter() - begun - 0.001)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(probe)
        result = await work
        tasks.cancel_scope.cancel()
    return result, late


def quantile(times: Sequence[float], part: float) -> float:
    """Return the time that so large a part, from 0 to 1, of all are below."""
    return sorted(times)[min(int(len(times) * part), len(times) - 1)]
