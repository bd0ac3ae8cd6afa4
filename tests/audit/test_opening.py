"""Opening: the key is made once, the end is found, what is torn is mended, what was harmed is refused."""

from __future__ import annotations

import os
import stat

import psutil
import pytest

from gatehook import GatehookError
from gatehook.audit import files
from gatehook.audit import key
from gatehook.audit import read
from tests.audit.conftest import note


def refusal(room, **places):
    with pytest.raises(GatehookError) as caught:
        room.open(**places)
    [problem] = caught.value.diagnostics
    return problem


def test_a_new_log_has_a_key_an_anchor_and_a_first_record_for_its_owner_only(room):
    room.open()
    assert len(room.key.read_bytes()) == 32
    for path in (room.log, room.key, room.anchors):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.kind for one in read(room.path)] == ["audit.opened"]
    assert len(room.anchors.read_bytes().splitlines()) == 1
    assert sorted(one.name for one in room.path.iterdir()) == ["audit.anchors", "audit.jsonl", "audit.key"]


def test_names_of_new_files_are_made_durable(room, monkeypatch):
    synced = []
    for module in (files, key):
        honest = module.sync_directory
        monkeypatch.setattr(module, "sync_directory", lambda path, honest=honest: synced.append(path) or honest(path))
    room.open()
    assert synced == [room.path] * 3
    room.open()
    assert synced == [room.path] * 3


def test_key_and_anchors_can_be_elsewhere(room, tmp_path):
    (tmp_path / "far").mkdir()
    places = {"key_file": tmp_path / "far" / "key", "anchors": tmp_path / "far" / "anchors"}
    room.open(**places).append([note()])
    room.close()
    assert not room.key.exists()
    assert room.verify(**places).problems == ()
    room.open(**places)


def test_the_key_is_not_replaced_when_two_make_one(room, monkeypatch):
    honest = os.link

    def later(source, target):
        room.key.write_bytes(b"k" * 32)
        honest(source, target)

    monkeypatch.setattr(key.os, "link", later)
    room.open()
    assert room.key.read_bytes() == b"k" * 32
    assert room.faults() == []


def test_a_log_without_its_key_is_not_given_another(room):
    room.filled()
    room.key.unlink()
    assert refusal(room).code == "audit.key-unusable"
    assert not room.key.exists()


def test_another_key_is_noticed(room):
    before = room.filled()
    room.key.write_bytes(b"x" * 32)
    assert refusal(room).code == "audit.damaged"
    assert room.log.read_bytes() == before


@pytest.mark.parametrize("size", [0, 31])
def test_a_key_that_is_too_short(room, size):
    room.key.write_bytes(b"x" * size)
    assert refusal(room).code == "audit.key-unusable"


def test_a_key_that_others_can_read(room):
    room.filled()
    room.key.chmod(0o640)
    assert [one.code for one in room.open().diagnostics] == ["audit.key-exposed"]


def test_torn_at_each_byte_exactly_the_torn_part_is_cut(room):
    whole = room.filled(3)
    anchors = room.anchors.read_bytes()
    last = room.lines()[-1]
    kept = whole[: -len(last)]
    for size in range(1, len(last)):
        room.log.write_bytes(kept + last[:size])
        room.anchors.write_bytes(anchors.splitlines(keepends=True)[0])  # the process ended before it anchored
        log = room.open()
        [torn] = log.diagnostics
        assert torn.code == "audit.torn-tail"
        room.close()
        *before, recovered = read(room.path)
        assert recovered.kind == "audit.recovered"
        completed = size == len(last) - 1  # all but the line feed is a whole record, and stays
        assert recovered.subject == {"cut": 0 if completed else size, "completed": completed}
        assert len(before) == (3 if completed else 2)
        assert room.log.read_bytes().startswith(whole if completed else kept)
        assert room.faults() == []


def test_torn_in_the_first_record(room):
    whole = room.filled(1)
    for size in range(1, len(whole) - 1):
        room.log.write_bytes(whole[:size])
        room.anchors.unlink()
        room.open()
        room.close()
        assert [one.kind for one in read(room.path)] == ["audit.opened"]
        assert room.faults() == []


def test_torn_anchors_at_each_byte(room):
    room.filled(2, anchor_every=1)
    first, *_, last = room.anchors.read_bytes().splitlines(keepends=True)
    for size in range(1, len(last)):
        room.anchors.write_bytes(first + last[:size])
        room.open()
        room.close()
        assert room.faults() == []


def test_zeros_behind_the_last_record_are_cut(room):
    whole = room.filled()
    room.log.write_bytes(whole + b"\0" * 5000)
    room.open()
    room.close()
    assert room.log.read_bytes().startswith(whole + b'{"actor":"gatehook","kind":"audit.recovered"')


def test_a_last_record_that_was_edited_is_refused(room):
    whole = room.filled()
    room.log.write_bytes(whole.replace(b'"number":3', b'"number":4'))
    assert refusal(room).code == "audit.damaged"


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_a_log_that_was_cut_is_refused(room, kept):
    room.filled()
    room.log.write_bytes(b"".join(room.lines()[:kept]))
    problem = refusal(room)
    assert problem.code == "audit.damaged"
    assert "record 5 was anchored" in problem.message


def test_a_log_that_was_removed_is_refused(room):
    room.filled()
    room.log.unlink()
    assert refusal(room).code == "audit.damaged"


def test_an_older_log_that_went_another_way_is_refused(room):
    room.filled(3)
    older = room.log.read_bytes(), room.anchors.read_bytes()
    room.open().append([note(1)])
    room.close()
    newer = room.anchors.read_bytes()
    room.log.write_bytes(older[0])
    room.anchors.write_bytes(older[1])
    room.open().append([note(2)])
    room.close()
    room.anchors.write_bytes(newer)
    assert "not the one that was anchored" in refusal(room).message


def test_missing_anchors_are_said_and_never_forgotten(room):
    room.filled()
    room.anchors.unlink()
    assert [one.code for one in room.open().diagnostics] == ["audit.anchors-missing"]
    room.close()
    assert [one.code for one in room.open().diagnostics] == []
    room.close()
    [problem] = room.verify().problems
    assert "begin at record 5" in problem.text


@pytest.mark.parametrize("name", ["log", "anchors"])
def test_a_file_that_is_read_only(room, name):
    before = room.filled()
    path = getattr(room, name)
    path.chmod(0o400)
    problem = refusal(room)
    assert (problem.code, problem.path) == ("audit.unavailable", path)
    assert room.log.read_bytes() == before


@pytest.mark.parametrize("name", ["log", "anchors"])
def test_a_directory_in_the_place_of_a_file(room, name):
    getattr(room, name).mkdir()
    problem = refusal(room)
    assert problem.code == "audit.unavailable"
    assert problem.path == getattr(room, name)


@pytest.mark.parametrize("name", ["key_file", "anchors"])
def test_a_place_that_there_is_not(room, name):
    path = room.path / "nowhere" / "file"
    problem = refusal(room, **{name: path})
    assert (problem.code, problem.path) == ("audit.unavailable", path)


def test_a_refused_opening_leaves_no_file_open(room):
    room.filled()
    room.key.write_bytes(b"x" * 32)
    before = psutil.Process().num_fds()
    refusal(room)
    refusal(room)
    assert psutil.Process().num_fds() == before
