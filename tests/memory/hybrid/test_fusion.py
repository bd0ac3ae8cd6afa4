"""Fusion: windows, normalisation, missing legs, ranks where there are no strengths."""

from __future__ import annotations

import pytest

from gatehook.memory.fusion import TAIL
from gatehook.memory.fusion import Leg
from gatehook.memory.fusion import behind_window
from gatehook.memory.fusion import explained
from gatehook.memory.fusion import fuse
from gatehook.memory.fusion import in_window


def legs(lexical, vector, weight=0.4):
    return [Leg("lexical", 1 - weight, lexical), Leg("vector", weight, vector)]


def test_strengths_are_brought_to_one_scale_and_added_by_weight():
    fused = fuse(legs([("a", 10.0), ("b", 5.0)], [("b", 0.8), ("c", 0.4)]))
    assert {key: one.score for key, one in fused.items()} == pytest.approx({"a": 0.6, "b": 0.3 + 0.4, "c": 0.2})


def test_a_full_window_begins_its_scale_at_its_weakest():
    fused = fuse(legs([("a", 10.0), ("b", 6.0), ("c", 2.0), ("d", 1.0)], []), window=3)
    assert {key: one.score for key, one in fused.items()} == pytest.approx({"a": 0.6, "b": 0.3, "c": 0.0})


def test_what_only_one_leg_found_is_never_lost():
    fused = fuse(legs([("words", 3.0)], [("meaning", 0.9)]))
    assert {key: set(one.parts) for key, one in fused.items()} == {"words": {"lexical"}, "meaning": {"vector"}}


def test_one_candidate_is_the_best_of_its_leg():
    assert fuse(legs([("a", 0.0)], []))["a"].score == pytest.approx(0.6)


def test_a_leg_of_ranks_makes_all_legs_count_by_rank():
    fused = fuse(legs([("a", None), ("b", None)], [("b", 0.9), ("a", 0.1)]))
    assert fused["a"].score == pytest.approx(0.6 + 0.4 * 11 / 12)
    assert fused["b"].score == pytest.approx(0.6 * 11 / 12 + 0.4)
    assert "lexical_raw" not in explained(fused["a"])


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_scores_stay_within_0_and_1(weight):
    found = [(n, float(n)) for n in range(20, 0, -1)]
    for one in fuse(legs(found, list(found), weight)).values():
        assert 0 <= one.score <= 1
        assert TAIL <= in_window(one.score) <= 1


def test_behind_the_window_scores_less_than_anything_in_it():
    assert behind_window(0.999) < in_window(0.0)


def test_an_explanation_has_rank_and_strengths_of_each_leg():
    fused = fuse(legs([("a", 10.0), ("b", 5.0)], [("b", 0.8)]))
    assert explained(fused["b"]) == {
        "lexical_rank": 2,
        "lexical_normalised": 0.5,
        "lexical_raw": 5,
        "vector_rank": 1,
        "vector_normalised": 1,
        "vector_raw": 0.8,
    }
