"""The halt: latched in memory first, on disk, by several processes; lifted by nothing but a resume."""

from __future__ import annotations

import errno
import fcntl
import json
import subprocess
import sys

import pytest

from gatehook.diagnostics import GatehookError
from gatehook.guard import halt as halting
from gatehook.guard.halt import Halt
from tests.guard.board import MAIN
from tests.guard.board import OTHER

SCOPES = ("all", "entry:venue", "account:venue/main", "subscription:copy")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "halt.json"


def codes(error):
    return [one.code for one in error.value.diagnostics]


def refuse_to_write(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(halting, "write_record", full)


def test_a_file_that_is_not_there_halts_nothing(path):
    assert Halt(path).stops(MAIN, "cli") is None
    assert Halt(path).records == ()
    assert not path.parent.exists()


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_halts_what_it_covers(path, scope):
    assert Halt(path, wall=lambda: 7).halt(scope, reason="news", by="cli") is None
    record = Halt(path).stops(MAIN, "copy")
    assert record is not None
    assert (record.scope, record.reason, record.by, record.at) == (scope, "news", "cli", 7)


@pytest.mark.parametrize("scope", ["entry:other", "entry:venu", "account:venue/other", "subscription:other"])
def test_a_scope_halts_nothing_else(path, scope):
    halt = Halt(path)
    halt.halt(scope, reason="r", by="cli")
    assert halt.stops(MAIN, "copy") is None


def test_an_account_whose_id_holds_slashes_is_named_like_any_other(path):
    halt = Halt(path)
    halt.halt("account:venue/a/b", reason="r", by="cli")
    assert halt.stops(type(MAIN)("venue", "a/b"), "cli") is not None
    assert halt.stops(MAIN, "cli") is None


def test_the_caller_of_a_subscription_may_be_named_with_or_without_the_word(path):
    halt = Halt(path)
    halt.halt("subscription:copy", reason="r", by="cli")
    assert halt.stops(MAIN, "copy") is not None
    assert halt.stops(MAIN, "subscription:copy") is not None


@pytest.mark.parametrize(
    "scope", ["", "ALL", "entry:", "entry:a/b", "account:main", "account:/x", "strategy:x", "all "]
)
def test_a_scope_of_another_form_is_refused(path, scope):
    halt = Halt(path)
    for attempt in (lambda: halt.halt(scope, reason="r", by="cli"), lambda: halt.resume(scope, by="cli")):
        with pytest.raises(GatehookError) as error:
            attempt()
        assert codes(error) == ["halt.scope"]
    assert halt.records == ()


def test_halting_again_keeps_the_first_record(path):
    halt = Halt(path)
    halt.halt("all", reason="first", by="cli")
    halt.halt("all", reason="second", by="web")
    assert [one.reason for one in Halt(path).records] == ["first"]


def test_a_resume_lifts_exactly_its_scope(path):
    halt = Halt(path)
    for scope in SCOPES:
        halt.halt(scope, reason="r", by="cli")
    halt.resume("all", by="cli")
    assert sorted(one.scope for one in halt.records) == sorted(SCOPES[1:])
    assert halt.stops(OTHER, "cli").scope == "entry:venue"
    halt.resume("entry:venue", by="cli")
    assert halt.stops(OTHER, "cli") is None
    assert Halt(path).stops(MAIN, "cli").scope == "account:venue/main"


def test_what_is_not_halted_cannot_be_resumed(path):
    halt = Halt(path)
    halt.halt("entry:venue", reason="r", by="cli")
    with pytest.raises(GatehookError) as error:
        halt.resume("all", by="cli")
    assert codes(error) == ["halt.not-halted"]
    assert "entry:venue" in str(error.value)


def test_one_process_sees_what_another_did(path):
    gateway, cli = Halt(path), Halt(path)
    assert gateway.stops(MAIN, "x") is None
    for round_ in range(5):
        cli.halt("all", reason=str(round_), by="cli")
        assert gateway.stops(MAIN, "x").reason == str(round_)
        cli.resume("all", by="cli")
        assert gateway.stops(MAIN, "x") is None


def test_neither_of_two_writers_loses_the_scope_of_the_other(path):
    first, second = Halt(path), Halt(path)
    first.halt("entry:a", reason="r", by="1")
    second.halt("entry:b", reason="r", by="2")
    first.halt("entry:c", reason="r", by="1")
    second.resume("entry:a", by="2")
    assert sorted(one.scope for one in Halt(path).records) == ["entry:b", "entry:c"]


def test_many_processes_halt_at_the_same_time(path):
    program = (
        "import sys; from pathlib import Path; from gatehook.guard.halt import Halt;"
        "h = Halt(Path(sys.argv[1]));"
        "problems = [h.halt(f'entry:e{sys.argv[2]}-{n}', reason='r', by='p') for n in range(5)];"
        "sys.exit(any(problems))"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), str(n)]) for n in range(4)]
    assert [one.wait(timeout=60) for one in running] == [0] * 4
    assert len(Halt(path).records) == 20


