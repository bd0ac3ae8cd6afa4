"""Every benchmark runs, and prints ratios. What the figures are is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.__main__ import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs_and_gives_ratios(name: str):
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick", "--json"], capture_output=True, check=False, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    rows = json.loads(ended.stdout)["rows"]
    ratios = [row["ratio"] for row in rows if row["figure"] is not None]
    assert any(ratio is not None and ratio > 0 for ratio in ratios)
    assert all(row["figure"] is not None or row["note"].startswith("skipped: ") for row in rows)


def test_the_table_shows_figure_floor_ratio_and_budget():
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", "loading", "--quick"], capture_output=True, check=True, text=True
    )
    heading, first, *_ = ended.stdout.splitlines()
    assert heading.split()[0] == "work"
    assert "floor: " in first
    assert " x " in first
    assert "≤ 2.00 x floor" in first


def test_a_benchmark_that_does_not_exist_is_refused():
    ended = subprocess.run([sys.executable, "-m", "benchmarks", "none"], capture_output=True, check=False, text=True)
    assert ended.returncode == 2
    assert "none" in ended.stderr
