"""Where a Markdown text may be divided: its headings, and how good a break before each line is."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING
from typing import Final

import attrs

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_WHOLE: Final = frozenset({"fence", "code_block", "table_open", "html_block"})


class Break(IntEnum):
    """How good it is to begin a chunk with a line, worst first."""

    INSIDE = 0
    LINE = 1
    ITEM = 2
    BLOCK = 3


@attrs.frozen
class Heading:
    """A heading by the line it begins on and the line after it (from 0), its level and its words."""

    first: int
    end: int
    level: int
    title: str


@attrs.frozen
class Outline:
    """Headings in their order, and for each line how good a break before it is."""

    headings: tuple[Heading, ...]
    breaks: tuple[Break, ...]


def outline_of(lines: Sequence[str], front: int = 0) -> Outline:
    """Read the structure of Markdown lines; plain text is Markdown with paragraphs. A heading in a list is none.

    The first ``front`` lines are front matter: there is no heading in it, and it is torn apart only if it must be.
    """
    tokens = _parser().parse("\n".join([*[""] * front, *lines[front:]]))
    breaks = [Break.LINE] * len(lines)
    for token in tokens:
        _note(token, breaks)
    if front:
        breaks[:front] = [Break.BLOCK, *[Break.INSIDE] * (front - 1)]
    return Outline(tuple(_headings(tokens)), tuple(breaks))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # What is inside a line is never looked at.
    return MarkdownIt("commonmark").enable("table").disable("inline")


def _headings(tokens: Sequence[Token]) -> Iterable[Heading]:
    for token, inside in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            title = " ".join(inside.content.split())
            yield Heading(token.map[0], token.map[1], int(token.tag[1:]), title)


def _note(token: Token, breaks: list[Break]) -> None:
    if token.map is None or token.nesting < 0:
        return
    first, end = token.map
    if token.type in _WHOLE:
        breaks[first + 1 : end] = [Break.INSIDE] * (min(end, len(breaks)) - first - 1)
    if token.level == 0:
        breaks[first] = Break.BLOCK
    elif token.type == "list_item_open" or token.type in _WHOLE or token.type == "paragraph_open":
        breaks[first] = max(breaks[first], Break.ITEM)
