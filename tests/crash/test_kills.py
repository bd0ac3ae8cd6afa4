"""SIGKILL of the gateway, of the venue and of both, at random points of thousands of commands under the venue's chaos.

By the venue's own record: each intent never reached it or is exactly one order there; no acknowledged order is missing;
what is unknown is resolved, or listed where the venue can prove nothing; no limit was exceeded at any moment; what was
sent is what was authorised. The number is small here; ``GATEHOOK_KILLS`` sets another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("GATEHOOK_KILLS", "18"))
#: Kills in one episode, and how many processes share them: few make an episode for each kind of account.
EPISODE, JOBS = (6, 1) if KILLS < 100 else (40, 4)
#: From one kind of account and way to prove absence to another; with one job all of them come in turn.
STEP = 5


@pytest.mark.timeout(120 + 3 * KILLS)
def test_each_intent_is_one_order_at_the_venue_or_none_after_any_number_of_kills():
    reports = [json.loads(output) for output in _kill_in_processes()]
    counts: Counter[str] = Counter()
    for report in reports:
        counts.update(report["counts"])
    print(f"{sum(report['kills'] for report in reports)} kills")
    print("\n".join(f"{number:8} {what}" for what, number in sorted(counts.items())))
    assert [wrong for report in reports for wrong in report["wrong"]] == []
    assert counts["at the venue once"] > KILLS
    assert counts["orders proven"] > KILLS


def _kill_in_processes() -> list[str]:
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.crash.kills", "--kills", str(-(-KILLS // JOBS)), *_options(job)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for job in range(JOBS)
    ]
    return [process.communicate()[0] for process in started]


def _options(job: int) -> tuple[str, ...]:
    log = os.environ.get("GATEHOOK_KILLS_LOG")
    options = ("--seed", str(1 + job * STEP), "--step", str(JOBS * STEP), "--episode", str(EPISODE))
    return options if log is None else (*options, "--log", log)
