"""The plain part of YAML: ``key: value``, ``key: [a, b]``, and lines with a dash below a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import attrs

#: A line that is longer is text.
_LONGEST: Final = 2_000
_KEY: Final = re.compile(r"([A-Za-z][A-Za-z0-9_ -]{0,60}):(?:[ \t]+(.*))?")
_ITEM: Final = re.compile(r"[^][{},]+")
_DASH: Final = re.compile(r"[ ]*-[ \t]+(.*)")
_COMMENT: Final = re.compile(r"[ \t]#.*")
_SINGLE: Final = re.compile(r"'((?:[^']|'')*)'")
_DOUBLE: Final = re.compile(r'"((?:[^"\\]|\\["\\/])*)"')
_ESCAPED: Final = re.compile(r"\\(.)")
#: What a plain value cannot begin with: it would be a list, a reference, text of several lines or a comment.
_MARKS: Final = tuple("[]{}&*!|>%@`#,'\"")
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})


@attrs.frozen(kw_only=True)
class Entry:
    """A key with what belongs to it.

    Attributes:
        lines: where it stands, from 0.
        values: each value with its line, none where the key has none; ``None`` for what is not plain.
        is_list: whether it is written as a list.
    """

    key: str
    lines: tuple[int, ...]
    values: tuple[tuple[int, str], ...] | None
    is_list: bool = False


def entries_of(lines: Sequence[str], first: int, end: int) -> Iterator[Entry]:
    """Yield the entries of the lines from ``first`` up to ``end``; empty lines and comments are in none."""
    starts = [at for at in range(first, end) if _KEY.fullmatch(lines[at])]
    for at, after in pairwise([*starts, end]):
        yield _entry(lines, [at, *(one for one in range(at + 1, after) if _says_something(lines[one]))])


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _entry(lines: Sequence[str], own: Sequence[int]) -> Entry:
    first, *below = own
    found = _KEY.fullmatch(lines[first])
    assert found is not None, "it was found by this pattern"
    given = (found[2] or "").strip()
    if below and given.startswith("#"):  # a comment; without a list below, somebody may have meant it
        given = ""
    is_list = bool(below) or given.startswith("[")
    values: list[tuple[int, str | None]] = [(first, None)]
    if max(len(lines[at]) for at in own) <= _LONGEST and not (given and below):
        values = _below(lines, below) if below else [(first, value) for value in _given(given)]
    plain = tuple((at, value) for at, value in values if value)
    is_plain = all(value is not None for _, value in values)
    return Entry(key=found[1].strip(), lines=tuple(own), values=plain if is_plain else None, is_list=is_list)


def _given(text: str) -> list[str | None]:
    return _inline(text) if text.startswith("[") else [_scalar(text)]


def _below(lines: Sequence[str], below: Sequence[int]) -> list[tuple[int, str | None]]:
    dashes = [(at, _DASH.fullmatch(lines[at])) for at in below]
    return [(at, None if dash is None else _scalar(dash[1].strip())) for at, dash in dashes]


def _scalar(text: str) -> str | None:
    """Return the value of one line, ``""`` for nothing, ``None`` where it is not plain."""
    quoted = _quoted(text)
    if quoted is not None:
        value, rest = quoted
        return value if _says_nothing(rest) else None
    if text.startswith((*_MARKS, "- ", "? ")):
        return None
    value = _COMMENT.sub("", text).strip()
    return "" if value in _NOTHING else value


def _quoted(text: str) -> tuple[str, str] | None:
    """Return what stands in quotes at the beginning, and what follows."""
    if (single := _SINGLE.match(text)) is not None:
        return single[1].replace("''", "'"), text[single.end() :]
    if (double := _DOUBLE.match(text)) is not None:
        return _ESCAPED.sub(r"\1", double[1]), text[double.end() :]
    return None


def _inline(text: str) -> list[str | None]:
    """Return the values of a list that ends on its line, ``None`` among them where they are not plain."""
    values: list[str | None] = []
    rest = text[1:].lstrip()
    while not rest.startswith("]"):
        value, after = _item(rest)
        values.append(value)
        if value is None or not after.startswith((",", "]")):
            return [None]
        rest = after.removeprefix(",").lstrip()
    return values if _says_nothing(rest[1:]) else [None]


def _says_nothing(rest: str) -> bool:
    """Say whether nothing, or a comment, follows."""
    return not rest.strip() or (rest[0].isspace() and rest.lstrip().startswith("#"))


def _item(text: str) -> tuple[str | None, str]:
    """Return the first value of the rest of a list, and what follows."""
    quoted = _quoted(text)
    if quoted is not None:
        return quoted[0], quoted[1].lstrip()
    plain = _ITEM.match(text)
    return (None, "") if plain is None else (_scalar(plain[0].strip()), text[plain.end() :])
