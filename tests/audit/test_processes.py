"""Several processes keep one chain; one that is killed loses nothing that it was told is durable."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from gatehook.audit import read
from tests.audit.appender import ROUND

ROUNDS = 20


def appender(room, name, count, *how):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.audit.appender", str(room.path), name, str(count), *how],
        stdin=subprocess.PIPE if how else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


def test_two_processes_at_once_keep_one_chain(room):
    both = [appender(room, name, 120, "in-rounds") for name in ("first", "second")]
    for _ in range(120 // ROUND):
        for process in both:
            process.stdin.write(b"go\n")
            process.stdin.flush()
        for process in both:
            assert process.stdout.readline() == b"went\n"
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    entries = list(read(room.path))
    for name in ("first", "second"):
        numbers = [(one.subject["number"], one.subject["part"]) for one in entries if one.actor == name]
        assert numbers == [(number, part) for number in range(120) for part in range(1 + number % 3)]
    assert sum(one.actor != other.actor for one, other in pairwise(entries)) > 10, "both are in each round"
    assert room.faults() == []


def killed(room, name, after):
    """Run an appender, kill it some time after its first record, and return what it was told is durable."""
    process = appender(room, name, 100_000)
    try:
        first = process.stdout.readline()
        time.sleep(after)  # the moment of the kill is what varies
    finally:
        process.kill()
    rest = process.stdout.read().decode()
    process.wait()
    process.stdout.close()
    return [int(line) for line in (first.decode() + rest).rpartition("\n")[0].splitlines()]


def test_no_durable_record_is_lost_by_a_kill_and_the_chain_goes_on(room):
    moments = random.Random(20261122)
    durable = {}
    for number in range(ROUNDS):
        durable[f"round-{number}"] = killed(room, f"round-{number}", moments.uniform(0, 0.03))
    room.open()
    room.close()
    assert room.faults() == []
    kept = {(one.actor, one.subject["number"]) for one in read(room.path) if one.kind == "test.note"}
    for name, numbers in durable.items():
        assert numbers
        assert {(name, number) for number in numbers} <= kept


def test_a_log_is_verified_and_read_while_it_is_written(room):
    process = appender(room, "writer", 3_000)
    process.stdout.readline()
    seen = []
    while process.poll() is None:
        found = room.verify()
        assert found.problems == ()
        seen.append(found.records)
    process.communicate()
    assert seen == sorted(seen)
    assert room.verify().records == sum(1 for _ in read(room.path))
