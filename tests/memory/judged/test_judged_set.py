"""The judged set itself: what it has, that it is the same everywhere, and that its measures are right."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from gatehook.kinds.memory import SearchPage
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.testing.judged.floors import Floor
from gatehook.testing.judged.floors import falls_below
from gatehook.testing.judged.floors import floor_of
from gatehook.testing.judged.floors import read_floor
from gatehook.testing.judged.judging import fill
from gatehook.testing.judged.judging import judge
from gatehook.testing.judged.judging import table
from gatehook.testing.judged.making import make_set
from gatehook.testing.judged.measures import bootstrap
from gatehook.testing.judged.measures import ndcg
from gatehook.testing.judged.measures import paired
from gatehook.testing.judged.measures import recall
from gatehook.testing.judged.measures import reciprocal_rank
from gatehook.testing.judged.queries import KEY
from gatehook.testing.judged.queries import QueryClass

pytestmark = pytest.mark.anyio


def test_it_has_eight_classes_of_fifteen_queries_half_of_them_held_out():
    judged = make_set()
    assert Counter(query.kind for query in judged.queries) == dict.fromkeys(QueryClass, 15)
    assert sum(query.held_out for query in judged.queries) == 56
    assert 550 <= len({doc.id for doc in judged.docs}) <= 650
    assert len({query.id for query in judged.queries}) == 120


def test_it_is_the_same_everywhere():
    make_set.cache_clear()
    first = make_set()
    make_set.cache_clear()
    assert make_set() == first


def test_every_right_answer_is_there_and_known_by_then():
    judged = make_set()
    docs = {doc.meta[KEY]: doc for doc in judged.docs}
    for query in judged.queries:
        assert bool(query.relevant) is (query.kind is not QueryClass.NOTHING)
        for key in query.relevant:
            assert docs[key].available_at <= (query.as_of or query.now)


def test_measures():
    assert ndcg(["a", "b"], {"a": 1}) == 1
    assert ndcg(["x", "a"], {"a": 1}) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg(["b", "a"], {"a": 2, "b": 1}) == pytest.approx(0.7967, abs=1e-4)
    assert ndcg(["x"] * 10 + ["a"], {"a": 1}) == ndcg([], {}) == 0
    assert recall(["a", "x"], {"a": 1, "b": 1}) == 0.5
    assert reciprocal_rank(["x", "x", "a"], {"a": 1}) == pytest.approx(1 / 3)


def test_intervals_repeat_and_contain_the_mean():
    values = [0.0, 1.0, 1.0, 0.5] * 10
    found = bootstrap(values)
    assert found == bootstrap(values)
    assert found.low < found.mean < found.high
    assert bootstrap([0.3] * 5).low == bootstrap([0.3] * 5).high == pytest.approx(0.3)
    assert paired({"a": 1.0, "b": 1.0, "only": 0.0}, {"a": 0.5, "b": 0.5}).mean == 0.5


class Worse(SqliteMemory):
    """Puts its hits into another order, by a seed, in some of the searches."""

    share = 0.3

    async def search(self, query):
        page = await super().search(query)
        rng = random.Random(query.text)
        hits = list(page.hits)
        if rng.random() < self.share:
            rng.shuffle(hits)
            hits = hits[: len(hits) // 2]
        return SearchPage(hits=hits, mode_used=page.mode_used)


async def test_a_worse_ranking_falls_below_its_floor_and_a_right_one_does_not(tmp_path, clock):
    judged, floor = make_set(), read_floor("sqlite_fts")
    async with Worse(tmp_path / "memory.sqlite", clock) as memory:
        await fill(memory, judged)
        why = falls_below(await judge(memory, judged), floor)
        assert why is not None
        assert "floor of sqlite_fts" in why
        memory.share = 0
        judgement = await judge(memory, judged)
    assert falls_below(judgement, floor) is None
    assert falls_below(judgement, Floor("x", 0.0, dict.fromkeys(floor.queries, 1.0))) is not None
    assert falls_below(judgement, Floor("x", 0.99, {})) is not None
    rows = {name: ndcg_ for name, ndcg_, *_ in table(judgement)}
    assert rows["symbol and event"] == "1.000 [1.000, 1.000]"
    assert json.loads(json.dumps(floor_of(judgement)))["ndcg"] <= floor.ndcg + 0.01


async def test_nothing_is_said_by_a_threshold_that_only_the_development_half_chose(tmp_path, clock):
    async with SqliteMemory(tmp_path / "memory.sqlite", clock) as memory:
        await fill(memory, make_set())
        judgement = await judge(memory, make_set())
    threshold = judgement.threshold()
    assert threshold == judgement.of(held_out=False).threshold()
    precision, recalled = judgement.of(held_out=True).no_answers(threshold)
    assert precision >= 0.6
    assert recalled >= 0.6


async def test_a_memory_without_as_of_is_judged_without_it(tmp_path, clock):
    async with SqliteMemory(tmp_path / "memory.sqlite", clock) as memory:
        await fill(memory, make_set())
        judgement = await judge(memory, make_set(), as_of=False)
    assert not judgement.of(QueryClass.AS_OF).answers
    assert falls_below(judgement, read_floor("sqlite_fts")) is None


def test_a_memory_without_a_floor_of_its_own_has_that_of_all():
    assert read_floor("somebody-elses").name == "least"