# --- a disk that fails


def test_a_failed_write_halts_in_memory_and_says_so(path, monkeypatch):
    halt = Halt(path)
    with monkeypatch.context() as patch:
        refuse_to_write(patch)
        problem = halt.halt("entry:venue", reason="r", by="cli")
        assert "No space left" in problem
        assert halt.stops(MAIN, "x").scope == "entry:venue"
    assert Halt(path).stops(MAIN, "x") is None


def test_what_could_not_be_written_is_written_with_the_next_halt(path, monkeypatch):
    halt = Halt(path)
    with monkeypatch.context() as patch:
        refuse_to_write(patch)
        halt.halt("entry:venue", reason="r", by="cli")
    assert halt.halt("entry:other", reason="r", by="cli") is None
    assert sorted(one.scope for one in Halt(path).records) == ["entry:other", "entry:venue"]


def test_what_is_halted_in_memory_only_can_be_resumed(path, monkeypatch):
    halt = Halt(path)
    with monkeypatch.context() as patch:
        refuse_to_write(patch)
        halt.halt("all", reason="r", by="cli")
    halt.resume("all", by="cli")
    assert halt.stops(MAIN, "x") is None


def test_a_resume_that_cannot_be_written_lifts_nothing(path, monkeypatch):
    halt = Halt(path)
    halt.halt("all", reason="r", by="cli")
    refuse_to_write(monkeypatch)
    with pytest.raises(GatehookError) as error:
        halt.resume("all", by="cli")
    assert codes(error) == ["halt.not-written"]
    assert halt.stops(MAIN, "x") is not None


def test_a_lock_that_somebody_keeps_does_not_stop_the_halt(path, monkeypatch):
    monkeypatch.setattr(halting, "_LOCK_SECONDS", 0.05)
    halt = Halt(path)
    path.parent.mkdir()
    with path.with_name("halt.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        problem = halt.halt("all", reason="r", by="cli")
        assert "lock" in problem
        assert halt.stops(MAIN, "x") is not None


# --- a file that cannot be relied on

RECORD = {"scope": "all", "reason": "r", "by": "me", "at": "2026-01-01T00:00:00Z"}
DAMAGED = {
    "cut": b'{"version": 1, "rec',
    "empty": b"",
    "other version": json.dumps({"version": 2, "records": []}).encode(),
    "other scope": json.dumps({"version": 1, "records": [{**RECORD, "scope": "everything"}]}).encode(),
    "other key": json.dumps({"version": 1, "records": [{**RECORD, "until": "x"}]}).encode(),
    "list": b"[]",
}


@pytest.fixture(params=DAMAGED)
def damaged(path, request):
    path.parent.mkdir()
    path.write_bytes(DAMAGED[request.param])
    return path


def test_a_file_that_cannot_be_read_halts_everything(damaged):
    record = Halt(damaged).stops(OTHER, "anybody")
    assert record.scope == "all"
    assert "cannot be read" in record.reason


def test_a_directory_in_its_place_halts_everything(path):
    path.mkdir(parents=True)
    assert Halt(path).stops(MAIN, "x") is not None


def test_a_narrower_resume_or_a_halt_does_not_overwrite_it(damaged):
    before = damaged.read_bytes()
    halt = Halt(damaged)
    with pytest.raises(GatehookError) as error:
        halt.resume("entry:venue", by="cli")
    assert codes(error) == ["halt.unreadable"]
    assert "everything is halted" in halt.halt("entry:venue", reason="r", by="cli")
    assert damaged.read_bytes() == before
    assert halt.stops(OTHER, "x").scope == "all"


def test_the_resume_of_all_puts_it_aside(damaged):
    before = damaged.read_bytes()
    halt = Halt(damaged)
    halt.resume("all", by="cli")
    assert halt.stops(MAIN, "x") is None
    assert Halt(damaged).stops(MAIN, "x") is None
    (aside,) = damaged.parent.glob("halt.json.unreadable-*")
    assert aside.read_bytes() == before


def test_a_mended_file_is_read_again(damaged):
    halt = Halt(damaged)
    assert halt.stops(MAIN, "x") is not None
    damaged.write_text(json.dumps({"version": 1, "records": []}))
    assert halt.stops(MAIN, "x") is None


def test_a_file_that_vanishes_under_a_running_process_lifts_nothing(path):
    halt = Halt(path)
    halt.halt("all", reason="r", by="cli")
    path.unlink()
    assert halt.stops(MAIN, "x") is not None
    Halt(path).halt("entry:other", reason="r", by="cli")
    assert halt.stops(MAIN, "x") is not None
    halt.resume("all", by="cli")
    assert halt.stops(MAIN, "x") is None
