"""The benchmark runs, and both its sides give the same rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmark_runs_small() -> None:
    program = [sys.executable, str(ROOT / "benchmarks" / "memory_search.py"), "--documents", "300", "--queries", "5"]
    run = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    figures = json.loads(run.stdout)
    assert figures["documents"] == 300
    assert figures["scoped"]["ratio_p50"] > 0
