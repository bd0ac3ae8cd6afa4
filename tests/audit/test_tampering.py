"""Whatever is done to a log by whoever has not its key is found, and named by what it is and where."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.audit.problems import MOST
from tests.audit.conftest import note

RECORDS = 5
PLACES = range(1, RECORDS + 1)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def written(room):
    """A log of five records, anchored at its beginning and its end."""
    room.filled(RECORDS)
    return room


def rewrite(room, lines):
    room.log.write_bytes(b"".join(lines))


def test_what_nobody_touched_is_whole(written):
    found = written.verify()
    assert (found.records, found.first, found.last, found.problems) == (RECORDS, 1, RECORDS, ())


def test_nothing_is_whole(room):
    found = room.verify()
    assert (found.records, found.first, found.last, found.problems) == (0, None, None, ())


def test_verifying_changes_nothing(written):
    written.log.write_bytes(written.log.read_bytes()[:-10])
    before = [path.read_bytes() for path in (written.log, written.key, written.anchors)]
    written.verify()
    assert [path.read_bytes() for path in (written.log, written.key, written.anchors)] == before


@pytest.mark.parametrize("seq", PLACES)
def test_a_record_taken_out(written, seq):
    lines = written.lines()
    del lines[seq - 1]
    rewrite(written, lines)
    assert written.faults() == [("cut" if seq == RECORDS else "dropped", seq)]


@pytest.mark.parametrize("kept", range(RECORDS))
def test_an_end_cut_off_at_a_record(written, kept):
    rewrite(written, written.lines()[:kept])
    assert written.faults() == [("cut", kept + 1)]


@pytest.mark.parametrize("seq", PLACES)
def test_a_record_written_twice(written, seq):
    lines = written.lines()
    for place in range(seq, RECORDS + 1):
        rewrite(written, [*lines[:place], lines[seq - 1], *lines[place:]])
        assert written.faults() == [("duplicated", seq)]


@pytest.mark.parametrize("seq", PLACES[:-1])
def test_two_records_in_the_other_order(written, seq):
    lines = written.lines()
    lines[seq - 1], lines[seq] = lines[seq], lines[seq - 1]
    rewrite(written, lines)
    assert written.faults() == [("reordered", seq)]


@pytest.mark.parametrize("seq", PLACES)
def test_a_record_moved_to_the_end(written, seq):
    lines = written.lines()
    rewrite(written, [*lines[: seq - 1], *lines[seq:], lines[seq - 1]])
    assert written.faults() == ([] if seq == RECORDS else [("reordered", seq)])


@pytest.mark.parametrize("seq", PLACES)
def test_a_line_put_in(written, seq):
    lines = written.lines()
    rewrite(written, [*lines[:seq], b'{"seq":2,"kind":"made.up"}\n', *lines[seq:]])
    kind = "edited" if seq == RECORDS else "inserted"  # behind the last, it could have been a record
    assert written.faults() == [(kind, seq + 1)]


@pytest.mark.parametrize("seq", PLACES)
def test_any_byte_of_a_record_changed(written, seq):
    lines = written.lines()
    line = lines[seq - 1]
    for place in range(len(line) - 1):
        for other in (line[place] ^ 1, line[place] ^ 0x20, 0):
            lines[seq - 1] = line[:place] + bytes([other]) + line[place + 1 :]
            rewrite(written, lines)
            assert ("edited", seq) in written.faults(), (place, other)


def test_any_byte_taken_out_or_put_in(written):
    whole = written.log.read_bytes()
    for place in range(len(whole)):
        for changed in (whole[:place] + whole[place + 1 :], whole[:place] + b" " + whole[place:]):
            written.log.write_bytes(changed)
            assert written.faults(), place


def test_an_end_cut_off_at_any_byte(written):
    whole = written.log.read_bytes()
    ends = [0]
    for line in written.lines():
        ends.append(ends[-1] + len(line))
    for size in range(len(whole)):
        written.log.write_bytes(whole[:size])
        found = {what for what, _ in written.faults()}
        assert found == ({"cut"} if size in ends else {"torn", "cut"}), size


@QUICK
@given(st.data())
def test_any_arrangement_of_the_lines_but_the_right_one(written, data):
    lines = written.lines()
    try:
        order = data.draw(st.lists(st.integers(0, RECORDS - 1), max_size=8))
        rewrite(written, [lines[index] for index in order])
        assert bool(written.faults()) is (order != list(range(RECORDS)))
    finally:
        rewrite(written, lines)


@QUICK
@given(st.data())
def test_any_bytes_in_the_place_of_others(written, data):
    whole = written.log.read_bytes()
    try:
        start = data.draw(st.integers(0, len(whole)))
        stop = data.draw(st.integers(start, len(whole)))
        put = data.draw(st.binary(max_size=40))
        written.log.write_bytes(whole[:start] + put + whole[stop:])
        assert bool(written.faults()) is (written.log.read_bytes() != whole)
    finally:
        written.log.write_bytes(whole)


def test_records_of_another_log_of_the_same_key(written, tmp_path):
    other = type(written)(tmp_path / "other")
    other.path.mkdir()
    other.key.write_bytes(written.key.read_bytes())
    next(other._ticks)
    other.filled(RECORDS)
    lines = written.lines()
    rewrite(written, [*lines[:2], *other.lines()[2:]])
    assert written.faults() == [("replaced", 3), ("replaced", 5)]


def test_another_key(written):
    written.key.write_bytes(b"x" * 32)
    assert written.faults() == [("key", None)]


def test_without_the_key_the_order_is_still_checked(written):
    written.key.unlink()
    assert written.faults() == [("key", None)]
    lines = written.lines()
    rewrite(written, [lines[0], *lines[2:]])
    assert written.faults() == [("key", None), ("dropped", 2)]


def test_a_line_without_end_is_one_problem_and_costs_no_memory(written):
    lines = written.lines()
    rewrite(written, [*lines[:2], b"x" * (3 << 20) + b"\n", *lines[2:]])
    assert {what for what, _ in written.faults()} == {"inserted"}


def test_more_problems_than_anybody_reads_are_counted(room):
    log = room.open()
    log.append([note(number) for number in range(MOST + 300)])
    room.close()
    lines = [line.replace(b"tester", b"nobody") for line in room.lines()]
    rewrite(room, lines)
    found = room.verify().problems
    assert len(found) == MOST + 1
    assert found[-1].text == "and 300 more"


# --- the anchors


@pytest.fixture
def anchored(room):
    """A log that is anchored behind each record."""
    room.filled(RECORDS, anchor_every=1)
    assert len(room.anchors.read_bytes().splitlines()) == RECORDS
    return room


def test_anchors_missing(anchored):
    anchored.anchors.unlink()
    [problem] = anchored.verify().problems
    assert (problem.what, "are missing" in problem.text) == ("anchors", True)


def test_any_byte_of_the_anchors_changed(anchored):
    whole = anchored.anchors.read_bytes()
    for place in range(len(whole)):
        anchored.anchors.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert "anchors" in {what for what, _ in anchored.faults()}, place


@pytest.mark.parametrize("number", range(RECORDS - 1))
def test_an_anchor_taken_out(anchored, number):
    lines = anchored.anchors.read_bytes().splitlines(keepends=True)
    del lines[number]
    anchored.anchors.write_bytes(b"".join(lines))
    assert "anchors" in {what for what, _ in anchored.faults()}


def test_an_older_copy_of_the_anchors_from_another_place_still_proves_what_it_knows(anchored, tmp_path):
    copy = tmp_path / "elsewhere"
    copy.write_bytes(b"".join(anchored.anchors.read_bytes().splitlines(keepends=True)[:4]))
    assert anchored.verify(anchors=copy).problems == ()
    rewrite(anchored, anchored.lines()[:3])
    anchored.anchors.unlink()
    assert [str(one.what) for one in anchored.verify(anchors=copy).problems] == ["cut"]


def test_a_line_of_the_anchors_is_no_record(anchored):
    rewrite(anchored, [*anchored.lines(), anchored.anchors.read_bytes().splitlines(keepends=True)[-1]])
    assert anchored.faults() == [("edited", RECORDS + 1)]
