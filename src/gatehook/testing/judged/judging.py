"""A memory judged by the set: filled, asked, measured class by class."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import attrs

from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import SearchMode
from gatehook.testing.judged.measures import DEPTH
from gatehook.testing.judged.measures import Interval
from gatehook.testing.judged.measures import bootstrap
from gatehook.testing.judged.measures import ndcg
from gatehook.testing.judged.measures import recall
from gatehook.testing.judged.measures import reciprocal_rank
from gatehook.testing.judged.queries import JudgedQuery
from gatehook.testing.judged.queries import JudgedSet
from gatehook.testing.judged.queries import QueryClass
from gatehook.testing.judged.queries import key_of

_BATCH = 200


@attrs.frozen(kw_only=True)
class Judged:
    """What a memory answered to a query: keys, best first, and the best score (0 where nothing was found)."""

    query: JudgedQuery
    ranked: tuple[str, ...]
    best: float
    degraded: tuple[str, ...] = ()

    @property
    def ndcg(self) -> float:
        """nDCG@10."""
        return ndcg(self.ranked, self.query.relevant)


@attrs.frozen
class Judgement:
    """All answers of one memory."""

    answers: Sequence[Judged]

    def ndcg_by_query(self) -> dict[str, float]:
        """Return nDCG@10 of every query that has an answer, by its id."""
        return {one.query.id: one.ndcg for one in self.answers if one.query.relevant}

    def of(self, kind: QueryClass | None = None, *, held_out: bool | None = None) -> Judgement:
        """Return the answers to the queries of a class, of one half, or both."""
        return Judgement(
            [one for one in self.answers if kind in (None, one.query.kind) and held_out in (None, one.query.held_out)]
        )

    def mean(self, measure: Callable[[Sequence[str], Mapping[str, int]], float]) -> Interval:
        """Return the mean of a measure over the queries that have an answer."""
        return bootstrap([measure(one.ranked, one.query.relevant) for one in self.answers if one.query.relevant])

    def threshold(self) -> float:
        """Return the score below which "nothing" is said best: by the development half, as F1 of saying so rightly."""
        answers = [one for one in self.answers if not one.query.held_out]
        steps = sorted({0.0, *(one.best for one in answers)})
        return max(steps, key=lambda step: (_f1(*_no_answers(answers, step)), -step))

    def no_answers(self, threshold: float) -> tuple[float, float]:
        """Return how often "nothing" was said rightly, and how much of nothing was said to be nothing."""
        return _no_answers(self.answers, threshold)


def _no_answers(answers: Iterable[Judged], threshold: float) -> tuple[float, float]:
    judged = [(one.best < threshold or not one.ranked, not one.query.relevant) for one in answers]
    said, right = sum(said for said, _ in judged), sum(said and empty for said, empty in judged)
    empty = sum(empty for _, empty in judged)
    return (right / said if said else 1.0), (right / empty if empty else 1.0)


def _f1(precision: float, recalled: float) -> float:
    return 2 * precision * recalled / (precision + recalled) if precision + recalled else 0.0


async def fill(memory: MemoryBackend, judged: JudgedSet) -> None:
    """Write the documents, each revision of an id after the one before, and wait until all of it is searched."""
    batch: dict[str, MemoryDoc] = {}
    for doc in judged.docs:
        if doc.id in batch or len(batch) == _BATCH:
            await memory.upsert(list(batch.values()))
            batch = {}
        batch[doc.id] = doc
    await memory.upsert(list(batch.values()))
    await memory.flush(vectors=True)


async def judge(
    memory: MemoryBackend, judged: JudgedSet, *, mode: SearchMode = SearchMode.AUTO, as_of: bool = True
) -> Judgement:
    """Ask every query; without ``as_of`` those as of a time are left out, for a memory that cannot."""
    answers = []
    for query in judged.queries:
        if query.as_of is None or as_of:
            page = await memory.search(attrs.evolve(query.query(limit=DEPTH), mode=mode))
            ranked = tuple(key_of(hit.stored) for hit in page.hits)
            best = page.hits[0].score if page.hits else 0.0
            answers.append(Judged(query=query, ranked=ranked, best=best, degraded=page.degraded))
    return Judgement(answers)


def table(judgement: Judgement) -> list[tuple[str, str, str, str]]:
    """Return nDCG@10, recall@10 and MRR with their intervals for each class, and for all."""
    rows = [_row(str(kind), judgement.of(kind)) for kind in QueryClass if kind is not QueryClass.NOTHING]
    return [*rows, _row("all", judgement), _row("all, held out", judgement.of(held_out=True))]


def _row(name: str, judgement: Judgement) -> tuple[str, str, str, str]:
    return name, *(str(judgement.mean(measure)) for measure in (ndcg, recall, reciprocal_rank))  # type: ignore[return-value]  # three measures
