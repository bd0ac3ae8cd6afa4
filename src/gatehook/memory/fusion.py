"""One order out of two: what was found by words and what was found by meaning, the same in every memory with both.

Each leg brings a fixed window of candidates, its best ones. Raw strengths are of different scales, so each leg's are
brought to [0, 1] within its window before they are added with weights; what a leg did not find counts 0 there. A leg
counts as far as its best is a match by itself: how much of the query words cover, how near the nearest text is. Nothing
is ever left out because one leg did not find it. Behind the window only words find: those hits follow with what is
below ``TAIL``.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final
from typing import Generic
from typing import TypeVar

import attrs

K = TypeVar("K")

#: So many candidates each leg brings, however long the page is: scores do not depend on where a page begins.
WINDOW: Final = 100
#: What counts, by default, of a document's score is its meaning; the rest is its words.
DENSE_WEIGHT: Final = 0.4
#: Half of a query is found by words more easily than half of what it means: words that cover it so far count less.
DOUBT: Final = 1.5
#: What is in no window scores less than this, what is in one no less.
TAIL: Final = 0.05
#: How fast a rank loses its worth where a leg has nothing but ranks; 60, as often used, was worse than words alone.
RANK_CONSTANT: Final = 10


@attrs.frozen
class Leg(Generic[K]):
    """One way of finding.

    Attributes:
        name: ``lexical`` or ``vector``; the names of a hit's ``parts`` begin with it.
        weight: its share of the score, from 0 to 1.
        found: keys with their raw strength (``None`` where the engine tells only the order), the best first.
        least: the strength of what does not match at all: where the window is not full, the scale begins there.
        trust: what the best of the leg is worth, from 0 to 1; all of its scale is worth that much.
    """

    name: str
    weight: float
    found: Sequence[tuple[K, float | None]]
    least: float = 0.0
    trust: float = 1.0


@attrs.frozen
class Part:
    """What one leg said of a candidate: its rank from 1, its raw strength, and the strength brought to [0, 1]."""

    rank: int
    raw: float | None
    normalised: float


@attrs.frozen
class Fused:
    """A candidate's score in [0, 1] and what it is made of, by the legs' names."""

    score: float
    parts: Mapping[str, Part]


def fuse(legs: Sequence[Leg[K]], window: int = WINDOW) -> dict[K, Fused]:
    """Put the legs' candidates together. What comes after ``window`` in a leg is ignored.

    With strengths in all legs, a score is the weighted sum of what they were brought to; where a leg has only ranks, it
    is the weighted sum of reciprocal ranks, brought to [0, 1].
    """
    by_rank = any(raw is None for leg in legs for _, raw in leg.found)
    parts: dict[K, dict[str, Part]] = {}
    for leg in legs:
        for key, part in (_by_rank(leg, window) if by_rank else _by_strength(leg, window)).items():
            parts.setdefault(key, {})[leg.name] = part
    weights = {leg.name: leg.weight for leg in legs}
    return {key: Fused(weighted(found, weights), found) for key, found in parts.items()}


def coverage(best: float, whole: float) -> float:
    """Return how much of a query the best match has, in [0, 1]: its strength against that of all of the query.

    A leg of words is trusted that far. Else the one common word that a question shares with some text would count as
    much as an order's id that was found.
    """
    return min(1.0, best / whole) if whole > 0 else 1.0


def worth(covered: float, cosine: float) -> float:
    """Return what the best of a page can be worth, above 0 and up to 1: how much of the query words cover, or how near
    the nearest text is, whichever says more.

    All scores are multiplied by it. That changes no order, and lets the scores of two queries be compared: normalised
    as they are, something would be the best of every query.
    """
    return min(1.0, max(covered, cosine, TAIL))


def weighted(parts: Mapping[str, Part], weights: Mapping[str, float]) -> float:
    """Return the score that parts make under these weights."""
    return min(1.0, sum(weights[name] * part.normalised for name, part in parts.items()))


def by_one(fused: Fused, leg: str) -> Fused:
    """Return a candidate judged by one leg alone: what the other could not have found yet is not worse for that."""
    return Fused(min(1.0, fused.parts[leg].normalised), fused.parts)


def weights_of(dense: float) -> dict[str, float]:
    """Return the weights of both legs by the dense one's."""
    return {"lexical": 1.0 - dense, "vector": dense}


def _by_strength(leg: Leg[K], window: int) -> dict[K, Part]:
    found = [(key, 0.0 if raw is None else raw) for key, raw in leg.found[:window]]
    if not found:
        return {}
    # A full window says how weak a match can be that still counts; before it is full, a non-match does.
    low = min(raw for _, raw in found) if len(leg.found) >= window else leg.least
    span = max(raw for _, raw in found) - low
    return {
        key: Part(rank, raw, leg.trust * ((raw - low) / span if span > 0 else 1.0))
        for rank, (key, raw) in enumerate(found, start=1)
    }


def _by_rank(leg: Leg[K], window: int) -> dict[K, Part]:
    first = RANK_CONSTANT + 1
    return {
        key: Part(rank, raw, leg.trust * first / (RANK_CONSTANT + rank))
        for rank, (key, raw) in enumerate(leg.found[:window], start=1)
    }


def in_window(fused: float) -> float:
    """Return a hit's score, of its fused one, before recency."""
    return TAIL + (1.0 - TAIL) * fused


def behind_window(relevance: float) -> float:
    """Return the score, before recency, of a hit that only words found and that is in no window."""
    return TAIL * relevance


def explained(fused: Fused) -> dict[str, float]:
    """Return what ``explain`` adds to a hit's parts: of each leg that found it rank, raw and normalised strength."""
    parts: dict[str, float] = {}
    for name, part in fused.parts.items():
        parts[f"{name}_rank"] = float(part.rank)
        parts[f"{name}_normalised"] = part.normalised
        if part.raw is not None:
            parts[f"{name}_raw"] = part.raw
    return parts
