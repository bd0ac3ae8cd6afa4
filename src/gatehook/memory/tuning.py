"""How much meaning should count beside words, measured on queries whose right answers are known.

Nothing is written: the report says what another weight would gain, on queries that did not take part in choosing it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import Final
from typing import Protocol

import attrs

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes.embedding import LABELS_INVALID
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import SearchPage
from gatehook.memory.fusion import DENSE_WEIGHT
from gatehook.memory.fusion import WINDOW
from gatehook.memory.fusion import weights_of

#: The weights that are tried first; then the best one's surroundings.
_GRID: Final = tuple(step / 20 for step in range(21))
_FINE: Final = (-0.04, -0.03, -0.02, -0.01, 0.01, 0.02, 0.03, 0.04)
_DEPTH: Final = 10
_FEWEST: Final = 8


class Tunable(Protocol):
    """What of a memory is needed: a backend has it, and so has the gateway's handle."""

    async def search(self, query: Query) -> SearchPage:
        """Search."""

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Tell the weight in use, as ``dense_weight``."""


@attrs.frozen
class Labelled:
    """A query and what is right for it: the grade of each relevant document (0 and up), by id."""

    query: Query
    relevant: Mapping[str, float]


@attrs.frozen(kw_only=True)
class TuneReport:
    """What was measured, as nDCG@10 from 0 to 1.

    Attributes:
        queries, held_out: how many queries chose the weight, and how many only judged it.
        now, best: the dense weight in use, and the best one.
        chosen_on, held_out_now, held_out_best: quality at ``best`` on the queries that chose it; at both weights on
            those held out.
        curve: the quality at each weight that was tried, on the queries that chose.
        worth_it: the held-out queries gain too.
        degraded: why the measurement is of words only, if it is.
    """

    queries: int
    held_out: int
    now: float
    best: float
    chosen_on: float
    held_out_now: float
    held_out_best: float
    curve: tuple[tuple[float, float], ...]
    worth_it: bool
    degraded: tuple[str, ...] = ()

    @property
    def gain(self) -> float:
        """What the best weight gains on the queries that did not choose it."""
        return self.held_out_best - self.held_out_now


@attrs.frozen
class _Judged:
    """A query's candidates as (normalised lexical, normalised vector, grade), and all its grades."""

    candidates: tuple[tuple[float, float, float], ...]
    grades: tuple[float, ...]


async def tune(memory: Tunable, labelled: Sequence[Labelled]) -> TuneReport:
    """Search each query once and find the dense weight with the best nDCG@10; every second query is held out.

    Searching is all that is done to the memory, and no configuration is written.

    Raises:
        UnsupportedCapability: when the memory has no hybrid search.
        GatehookError: ``memory.labels-invalid``, when there are too few queries to tell.
    """
    if len(labelled) < _FEWEST:
        raise GatehookError(
            LABELS_INVALID(where="the labelled queries", reason=f"{len(labelled)} are too few; {_FEWEST} is the least")
        )
    now = float((await memory.stats()).details.get("dense_weight") or DENSE_WEIGHT)
    judged, degraded = [], set[str]()
    for one in labelled:
        found, reasons = await _judge(memory, one)
        judged.append(found)
        degraded.update(reasons)
    chosen, held = judged[::2], judged[1::2]
    curve = {weight: _mean(chosen, weight) for weight in _GRID}
    near = max(curve, key=lambda weight: (curve[weight], -abs(weight - now)))
    curve |= {weight: _mean(chosen, weight) for weight in _around(near)}
    best = max(curve, key=lambda weight: (round(curve[weight], 9), -abs(weight - now)))
    before, after = _mean(held, now), _mean(held, best)
    return TuneReport(
        queries=len(chosen),
        held_out=len(held),
        now=now,
        best=best,
        chosen_on=curve[best],
        held_out_now=before,
        held_out_best=after,
        curve=tuple(sorted(curve.items())),
        worth_it=after > before,
        degraded=tuple(sorted(degraded)),
    )


def _around(weight: float) -> list[float]:
    return [round(weight + step, 2) for step in _FINE if 0 <= weight + step <= 1]


async def _judge(memory: Tunable, one: Labelled) -> tuple[_Judged, tuple[str, ...]]:
    query = attrs.evolve(one.query, mode=SearchMode.HYBRID, explain=True, limit=2 * WINDOW, cursor=None)
    page = await memory.search(query)
    if page.mode_used is not SearchMode.HYBRID and not page.degraded:
        raise UnsupportedCapability("this memory answered without vectors; there is nothing to weigh")
    candidates = tuple(
        (
            hit.parts.get("lexical_normalised", 0.0),
            hit.parts.get("vector_normalised", 0.0),
            one.relevant.get(hit.stored.doc.id, 0.0),
        )
        for hit in page.hits
    )
    return _Judged(candidates, tuple(sorted(one.relevant.values(), reverse=True))), page.degraded


def _mean(judged: Sequence[_Judged], weight: float) -> float:
    return sum(_quality(one, weight) for one in judged) / len(judged) if judged else 0.0


def _quality(one: _Judged, dense: float) -> float:
    weights = weights_of(dense)
    ranked = sorted(one.candidates, key=lambda found: -(weights["lexical"] * found[0] + weights["vector"] * found[1]))
    ideal = _discounted(one.grades)
    # A query without an answer is right when nothing that is found is called relevant: it cannot tell weights apart.
    return _discounted([grade for *_, grade in ranked]) / ideal if ideal else 1.0


def _discounted(grades: Sequence[float]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades[:_DEPTH], start=1))


def read_labelled(path: Path) -> list[Labelled]:
    """Read labelled queries, one JSON object a line: ``{"text": …, "relevant": ["id", …] or {"id": grade, …}}``, and if
    wanted ``"namespace": ["agent", …]`` to search in.

    Raises:
        GatehookError: ``memory.labels-invalid``, with the line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GatehookError(LABELS_INVALID(where=str(path), reason=f"it cannot be read: {error}", path=path)) from None
    return [_labelled(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _labelled(path: Path, number: int, line: str) -> Labelled:
    try:
        row: Any = json.loads(line)
        selector = NamespaceSelector(namespace=tuple(row.get("namespace", ())))
        query = Query(text=_text(row["text"]), namespaces=(selector,), timeout=30.0)
        return Labelled(query, _grades(row["relevant"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        where = f"line {number} of {path}"
        raise GatehookError(LABELS_INVALID(where=where, reason=reason, path=path, line=number)) from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text is no text")
    return value


def _grades(value: Any) -> dict[str, float]:
    grades = value.items() if isinstance(value, dict) else ((id_, 1.0) for id_ in value)
    found = {_text(id_): float(grade) for id_, grade in grades}
    if isinstance(value, str) or any(not 0 <= grade < math.inf for grade in found.values()):
        raise ValueError("relevant is a list of ids, or the grade of each, 0 and up")
    return found
