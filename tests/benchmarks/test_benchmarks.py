"""Every benchmark runs, and prints ratios. What the figures are is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, check=False, text=True
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs_and_gives_ratios(name: str):
    ended = run(name, "--quick", "--json")
    assert ended.returncode == 0, ended.stderr[-2000:]
    rows = json.loads(ended.stdout)["rows"]
    ratios = [row["ratio"] for row in rows if row["figure"] is not None]
    assert any(ratio is not None and ratio > 0 for ratio in ratios)
    assert all(row["figure"] is not None or row["note"].startswith("skipped: ") for row in rows)


def test_the_table_shows_figure_floor_ratio_and_budget():
    heading, first, *_ = run("loading", "--quick").stdout.splitlines()
    assert heading.split()[0] == "work"
    assert "floor: " in first
    assert " x " in first
    assert "≤ 2.00 x floor" in first


def test_a_benchmark_that_does_not_exist_is_refused():
    ended = run("none")
    assert ended.returncode == 2
    assert "'none'" in ended.stderr
