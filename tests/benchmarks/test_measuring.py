"""What the table says of a figure: its ratio, and whether its budget is met."""

from __future__ import annotations

from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.measuring import medians
from benchmarks.measuring import number
from benchmarks.measuring import skipped


def row(figure: float, other: float, budget: Budget, **kinds: bool) -> Row:
    return Row(work="work", figure=figure, unit="ms", against="floor", other=other, budget=budget, **kinds)


def test_a_ceiling_is_met_by_the_figure_up_to_it():
    assert row(2, 1, Budget(2, "ms")).met
    assert not row(2.1, 1, Budget(2, "ms")).met


def test_a_rate_is_met_from_its_budget_on():
    assert row(100, 1, Budget(100, "/s", ceiling=False)).met
    assert not row(99, 1, Budget(100, "/s", ceiling=False)).met


def test_a_budget_can_be_about_the_difference_or_the_ratio():
    assert row(7, 5, Budget(2, "ms above"), above=True).met
    assert not row(8, 5, Budget(2, "ms above"), above=True).met
    assert row(10, 5, Budget(2, "x floor"), relative=True).met
    assert not row(11, 5, Budget(2, "x floor"), relative=True).met


def test_without_a_figure_nothing_is_met_or_missed():
    absent = skipped("work", "no_such_package_anywhere")
    assert absent is not None
    assert absent.note == "skipped: no_such_package_anywhere is not installed"
    assert absent.met is None
    assert absent.ratio is None
    assert skipped("work", "json") is None


def test_what_is_compared_takes_turns_and_the_first_round_does_not_count():
    calls: list[str] = []
    figures = iter([9.0, 1.0, 5.0, 3.0])

    def ours() -> float:
        calls.append("ours")
        return next(figures)

    def other() -> float:
        calls.append("other")
        return 1.0

    assert medians({"ours": ours, "other": other}, 3) == {"ours": 3.0, "other": 1.0}
    assert calls == ["ours", "other"] * 4


def test_figures_have_three_digits_that_mean_something():
    assert [number(value) for value in (1234.4, 12.345, 0.012345)] == ["1,234", "12.35", "0.0123"]
