"""Front matter: the plain part of it is read, whatever else stands there stays text, all lines keep their numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds.times import from_rfc3339
from gatehook.memory.documents.chunks import chunks_of
from gatehook.memory.documents.front_matter import FrontMatter
from gatehook.memory.documents.front_matter import front_matter_of


def read(*lines, end="---"):
    return front_matter_of(["---", *lines, end, "body"])


def left(*lines):
    """What of these lines stays text."""
    given = ["---", *lines, "---", "body"]
    return [line for line in front_matter_of(given).text_of(given)[:-1] if line]


def test_what_a_note_says_of_itself():
    found = read(
        "title: 'It''s a plan'", "tags: [ETH, swing/long]", "date: 2024-05-01", "aliases:", "- the plan", end="..."
    )
    assert (found.lines, found.title, found.tags, found.aliases) == (
        7,
        "It's a plan",
        ("ETH", "swing/long"),
        ("the plan",),
    )
    assert found.date == ("2024-05-01", from_rfc3339("2024-05-01T00:00:00Z"))


@pytest.mark.parametrize(
    "lines",
    [
        ["tags: [a b, c]"],
        ["tags: ['a b', \"c\",]  # both"],
        ["tags:", "  - a b", "  - '#c'"],
        ["tags:", "- a b", "", "- c   # why", "- "],
        ["Tags: [ a b ,c, c, '', ~]"],
        ["tag:", '- "a b"', "- c"],
        ["tags:   # both", "- a b", "# why", "- c"],
    ],
)
def test_tags_in_every_plain_form(lines):
    assert read(*lines).tags == ("a b", "c")


def test_a_text_of_tags_is_divided():
    assert read("tags: a, b").tags == read("tags: a b").tags == read("tags: '#a #b'").tags == ("a", "b")


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2024-05-01", "2024-05-01T00:00:00Z"),
        ('"2024-05-01"', "2024-05-01T00:00:00Z"),
        ("2024-05-01 # a Wednesday", "2024-05-01T00:00:00Z"),
        ("2024-05-01 13:45", "2024-05-01T13:45:00Z"),
        ("2024-05-01T13:45:10.25Z", "2024-05-01T13:45:10.25Z"),
        ("2024-05-01T13:45:10+02:00", "2024-05-01T11:45:10Z"),
        ("2024-05-01 13:45:10 -05:00", "2024-05-01T18:45:10Z"),
    ],
)
def test_dates(text, when):
    found = read(f"date: {text}")
    assert found.date is not None
    assert found.date[1] == from_rfc3339(when)


@pytest.mark.parametrize(
    "text", ["2024-13-01", "2024-02-30", "2024", "01.05.2024", "{{date}}", "0001-01-01", "9999-01-01", "tomorrow"]
)
def test_what_is_no_date_stays_text(text):
    assert read(f"date: {text}").date is None
    assert left(f"date: {text}") == [f"date: {text}"]


def test_created_counts_where_there_is_no_date():
    assert read("created: 2024-05-01").date == read("date: 2024-05-01").date
    assert read("created: 2023-01-01", "date: 2024-05-01").date == read("date: 2024-05-01").date
    assert left("created: 2023-01-01", "date: 2024-05-01") == ["created: 2023-01-01"]
    assert read("date:", "created: 2024-05-01").date == read("date: 2024-05-01").date


@pytest.mark.parametrize(
    "lines",
    [
        ["tags: [a, [b]]"],
        ["tags: [a"],
        ["tags: {a: 1}"],
        ["tags: &here [a]"],
        ["tags: *there"],
        ["tags: !!set [a]"],
        ["tags:", "  - a", "  more"],
        ["tags:", "  a: b"],
        ["tags: a", "  b"],
        ["tags: [a] b"],
        ["tags: |", "  a"],
        ["title: >-", "  folded"],
        ['title: "no end'],
        ['title: "\\u0041"'],
        ["title: [a, b]"],
        ["title: " + "long " * 200],
        ["tags: [" + ", ".join(map(str, range(101))) + "]"],
        ["tags: [" + "x" * 201 + "]"],
        ["tags: #a"],
        ["author: me"],
        ["https://example.com/a"],
        ["just words"],
        ["# a comment"],
        ["\ttitle: x"],
    ],
)
def test_whatever_else_stays_text(lines):
    assert left(*lines) == lines
    assert read(*lines) == FrontMatter(lines=len(lines) + 2, shown={0: "", len(lines) + 1: ""})


def test_a_key_counts_once_and_nothing_given_is_nothing():
    assert left("title: one", "title: two", "tags: []", "aliases: ~", "date:") == ["one", "title: two"]


def test_title_and_aliases_are_text_without_their_keys():
    assert left("title: ETH: the plan # draft", "aliases: [a, 'b']", "tags: [x]", "tag: y") == [
        "ETH: the plan",
        "a, b",
        "tag: y",
    ]


@pytest.mark.parametrize(
    "lines", [[], ["body"], ["--- a", "title: x", "---"], ["---", "title: x"], ["", "---", "title: x", "---"]]
)
def test_without_two_fences_there_is_none(lines):
    assert front_matter_of(lines) == FrontMatter()


def ranges(text):
    return [(chunk.trail, chunk.first, chunk.last, chunk.text) for chunk in chunks_of("a.md", text)]


def test_chunks_keep_their_lines():
    front = "---\ntags: [risk]\ndate: 2024-05-01\n---\n"
    assert ranges(f"{front}intro\n\n# A\nx\n") == [((), 5, 6, "intro\n"), (("A",), 7, 8, "# A\nx")]
    assert ranges(f"{front}# A\nx\n") == [(("A",), 5, 6, "# A\nx")]
    assert ranges(front) == []


def test_a_title_goes_with_what_is_below_it():
    front = "---\ntags: [risk]\ntitle: Stops\n---\n"
    assert ranges(f"{front}# A\nx\n") == [(("A",), 3, 6, "Stops\n\n# A\nx")]
    assert ranges(f"{front}intro\n# A\nx\n") == [((), 3, 5, "Stops\n\nintro"), (("A",), 6, 7, "# A\nx")]
    assert ranges(front) == [((), 3, 4, "Stops\n")]


_PIECE = st.sampled_from(
    [
        "title:",
        "tags:",
        "date:",
        "aliases:",
        "other:",
        " ",
        "- ",
        "[",
        "]",
        ",",
        "'",
        '"',
        "#",
        "a",
        "b c",
        "2024-05-01",
        "\\",
        "{",
        "~",
        "\t",
        "é",
    ]
)
_LINE = st.lists(_PIECE, max_size=8).map("".join)


def is_in(value, written):
    """Say whether a value stands in a text: plain, in single quotes or in double ones."""
    return any(value in way for way in (written, written.replace("''", "'"), re.sub(r"\\(.)", r"\1", written)))


@given(st.lists(_LINE, max_size=8))
@settings(deadline=None)
def test_anything_is_read_or_stays(lines):
    given = ["---", *lines, "---", "body"]
    found = front_matter_of(given)
    text = found.text_of(given)
    assert len(text) == len(given)
    for at, line in enumerate(lines, 1):
        assert found.aliases or is_in(text[at], line)
        if line.startswith("other:"):
            assert text[at] == line
    assert all(tag and is_in(tag, "\n".join(lines)) for tag in found.tags)
    assert "".join(chunk.text for chunk in chunks_of("a.md", "\n".join(given))).endswith("body")
