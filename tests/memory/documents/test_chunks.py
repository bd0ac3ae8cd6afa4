"""Chunks: every line in one of them, ranges that can be cited, ids that stay."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.memory.documents.chunks import chunks_of
from gatehook.memory.documents.front_matter import front_matter_of
from gatehook.memory.documents.texts import NotText
from gatehook.memory.documents.texts import lines_of
from gatehook.memory.documents.texts import text_of

_LINE = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "# One",
            "## Two",
            "### Three",
            "Title",
            "=====",
            "-----",
            "---",
            "...",
            "```",
            "~~~",
            "| a | b |",
            "|---|---|",
            "| 1 | 2 |",
            "- item",
            "  - inner",
            "    code",
            "> quote",
            "> # no heading",
            "<div>",
            "</div>",
            "1. first",
            "[ref]: http://x",
            "&nbsp;",
            "\tx",
            "#",
            "####### seven",
            "    # code",
            "* * *",
            "`",
            "\u2028",
        ]
    ),
    st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), max_size=60),
)
_TEXT = st.builds(
    lambda lines, end, last: end.join(lines) + (end if last else ""),
    st.lists(_LINE, max_size=40),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)


def trails(text):
    return [(" > ".join(chunk.trail), chunk.first, chunk.last) for chunk in chunks_of("a.md", text)]


@given(_TEXT, st.integers(1, 200))
@settings(deadline=None)
def test_every_line_is_in_exactly_one_chunk_and_the_ranges_are_right(text, largest):
    given, chunks = lines_of(text), chunks_of("a.md", text, largest=largest)
    front = front_matter_of(given)
    lines = front.text_of(given)
    at = chunks[0].first if chunks and front.lines else 1
    assert not any(line.strip() for line in lines[: at - 1])
    for chunk in chunks:
        assert 1 <= chunk.first <= chunk.last <= len(lines)
        assert len(chunk.text) <= largest
        if len(lines[chunk.first - 1]) >= largest:
            assert chunk.first == chunk.last
            assert chunk.first in (at, at - 1)
            assert chunk.text in lines[chunk.first - 1]
        else:
            assert chunk.first == at
            assert chunk.text == "\n".join(lines[chunk.first - 1 : chunk.last])
        at = chunk.last + 1
    assert at == len(lines) + 1 or not any(line.strip() for line in lines[at - 1 :])


@given(st.text(max_size=300), st.integers(1, 40))
@settings(deadline=None)
def test_the_pieces_of_a_long_line_make_the_line(line, largest):
    line = re.sub("[\r\n\0]", "", line)
    chunks = chunks_of("a.md", line, largest=largest)
    assert "".join(chunk.text for chunk in chunks) == line
    assert all(len(chunk.text) <= largest for chunk in chunks)


@given(_TEXT, st.integers(1, 200))
@settings(deadline=None)
def test_ids_are_unique_and_the_same_every_time(text, largest):
    ids = [chunk.id for chunk in chunks_of("a.md", text, largest=largest)]
    assert len(set(ids)) == len(ids)
    assert ids == [chunk.id for chunk in chunks_of("a.md", text, largest=largest)]
    assert not set(ids) & {chunk.id for chunk in chunks_of("b.md", text, largest=largest)}


_WORDS = st.lists(st.sampled_from(["stop", "entry", "risk", "long", "short"]), min_size=1, max_size=30).map(" ".join)
_BODY = st.lists(_WORDS, min_size=1, max_size=6).map("\n\n".join)


@given(st.lists(_BODY, min_size=1, max_size=6), st.data())
@settings(deadline=None)
def test_an_edit_changes_only_the_chunks_below_its_heading(bodies, data):
    at = data.draw(st.integers(0, len(bodies) - 1))
    edited = [*bodies[:at], data.draw(_BODY), *bodies[at + 1 :]]

    def chunked(texts):
        text = "".join(f"## Part {n}\n\n{body}\n\n" for n, body in enumerate(texts))
        return {chunk.id: chunk for chunk in chunks_of("a.md", text, largest=80)}

    before, after = chunked(bodies), chunked(edited)
    touched = (f"Part {at}",)
    assert {one.id for one in before.values() if one.trail != touched} <= after.keys()
    for one in after.values():
        if one.trail != touched:
            assert (one.text, one.previous) == (before[one.id].text, before[one.id].previous)


def test_headings_of_both_kinds_make_a_trail():
    text = "Book\n====\n\nintro\n\nStops\n-----\n\nwhere\n\n### Moving ###\n\nup\n\n# Next\n\nend\n"
    assert trails(text) == [
        ("Book", 1, 5),
        ("Book > Stops", 6, 10),
        ("Book > Stops > Moving", 11, 14),
        ("Next", 15, 17),
    ]


def test_a_heading_without_a_body_goes_with_the_section_below_it():
    assert trails("# Book\n\n## Stops\n\nwhere\n") == [("Book > Stops", 1, 5)]
    assert trails("# Empty\n\n# Next\n\ntext\n# Last") == [("Empty", 1, 2), ("Next", 3, 5), ("Last", 6, 6)]


def test_what_looks_like_a_heading_in_code_is_none():
    assert trails("# A\n\n```\n# no\n```\n\n    # no\n\n> # no\n\n- # no\n") == [("A", 1, 11)]


def test_text_without_a_heading_is_divided_between_paragraphs():
    text = "\n\n".join(f"paragraph {n} " + "word " * 30 for n in range(10))
    chunks = chunks_of("a.txt", text, largest=400)
    assert len(chunks) > 3
    assert all(chunk.trail == () and chunk.text.startswith("paragraph") for chunk in chunks)
    assert [chunk.previous for chunk in chunks] == [None, *(chunk.id for chunk in chunks[:-1])]


def test_front_matter_is_neither_a_heading_nor_torn_apart():
    front = "---\nsource: the desk\nmood: {good: 1}\n---\n"
    assert trails(front + "\nintro\n\n# A\n\nx\n") == [("", 2, 7), ("A", 8, 10)]
    assert chunks_of("a.md", front + "word " * 20, largest=60)[0].text == front[4:-5] + "\n"
    assert trails("---\nno end\n\n# A\n\nx") == [("", 1, 3), ("A", 4, 6)]


@pytest.mark.parametrize(
    "block",
    ["```python\n" + "x = 1\n" * 12 + "```", "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 6 + "| 3 | 4 |"],
    ids=["fence", "table"],
)
def test_a_fence_or_table_that_fits_is_kept_whole(block):
    text = "# A\n\n" + "some words before it, and more of them\n" * 2 + "\n" + block + "\n\nafter\n"
    chunks = chunks_of("a.md", text, largest=len(block) + 10)
    assert any(block in chunk.text for chunk in chunks)


def test_a_fence_that_does_not_fit_is_divided_between_lines():
    text = "```\n" + "line of code\n" * 40 + "```\n"
    assert all(len(chunk.text) <= 100 for chunk in chunks_of("a.md", text, largest=100))


def test_a_long_list_is_divided_between_items():
    text = "Rules:\n" + "".join(f"- rule {n}\n  that goes on\n" for n in range(20))
    chunks = chunks_of("a.md", text, largest=150)
    assert all(chunk.text.startswith(("Rules:", "- rule")) for chunk in chunks)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_make_no_difference(end):
    text = "# A\n\nx\n\n## B\n\ny\n"
    assert chunks_of("a.md", text.replace("\n", end)) == chunks_of("a.md", text)


def test_a_very_long_path_has_an_id_that_a_memory_takes():
    (one,) = chunks_of("d/" * 2000 + "a.md", "text")
    assert len(one.id) < 1000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_utf8_or_what_its_mark_names(encoding):
    assert text_of("# Ä 成語\n".encode(encoding)) == "# Ä 成語\n"


@pytest.mark.parametrize("data", [b"caf\xe9", b"PK\x03\x04\0\0", b"\xff\xfe\x00", b"\xef\xbb\xbf\xff"])
def test_other_bytes_are_no_text_and_not_quoted(data):
    with pytest.raises(NotText) as error:
        text_of(data)
    assert "caf" not in str(error.value)


def test_nothing_has_no_chunks():
    assert chunks_of("a.md", "") == ()
