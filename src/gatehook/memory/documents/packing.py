"""Lines put into chunks that are not larger than allowed, divided where a break is best."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

import attrs

from gatehook.memory.documents.outline import Break


@attrs.frozen
class Span:
    """Lines ``first`` up to, not including, ``end`` (from 0); of a line that is too long, only these characters."""

    first: int
    end: int
    characters: tuple[int, int] | None = None

    def text(self, lines: Sequence[str]) -> str:
        """Return what stands there."""
        if self.characters is not None:
            return lines[self.first][slice(*self.characters)]
        return "\n".join(lines[self.first : self.end])


def spans(lines: Sequence[str], breaks: Sequence[Break], first: int, end: int, largest: int) -> Iterator[Span]:
    """Divide lines ``first`` to ``end`` into spans of at most ``largest`` characters, line ends included.

    A line that is longer by itself is cut into pieces; it shares no span with another line.
    """
    while first < end:
        if len(lines[first]) >= largest:
            yield from _pieces(lines[first], first, largest)
            first += 1
            continue
        stop = _reach(lines, first, end, largest)
        if stop < end:
            stop = _best(lines, breaks, first, stop, largest)
        yield Span(first, stop)
        first = stop


def _pieces(line: str, at: int, largest: int) -> Iterator[Span]:
    for start in range(0, len(line), largest):
        yield Span(at, at + 1, (start, min(start + largest, len(line))))


def _reach(lines: Sequence[str], first: int, end: int, largest: int) -> int:
    """Return the line after the last that fits."""
    size = 0
    for at in range(first, end):
        size += len(lines[at]) + 1
        if size > largest:
            return at
    return end


def _best(lines: Sequence[str], breaks: Sequence[Break], first: int, stop: int, largest: int) -> int:
    """Return where to divide, at ``stop`` or before: the best break, the last of equals, and no tiny chunk for it."""
    size, enough = 0, largest // 4
    early, late = (Break.INSIDE, stop), (Break.INSIDE, stop)
    for at in range(first + 1, stop + 1):
        size += len(lines[at - 1]) + 1
        if size < enough:
            early = max(early, (breaks[at], at))
        else:
            late = max(late, (breaks[at], at))
    return late[1] if late[0] >= Break.ITEM or late[0] >= early[0] else early[1]
