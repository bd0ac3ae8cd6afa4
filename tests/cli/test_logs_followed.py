"""`gatehook logs`: the newest lines, and the ones that come."""

from __future__ import annotations

import json

import pytest

from gatehook.cli import events


def line(number, level="info"):
    return json.dumps({"timestamp": "t", "level": level, "logger": "gatehook", "event": f"event {number}"}) + "\n"


@pytest.fixture
def log(gatehook):
    path = gatehook.data_dir / "logs" / "gatehook.log"
    path.parent.mkdir(parents=True)
    return path


def test_the_newest_lines_of_a_level_are_shown(gatehook, log):
    log.write_text("".join(line(number, "warning" if number % 2 else "info") for number in range(10)) + '{"cut sh')
    assert [one["event"] for one in gatehook("logs", "-n", "2", "--json").json["records"]] == ["event 8", "event 9"]
    shown = gatehook("logs", "--level", "warning", "-n", "3", "--ndjson").out
    assert [json.loads(one)["event"] for one in shown.splitlines()] == ["event 5", "event 7", "event 9"]
    assert "event 9" in gatehook("logs").out


def test_a_log_that_is_not_there_is_said(gatehook):
    answer = gatehook("logs")
    assert (answer.code, answer.out) == (0, "")
    assert "has no lines" in answer.err


def test_new_lines_are_followed_whole_and_over_a_rotation(gatehook, log, monkeypatch):
    log.write_text(line(0))
    first, rest = line(2)[:9], line(2)[9:]

    def appended(text):
        with log.open("a") as file:
            file.write(text)

    def rotated():
        log.rename(log.with_name("gatehook.log.1"))
        log.write_text(line(3))

    steps = iter([lambda: appended(line(1) + first), lambda: appended(rest), rotated])

    def next_step(seconds):
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(events.time, "sleep", next_step)
    answer = gatehook("logs", "-f", "-n", "1", "--ndjson")
    assert answer.code == 130
    assert [json.loads(one)["event"] for one in answer.out.splitlines()] == [f"event {number}" for number in range(4)]
