"""What each memory reached once, and must not fall below."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any
from typing import Final

import attrs

from gatehook.testing.judged.judging import Judgement
from gatehook.testing.judged.measures import ndcg
from gatehook.testing.judged.measures import paired

#: The floor of a memory that has none of its own.
LEAST: Final = "least"
#: A new floor is so much below what was reached: a change that moves ties is none for the worse.
MARGIN: Final = 0.02


@attrs.frozen
class Floor:
    """The least mean of nDCG@10, and what each query reached when it was set."""

    name: str
    ndcg: float
    queries: dict[str, float]


def read_floor(name: str) -> Floor:
    """Return a memory's floor by its plugin's id, or that of all where it has none."""
    folder = files(__package__).joinpath("floors")
    path = folder.joinpath(f"{name}.json")
    if not path.is_file():
        name, path = LEAST, folder.joinpath(f"{LEAST}.json")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return Floor(name, found["ndcg"], found["queries"])


def floor_of(judgement: Judgement) -> dict[str, Any]:
    """Return a judgement as the content of a floor's file."""
    reached = judgement.ndcg_by_query()
    mean = sum(reached.values()) / len(reached)
    return {"ndcg": round(mean - MARGIN, 3), "queries": {id_: round(value, 4) for id_, value in reached.items()}}


def falls_below(judgement: Judgement, floor: Floor) -> str | None:
    """Say how a memory is worse than its floor, or ``None``.

    It is where its mean is below the floor, or where query by query it lost for certain (95 %) against what was
    reached when the floor was set.
    """
    reached = judgement.ndcg_by_query()
    known = {id_: value for id_, value in floor.queries.items() if id_ in reached}
    mean = judgement.mean(ndcg)
    least = floor.ndcg if len(known) in (0, len(floor.queries)) else sum(known.values()) / len(known) - MARGIN
    if mean.mean < least:
        return f"nDCG@10 is {mean}, the floor of {floor.name} is {least:.3f}"
    change = paired(reached, known)
    if known and change.high < 0:
        return f"nDCG@10 changed by {change} against the floor of {floor.name}"
    return None
