"""Recalled text is known again: whole, nested, cut off, edited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds.memory import Hit
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.recalled import mark_recalled
from gatehook.memory.recalled import strip_recalled


def recalled(text, doc_id="note-1", namespace=("notes",)):
    doc = MemoryDoc(id=doc_id, text=text, namespace=namespace, ts=1)
    stored = StoredDoc(doc=doc, revision=1, created_at=1, ingested_at=1)
    return mark_recalled(Hit(stored=stored, score=1.0, snippet=""))


MARKED = recalled("stop below\nthe low")


def test_a_person_can_read_a_marker():
    first, *inside, last = MARKED.splitlines()
    assert first.startswith("[memory:notes/note-1 begin ")
    assert last.startswith("[memory:notes/note-1 end ")
    assert inside == ["stop below", "the low"]
    assert MARKED.isascii()


_OWN = st.text(st.sampled_from("ab \n"), max_size=30).map(lambda text: text + "\n")
_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.lists(st.tuples(_OWN, _ANY, st.text("x/[ ]ä", min_size=1, max_size=5)), max_size=5), _OWN)
@settings(deadline=None)
def test_what_is_not_recalled_stays_as_it_was(pieces, last):
    text = "".join(own + recalled(inside, doc_id) for own, inside, doc_id in pieces) + last
    assert strip_recalled(text) == "".join(own for own, _, _ in pieces) + last


@given(_ANY, _ANY)
@settings(deadline=None)
def test_every_other_line_keeps_its_number(inside, after):
    text = "own\n" + recalled(inside) + "tail"
    kept = strip_recalled(text, keep_lines=True)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = kept.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert (len(found), found[0], found[-1]) == (len(lines), "own", "tail")
    assert not any(found[1:-1])


def test_inside_each_other():
    outer = recalled("before\n" + MARKED + "after", "note-2")
    assert strip_recalled("a\n" + outer + "b\n") == "a\nb\n"


def test_the_same_twice():
    assert strip_recalled(MARKED + "mine\n" + MARKED) == "mine\n"


@pytest.mark.parametrize("cut", range(60, len(MARKED), 7))
def test_cut_off_behind(cut):
    assert strip_recalled("mine\n" + MARKED[:cut]) == "mine\n"


def test_cut_off_behind_takes_no_more_than_was_recalled():
    begin, one, two, _ = MARKED.splitlines(keepends=True)
    assert strip_recalled(begin + one + two + "my answer\n") == "my answer\n"


def test_cut_off_in_front():
    _, one, two, end = MARKED.splitlines(keepends=True)
    assert strip_recalled("mine\n" + one + two + end + "more\n") == "mine\nmore\n"
    assert strip_recalled(two + end + "more\n") == "more\n"


def test_one_marker_edited():
    begin, one, two, end = MARKED.splitlines(keepends=True)
    crooked = end.replace("end ", "end 0")[:-1].replace("lines", "l") + "\n"
    assert "stop below" not in strip_recalled(begin + one + two + crooked)
    other = begin[: begin.index("begin ") + 6] + "0" * 12 + begin[begin.index(" lines") :]
    assert strip_recalled("mine\n" + other + one + two + end + "more\n") == "mine\nmore\n"


def test_edited_between_the_markers_is_still_recalled():
    begin, one, two, end = MARKED.splitlines(keepends=True)
    assert strip_recalled(begin + one + "added\nlines\n" + two + end) == ""


def test_quoted_and_indented():
    quoted = "".join("> " + line for line in MARKED.splitlines(keepends=True))
    assert "stop" not in strip_recalled("mine\n" + quoted)
    assert strip_recalled("mine\n" + quoted).startswith("mine\n")


def test_put_on_one_line():
    assert strip_recalled("mine " + " ".join(MARKED.split("\n")) + "more").split() == ["mine", "more"]


@given(st.text(st.sampled_from("[memory:a begin 0123456789ab lines=1]\nend"), max_size=200))
@settings(deadline=None)
def test_nothing_like_a_marker_breaks_it(text):
    assert len(strip_recalled(text)) <= len(text)


def test_a_marker_that_lies_about_its_lines_is_quick():
    lie = "[memory:x begin 000000000000 lines=999999999]\n"
    assert strip_recalled("mine\n" + lie * 200 + "rest") == "mine\n"
    text = ("x\n" * 50 + "[memory:x end 000000000000 lines=3]\n") * 200
    assert strip_recalled(text).count("x") == 47 * 200
