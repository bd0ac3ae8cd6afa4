"""What can be wrong with a log, and the list of what is."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import attrs

#: More than these are only counted.
MOST: Final = 1000


class Fault(StrEnum):
    """What happened to records, or to what they are checked with."""

    EDITED = "edited"
    INSERTED = "inserted"
    REORDERED = "reordered"
    DROPPED = "dropped"
    DUPLICATED = "duplicated"
    REPLACED = "replaced"
    CUT = "cut"
    TORN = "torn"
    ANCHORS = "anchors"
    KEY = "key"
    MORE = "more"


@attrs.frozen
class Problem:
    """One thing that is wrong.

    Attributes:
        what: what happened.
        text: the same in a sentence.
        seq: the number of the record, or of the first of several.
        line: which line of its file, from 1.
    """

    what: Fault
    text: str
    seq: int | None = None
    line: int | None = None


class Problems:
    """Collects problems, the first thousand of them."""

    def __init__(self) -> None:
        self._listed: list[Problem] = []
        self._count = 0

    def add(self, what: Fault, text: str, *, seq: int | None = None, line: int | None = None) -> None:
        """Add one."""
        self._count += 1
        if len(self._listed) < MOST:
            self._listed.append(Problem(what, text, seq, line))

    def replace(self, what: Fault, text: str) -> None:
        """Say this one in the place of all that were found."""
        self._listed, self._count = [], 0
        self.add(what, text)

    def listed(self) -> tuple[Problem, ...]:
        """Return them in the order of their finding; the last says how many more there are."""
        more = self._count - len(self._listed)
        rest = (Problem(Fault.MORE, f"and {more} more"),) if more else ()
        return (*self._listed, *rest)
