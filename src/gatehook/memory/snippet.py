"""The part of a text that shows why it was found, the same for every memory."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from gatehook.memory.text import Unit
from gatehook.memory.text import fold

_ENDINGS: Final = ("ings", "ing", "ers", "ed", "er", "es", "ly", "s")
_MIN_STEM: Final = 3
_MAX_MATCHES: Final = 64
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ELLIPSIS: Final = "…"

Span = tuple[int, int]


def snippet(text: str, units: Iterable[Unit], length: int) -> tuple[str, tuple[Span, ...]]:
    """Cut at most ``length`` characters out of a text where most of the query's words stand close together.

    Control characters become spaces. Returns the snippet and the (start, end) of each match in it.
    """
    matches = _matches(fold(text), units)
    start, end = _window(text, matches, length)
    lead, tail = _ELLIPSIS if start else "", _ELLIPSIS if end < len(text) else ""
    shift = len(lead) - start
    spans = [(first + shift, last + shift) for first, last in matches if first >= start and last <= end]
    cut = text[start:end]
    return f"{lead}{cut if cut.isprintable() else _CONTROL.sub(' ', cut)}{tail}", tuple(spans)


def _window(text: str, matches: list[Span], length: int) -> Span:
    if len(text) <= length:
        return 0, len(text)
    room = max(length - 2, 0)
    if not matches:
        return 0, room
    first, last = _crowd(matches, room)
    last = min(last, first + room)
    start = max(0, first - (room - (last - first)) // 2)
    start = min(start, len(text) - room)
    return _word_start(text, start, first), start + room


def _crowd(matches: list[Span], room: int) -> Span:
    """Return from where to where the most matches lie that fit into ``room``."""
    ends = [end for _, end in matches]
    most, found = -1, matches[0]
    for at, (start, end) in enumerate(matches):
        count = bisect_right(ends, start + room, lo=at) - at
        if count > most:
            most, found = count, (start, ends[at + count - 1] if count else end)
    return found


def _word_start(text: str, start: int, limit: int) -> int:
    """Move forward to where a word begins, unless a match would be lost."""
    if start == 0:
        return 0
    space = text.find(" ", start, limit)
    return space + 1 if space >= 0 else start


def _matches(folded: str, units: Iterable[Unit]) -> list[Span]:
    found: set[Span] = set()
    for unit in units:
        if unit.cjk:
            _find_run(folded, "".join(unit.words), found)
        else:
            _find_words(folded, unit.words, found)
    return _disjoint(sorted(found))


def _disjoint(spans: list[Span]) -> list[Span]:
    kept = spans[:1]
    for span in spans:
        if span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _find_run(folded: str, run: str, found: set[Span]) -> None:
    """Find a CJK run, or its pairs of characters where the whole is not there."""
    pieces = [run] if run in folded else [run[at : at + 2] for at in range(len(run) - 1)]
    for piece in pieces:
        at = folded.find(piece)
        while at >= 0:
            found.add((at, at + len(piece)))
            if len(found) >= _MAX_MATCHES:
                return
            at = folded.find(piece, at + len(piece))


def _find_words(folded: str, words: tuple[str, ...], found: set[Span]) -> None:
    for word in words:
        stem = _stem(word)
        at = folded.find(stem)
        while at >= 0:
            begun, end = at + len(stem), _word_end(folded, at + len(stem))
            if not (at and folded[at - 1].isalnum()) and _inflects(stem, folded[begun:end], word):
                found.add((at, end))
                if len(found) >= _MAX_MATCHES:
                    return
            at = folded.find(stem, end)


@lru_cache(maxsize=1024)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return word[: -len(ending)]
    return word


def _inflects(stem: str, rest: str, word: str) -> bool:
    """Say whether stem and rest are a form of the word: the word itself, or a known ending, doubled letter included."""
    return not rest or rest in _ENDINGS or stem + rest == word or (rest[0] == stem[-1] and rest[1:] in _ENDINGS)


def _word_end(folded: str, at: int) -> int:
    while at < len(folded) and folded[at].isalnum():
        at += 1
    return at
