"""Text that came out of the memory is marked, so that it is known when it comes back, and never indexed again.

What is recalled stands between two lines that a person can read::

    [memory:notes/note-4f begin 5b1c09d7a2e4 lines=2]
    Stops go below the swing low.
    Never wider than two per cent.
    [memory:notes/note-4f end 5b1c09d7a2e4 lines=2]

The twelve digits are made of the document and the text, so that an end finds its beginning, also inside each other.
Each marker has the number of lines between them: where one of the two is cut off or edited, so many lines beside the
other are what was recalled.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import attrs

from gatehook.kinds.memory import Hit

#: A marker says of no more lines than this; it may have been written by anybody.
_MOST_LINES: Final = 100_000
_HEAD: Final = "[memory:"
_MARKER: Final = re.compile(r"\[memory:[^\s\[\]]{1,4000} (begin|end) ([0-9a-f]{12}) lines=([0-9]{1,9})\]")
_LINE_END: Final = re.compile(r"\r\n?|\n")


def mark_recalled(hit: Hit) -> str:
    """Return a hit's text between its markers, as it goes to an agent or into a file."""
    doc = hit.stored.doc
    text = doc.text.rstrip("\r\n")
    name = "/".join(quote(part, safe="") for part in (*doc.namespace, doc.id))
    digest = hashlib.blake2b(f"{name}\0{text}".encode(), digest_size=6).hexdigest()
    count = len(_LINE_END.split(text))
    begin, end = (f"[memory:{name} {which} {digest} lines={count}]" for which in ("begin", "end"))
    return f"{begin}\n{text}\n{end}\n"


def strip_recalled(text: str, *, keep_lines: bool = False) -> str:
    """Return text without what was recalled, markers included.

    Args:
        text: any text.
        keep_lines: leave the ends of the lines that go, so that every other line keeps its number.
    """
    if _HEAD not in text:
        return text
    kept, at = [], 0
    for first, end in _merged(sorted(_recalled(text))):
        kept.append(text[at:first])
        kept += ["\n" * len(_LINE_END.findall(text[first:end]))] if keep_lines else []
        at = end
    return "".join([*kept, text[at:]])


@attrs.frozen
class _Marker:
    """A marker and where its own characters are."""

    begins: bool
    digest: str
    lines: int
    start: int
    stop: int


def _recalled(text: str) -> Iterator[tuple[int, int]]:
    """Yield where recalled text is, from a character to a character; what is yielded may overlap."""
    waiting: list[_Marker] = []
    for marker in _markers(text):
        if marker.begins:
            waiting.append(marker)
        elif (begin := _beginning(waiting, marker.digest)) is not None:
            yield begin.start, _over_line_end(text, marker.stop)
        else:
            yield _lines_before(text, marker), _over_line_end(text, marker.stop)
    for marker in waiting:
        yield marker.start, _lines_after(text, marker)


def _markers(text: str) -> Iterator[_Marker]:
    for found in _MARKER.finditer(text):
        lines = min(int(found[3]), _MOST_LINES)
        yield _Marker(found[1] == "begin", found[2], lines, found.start(), found.end())


def _beginning(waiting: list[_Marker], digest: str) -> _Marker | None:
    """Take what an end belongs to off the list; what began inside it stays, to be taken by its number of lines."""
    for at in range(len(waiting) - 1, -1, -1):
        if waiting[at].digest == digest:
            return waiting.pop(at)
    return None


def _over_line_end(text: str, at: int) -> int:
    """Take the end of the line too, where nothing else stands on it."""
    found = _LINE_END.match(text, at)
    return at if found is None else found.end()


def _lines_after(text: str, marker: _Marker) -> int:
    """Return where the lines end that a beginning without an end speaks of."""
    at = marker.stop
    for _ in range(marker.lines + 1):
        found = _LINE_END.search(text, at)
        if found is None:
            return len(text)
        at = found.end()
    return _over_torn_marker(text, at)


def _over_torn_marker(text: str, at: int) -> int:
    """Take what is left of an end that was cut off or edited, up to the end of its line."""
    if not (text.startswith(_HEAD, at) or _HEAD.startswith(text[at:])):
        return at
    found = _LINE_END.search(text, at)
    return len(text) if found is None else found.end()


def _lines_before(text: str, marker: _Marker) -> int:
    """Return where the lines start that an end without a beginning speaks of."""
    ends = [0, *(found.end() for found in _LINE_END.finditer(text, 0, marker.start))]
    return ends[max(0, len(ends) - 1 - marker.lines)]


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the spans, sorted as they are, without what overlaps."""
    last = 0
    for first, end in spans:
        if end > last:
            yield max(first, last), end
            last = end
