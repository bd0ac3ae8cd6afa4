"""Reading: from the file alone, oldest first, without what is no record."""

from __future__ import annotations

import pytest

from gatehook import GatehookError
from gatehook.audit import read
from tests.audit.conftest import note


def numbers(entries):
    return [one.seq for one in entries]


def test_without_a_log_there_are_no_records(tmp_path):
    assert list(read(tmp_path)) == []


def test_records_come_oldest_first_without_the_key(room):
    room.filled()
    room.key.unlink()
    assert numbers(read(room.path)) == [1, 2, 3, 4, 5]


def test_since_a_time(room):
    room.filled()
    third = list(read(room.path))[2]
    assert numbers(read(room.path, since=third.ts)) == [3, 4, 5]


@pytest.mark.parametrize("records", [1, 3, 40])
def test_the_end_is_read_without_what_is_before(room, records):
    log = room.open()
    for number in range(40):
        log.append([note(number, text="x" * number * 30)], durable=False)
    found = numbers(read(room.path, last=records))
    assert found == list(range(42 - len(found), 42))
    assert records <= len(found) <= 41


def test_the_end_is_where_it_was_when_the_first_was_asked_for(room):
    log = room.open()
    log.append([note()])
    entries = read(room.path)
    next(entries)
    log.append([note()])
    assert numbers(entries) == [2]


def test_what_is_no_record_is_left_out(room):
    room.filled()
    lines = room.lines()
    lines[1] = b"no record\n"
    lines[2] = b"[" * 5000 + lines[2]
    room.log.write_bytes(b"".join(lines) + b'{"actor":"te')
    assert numbers(read(room.path)) == [1, 4, 5]


def test_a_log_that_cannot_be_read(room):
    room.log.mkdir()
    with pytest.raises(GatehookError, match=r"audit\.unreadable"):
        list(read(room.path))
