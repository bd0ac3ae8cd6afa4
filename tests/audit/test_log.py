"""Appending: a chain, in one write, all or none; what cannot be written says so and leaves the chain as it was."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import hmac
import json
import os
import threading

import pytest

from gatehook.audit import Record
from gatehook.audit import files
from gatehook.audit import read
from gatehook.kinds.errors import StorageUnavailable
from tests.audit.conftest import note


def test_each_record_is_a_line_that_is_sealed_over_the_one_before(room):
    log = room.open()
    log.append([note(1), note(2)])
    rows = [json.loads(line) for line in room.lines()]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert [row["kind"] for row in rows] == ["audit.opened", "test.note", "test.note"]
    assert [row["prev"] for row in rows] == ["0" * 64, rows[0]["mac"], rows[1]["mac"]]
    rest = {name: value for name, value in rows[2].items() if name != "mac"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    assert rows[2]["mac"] == hmac.new(room.key.read_bytes(), text, hashlib.sha256).hexdigest()


def test_records_of_one_append_are_one_write(room, monkeypatch):
    log = room.open()
    writes = []
    honest = os.write
    monkeypatch.setattr(files.os, "write", lambda *arguments: writes.append(arguments) or honest(*arguments))
    log.append([note(number) for number in range(100)])
    assert len(writes) == 1
    assert len(room.lines()) == 101


@pytest.mark.parametrize("durable", [True, False])
def test_only_durable_appends_wait_for_the_disk(room, monkeypatch, durable):
    log = room.open()
    synced = []
    honest = os.fdatasync
    monkeypatch.setattr(files.os, "fdatasync", lambda handle: synced.append(handle) or honest(handle))
    log.append([note()], durable=durable)
    assert len(synced) == durable


def test_what_is_no_plain_json_is_refused_and_the_chain_goes_on(room):
    log = room.open()
    for value, error in ((b"bytes", TypeError), (float("nan"), ValueError)):
        with pytest.raises(error):
            log.append([note(), Record("test.note", "tester", {"value": value})])
    log.append([note()])
    room.close()
    assert room.verify().records == 2
    assert room.faults() == []


def test_a_record_that_is_too_long_is_refused(room):
    log = room.open()
    with pytest.raises(StorageUnavailable, match="too long"):
        log.append([note(text="x" * (1 << 20))])
    assert len(room.lines()) == 1


@pytest.mark.anyio
async def test_a_record_from_the_event_loop(room):
    log = room.open()
    await log.record("trading.halted", actor="cli:ann", scope="all", reason="enough")
    [*_, entry] = read(room.path)
    assert (entry.kind, entry.actor, entry.subject) == (
        "trading.halted",
        "cli:ann",
        {"scope": "all", "reason": "enough"},
    )


def test_threads_append_to_one_chain(room):
    log = room.open()
    threads = [
        threading.Thread(target=lambda: [log.append([note(n)], durable=False) for n in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    room.close()
    assert room.verify().records == 201
    assert room.faults() == []


def test_two_logs_of_one_file_go_on_behind_each_other(room):
    first, second = room.open(), room.open()
    for number in range(5):
        first.append([note(number)])
        second.append([note(number), note(number)], durable=False)
    room.close()
    assert room.verify().records == 16
    assert room.faults() == []


def test_who_finds_another_in_the_middle_of_a_record_mends_it(room):
    log = room.open()
    log.append([note(1)])
    with room.log.open("ab") as other:
        other.write(b'{"actor":"other","ki')
    log.append([note(2)])
    room.close()
    assert [one.kind for one in read(room.path)][-2:] == ["audit.recovered", "test.note"]
    assert [one.code for one in log.diagnostics] == ["audit.torn-tail"]
    assert room.faults() == []


# --- what cannot be written


def refused(log, room, problem):
    before = room.log.read_bytes()
    with pytest.raises(StorageUnavailable) as caught:
        log.append([note(7), note(8)])
    assert str(room.log) in caught.value.message
    assert problem in caught.value.message
    assert room.log.read_bytes() == before


def failing(monkeypatch, name, number):
    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, name, fail)


@pytest.mark.parametrize("room_left", [0, 1, 300])
def test_a_full_disk_takes_no_part_of_an_append(room, monkeypatch, room_left):
    log = room.open()
    honest = os.write
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "write", lambda handle, data: honest(handle, data[:room_left]))
        refused(log, room, "No space left on device; nothing was done. Free disk space")
    log.append([note(9)])
    room.close()
    assert room.verify().records == 2
    assert room.faults() == []


def test_a_full_disk_that_says_so_only_when_it_is_synchronised(room, monkeypatch):
    log = room.open()
    with monkeypatch.context() as patch:
        failing(patch, "fdatasync", errno.ENOSPC)
        refused(log, room, "No space left")
    log.append([note()])
    room.close()
    assert room.faults() == []


def test_after_a_disk_that_fails_nothing_is_appended_until_it_is_opened_again(room, monkeypatch):
    log = room.open()
    with monkeypatch.context() as patch:
        failing(patch, "fdatasync", errno.EIO)
        refused(log, room, "Input/output error")
    refused(log, room, "found out when it is opened again")
    room.close()
    room.open().append([note()])
    room.close()
    assert room.faults() == []


def test_what_cannot_be_undone_is_found_when_it_is_opened_again(room, monkeypatch):
    log = room.open()
    honest = os.write
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "write", lambda handle, data: honest(handle, data[:20]))
        failing(patch, "ftruncate", errno.EIO)
        with pytest.raises(StorageUnavailable, match="opened again"):
            log.append([note()])
    room.close()
    again = room.open()
    assert [one.code for one in again.diagnostics] == ["audit.torn-tail"]
    room.close()
    assert room.faults() == []


def test_a_file_made_read_only(room):
    log = room.open()
    room.log.chmod(0o400)
    refused(log, room, "read-only")
    room.log.chmod(0o600)
    log.append([note()])


def test_a_file_that_was_moved_away_or_replaced(room):
    log = room.open()
    away = room.path / "away"
    room.log.rename(away)
    with pytest.raises(StorageUnavailable, match="No such file"):
        log.append([note()])
    room.log.write_bytes(away.read_bytes())
    refused(log, room, "another file was put in its place")


def test_a_file_that_was_cut_under_the_gateway(room):
    log = room.open()
    log.append([note()])
    os.truncate(room.log, len(room.lines()[0]))
    refused(log, room, "it was cut")


def test_lines_that_somebody_without_the_key_appended(room):
    log = room.open()
    with room.log.open("ab") as other:
        other.write(room.lines()[0])
    refused(log, room, "does not follow its last record")


def test_anchors_that_cannot_be_written_stop_the_log_before_it_outruns_them(room):
    log = room.open(anchor_every=2)
    log.append([note()])
    log.append([note()])
    room.anchors.chmod(0o400)
    with pytest.raises(StorageUnavailable, match=str(room.anchors)):
        log.append([note()])
    assert len(room.lines()) == 3
    room.anchors.chmod(0o600)
    log.append([note()])
    room.close()
    assert room.faults() == []


def test_a_lock_that_nobody_lets_go_of(room, monkeypatch):
    log = room.open()
    monkeypatch.setattr(files, "_PATIENCE", 0.01)
    with room.log.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused(log, room, "does not let go")
    log.append([note()])


def test_a_closed_log_says_so(room):
    log = room.open()
    room.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        log.append([note()])
    log.close()
