"""Measuring side by side: what is compared is run in turn, round by round, and medians are compared."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec

import attrs


@attrs.frozen
class Budget:
    """What a figure is held to: at most (``ceiling``) or at least this much, of the figure or of the ratio."""

    limit: float
    unit: str
    ceiling: bool = True

    def __str__(self) -> str:
        return f"{'≤' if self.ceiling else '≥'} {number(self.limit)} {self.unit}"

    def holds(self, value: float) -> bool:
        """Say whether the value is inside the budget."""
        return value <= self.limit if self.ceiling else value >= self.limit


@attrs.frozen(kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        figure: what Gatehook's work costs, in ``unit``; ``None`` when nothing was measured, and ``note`` says why.
        against: the floor or peer; ``other`` is its figure, in the same unit.
        above: whether the budget is about the difference of the two.
        relative: whether the budget is about their ratio.
    """

    work: str
    figure: float | None = None
    unit: str = ""
    against: str = ""
    other: float | None = None
    budget: Budget | None = None
    above: bool = False
    relative: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure through that of the floor or peer: below 1 is cheaper, for a rate above 1 is faster."""
        return self.figure / self.other if self.figure is not None and self.other else None

    @property
    def met(self) -> bool | None:
        """Whether the budget is met; ``None`` without a budget."""
        if self.budget is None or self.figure is None:
            return None
        if self.relative:
            return self.ratio is not None and self.budget.holds(self.ratio)
        return self.budget.holds(self.figure - (self.other or 0.0) if self.above else self.figure)


def number(value: float) -> str:
    """Return a figure with three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def skipped(work: str, peer: str) -> Row | None:
    """Return the row of a peer that is not installed, ``None`` for one that is."""
    return None if find_spec(peer) else Row(work=work, against=peer, note=f"skipped: {peer} is not installed")


def medians(works: Mapping[str, Callable[[], float]], rounds: int) -> Mapping[str, float]:
    """Run each in turn, once to warm up and then ``rounds`` times; return the median of what each returned."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for counts in (False, *(rounds * (True,))):
        for name, work in works.items():
            gc.collect()
            figure = work()
            if counts:
                taken[name].append(figure)
    return {name: statistics.median(figures) for name, figures in taken.items()}


def side_by_side(
    works: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.process_time
) -> Mapping[str, float]:
    """Do what ``medians`` does with the seconds that each takes."""

    def timed(work: Callable[[], object]) -> float:
        begun = clock()
        work()
        return clock() - begun

    return medians({name: partial(timed, work) for name, work in works.items()}, rounds)


async def side_by_side_async(works: Mapping[str, Callable[[], Awaitable[object]]], rounds: int) -> Mapping[str, float]:
    """Do what ``side_by_side`` does with coroutines, in the event loop that runs, by the wall clock."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for counts in (False, *(rounds * (True,))):
        for name, work in works.items():
            gc.collect()
            begun = time.perf_counter()
            await work()
            if counts:
                taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
