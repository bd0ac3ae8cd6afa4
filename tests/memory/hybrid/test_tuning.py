"""Tuning: the weight that labelled queries want, judged on those that did not choose it; nothing is written."""

from __future__ import annotations

import pytest

from gatehook import GatehookError
from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import SearchPage
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.tuning import Labelled
from gatehook.memory.tuning import read_labelled
from gatehook.memory.tuning import tune
from gatehook.testing.memory_statements import doc

pytestmark = pytest.mark.anyio
ALL = (NamespaceSelector.everything(),)


class Answers:
    """Answers every query with the same hits, of these normalised strengths."""

    def __init__(self, **legs):
        self.legs = legs

    async def search(self, query):
        hits = [
            Hit(
                stored=StoredDoc(doc=doc(name), revision=1, created_at=0, ingested_at=0),
                score=0.5,
                snippet="",
                parts={"lexical_normalised": lexical, "vector_normalised": vector},
            )
            for name, (lexical, vector) in self.legs.items()
        ]
        return SearchPage(hits=hits, mode_used=SearchMode.HYBRID)

    async def stats(self, namespace=None):
        return MemoryStats(documents=1, namespaces=1, bytes_on_disk=1, details={"dense_weight": 0.4})


def labelled(count, *relevant):
    return [Labelled(Query(text=f"q{n}", namespaces=ALL), dict.fromkeys(relevant, 1.0)) for n in range(count)]


@pytest.mark.parametrize(("right", "low", "high"), [("words", 0.0, 0.5), ("meaning", 0.5, 1.0)])
async def test_the_weight_goes_where_the_right_answers_are(right, low, high):
    report = await tune(Answers(words=(1.0, 0.0), meaning=(0.0, 1.0)), labelled(10, right))
    assert low <= report.best <= high
    assert (report.chosen_on, report.held_out_best, report.queries, report.held_out) == (1.0, 1.0, 5, 5)
    assert report.now == 0.4
    assert report.worth_it is (right == "meaning")
    assert report.gain == pytest.approx(report.held_out_best - report.held_out_now)


async def test_what_makes_no_difference_changes_nothing():
    report = await tune(Answers(only=(1.0, 1.0)), labelled(10, "only"))
    assert (report.best, report.gain, report.worth_it) == (0.4, 0.0, False)


async def test_too_few_queries_say_nothing():
    with pytest.raises(GatehookError, match="too few"):
        await tune(Answers(), labelled(3, "a"))


async def test_a_memory_is_tuned_by_searching_it(hybrid):
    await hybrid.upsert([doc(f"d{n}", f"gold {n} {'rally ' * (n % 3)}") for n in range(30)])
    await hybrid.flush(vectors=True)
    wanted = [Labelled(Query(text=f"gold {n}", namespaces=ALL), {f"d{n}": 1.0}) for n in range(12)]
    report = await tune(hybrid, wanted)
    assert 0 < report.chosen_on <= 1
    assert report.degraded == ()
    assert (await hybrid.stats()).details["dense_weight"] == report.now


def test_labelled_queries_are_lines(tmp_path):
    file = tmp_path / "labels.jsonl"
    file.write_text(
        '{"text": "a", "relevant": ["x", "y"]}\n\n{"text": "b", "relevant": {"z": 2}, "namespace": ["n"]}\n'
    )
    first, second = read_labelled(file)
    assert (first.query.text, first.relevant, first.query.namespaces) == ("a", {"x": 1.0, "y": 1.0}, ALL)
    assert (second.relevant, second.query.namespaces[0].namespace) == ({"z": 2.0}, ("n",))
