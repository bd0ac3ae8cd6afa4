"""The log: rendered, redacted, and never in the way."""

from __future__ import annotations

import json
import logging
import threading
import time

import pytest

from gatehook.gateway.logs import LogPipe
from gatehook.secrets import Redactor
from gatehook.secrets import Secret

CANARY = 'canary"\\§-4711'


@pytest.fixture
def redactor():
    redactor = Redactor()
    assert redactor.add(Secret(CANARY))
    return redactor


def lines_of(pipe):
    return [json.loads(line) for line in pipe.path.read_text("utf-8").splitlines()]


def test_a_record_is_a_line_of_json_with_its_extras(tmp_path):
    with LogPipe(tmp_path, Redactor(), terminal=False) as pipe:
        logging.getLogger("gatehook.plugin.demo").info("filled %s of %s", 3, 5, extra={"account": "paper/main"})
    (line,) = lines_of(pipe)
    assert line["event"] == "filled 3 of 5"
    assert (line["level"], line["logger"], line["account"]) == ("info", "gatehook.plugin.demo", "paper/main")
    assert line["timestamp"].endswith("Z")


def test_the_log_is_readable_by_its_owner_only(tmp_path):
    with LogPipe(tmp_path / "logs", Redactor(), terminal=False) as pipe:
        logging.getLogger("gatehook").warning("here")
    assert pipe.path.stat().st_mode & 0o777 == 0o600
    assert pipe.path.parent.stat().st_mode & 0o777 == 0o700


def test_regression_19_a_canary_secret_is_in_no_line_of_the_log(tmp_path, redactor, capsys):
    with LogPipe(tmp_path, redactor) as pipe:
        log = logging.getLogger("gatehook.plugin.demo")
        log.info("the token is %s", CANARY)
        log.info("nested", extra={"headers": {"authorization": [f"Bearer {CANARY}"]}, "object": ValueError(CANARY)})
        try:
            raise RuntimeError(f"refused {CANARY}")
        except RuntimeError:
            log.exception("failed")
    everything = pipe.path.read_text("utf-8") + capsys.readouterr().err
    assert len(lines_of(pipe)) == 3
    assert "RuntimeError" in everything
    assert CANARY not in everything
    assert json.dumps(CANARY)[1:-1] not in everything
    assert json.dumps(CANARY, ensure_ascii=False)[1:-1] not in everything


def test_the_log_rotates_and_keeps_a_cap(tmp_path):
    with LogPipe(tmp_path, Redactor(), terminal=False, max_bytes=2000, files=2):
        for number in range(200):
            logging.getLogger("gatehook").info("line %d", number)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["gatehook.log", "gatehook.log.1", "gatehook.log.2"]
    assert all(path.stat().st_size <= 2000 for path in tmp_path.iterdir())


class Stuck(logging.Handler):
    """A sink whose disk does not answer."""

    def __init__(self):
        super().__init__()
        self.go_on = threading.Event()
        self.entered = threading.Event()

    def emit(self, record):
        self.entered.set()
        self.go_on.wait(30)


def test_fault_28_a_stuck_sink_loses_lines_counts_them_and_holds_nobody_up(tmp_path):
    stuck = Stuck()
    with LogPipe(tmp_path, Redactor(), terminal=False, capacity=10) as pipe:
        pipe.replace_sinks(stuck)
        log = logging.getLogger("gatehook")
        log.warning("the first line")
        assert stuck.entered.wait(10)
        for number in range(50):
            log.warning("line %d", number)
        assert pipe.lost == 40
        assert pipe.last_loss == "the queue is full"
        stuck.go_on.set()


def test_fault_28_a_full_disk_is_counted_with_its_reason(tmp_path):
    with LogPipe(tmp_path, Redactor(), terminal=False) as pipe:
        pipe.path.mkdir()
        logging.getLogger("gatehook").warning("nowhere to go")
        deadline = time.monotonic() + 10
        while not pipe.lost and time.monotonic() < deadline:
            threading.Event().wait(0.01)
    assert pipe.lost == 1
    assert "directory" in pipe.last_loss.lower()


def test_a_record_whose_arguments_do_not_fit_is_counted_not_raised(tmp_path):
    with LogPipe(tmp_path, Redactor(), terminal=False) as pipe:
        (entry,) = (one for one in logging.getLogger().handlers if type(one).__module__ == "gatehook.gateway.logs")
        entry.handle(logging.makeLogRecord({"msg": "%d of %d", "args": (1,)}))
    assert pipe.lost == 1


def test_levels_and_handlers_are_put_back(tmp_path):
    root = logging.getLogger()
    before = root.level, list(root.handlers), logging.getLogger("gatehook").level
    with LogPipe(tmp_path, Redactor(), terminal=False, level="debug"):
        assert logging.getLogger("gatehook").isEnabledFor(logging.DEBUG)
    assert (root.level, root.handlers, logging.getLogger("gatehook").level) == before


def test_no_thread_is_left(tmp_path):
    with LogPipe(tmp_path, Redactor(), terminal=False):
        assert any(thread.name == "gatehook-log" for thread in threading.enumerate())
    assert not any(thread.name == "gatehook-log" for thread in threading.enumerate())
