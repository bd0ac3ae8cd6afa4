"""Reading a tool's answer: every value knows where it stands, and one of a wrong type names tool and JSON pointer."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import NoReturn
from typing import TypeVar

import attrs

from gatehook.kinds.amounts import exact
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.times import from_rfc3339

T = TypeVar("T")


@attrs.frozen
class Node:
    """A value in the answer of ``tool``, at the JSON pointer ``pointer``."""

    tool: str
    value: Any = attrs.field(repr=False)
    pointer: str = ""

    def wrong(self, expected: str) -> NoReturn:
        """Refuse the value; its own text is not repeated.

        Raises:
            ToolAnswerInvalid: always.
        """
        place = self.pointer or "the whole answer"
        raise ToolAnswerInvalid(
            f"the tool {self.tool!r} answered something else than {expected} at {place}", pointer=self.pointer
        )

    def items(self) -> Iterator[Node]:
        """Yield the members of a list."""
        if not isinstance(self.value, list):
            self.wrong("a list")
        for at, member in enumerate(self.value):
            yield Node(self.tool, member, f"{self.pointer}/{at}")

    def __getitem__(self, name: str) -> Node:
        """Return a member of an object; it must be there."""
        found = self.get(name)
        return found if found is not None else Node(self.tool, None, f"{self.pointer}/{name}")

    def get(self, name: str) -> Node | None:
        """Return a member of an object; ``None`` where it is missing or null."""
        if not isinstance(self.value, dict):
            self.wrong("an object")
        value = self.value.get(name)
        return None if value is None else Node(self.tool, value, f"{self.pointer}/{name}")

    def text(self) -> str:
        """Return a text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            self.wrong("a text")
        return self.value

    def identity(self) -> str:
        """Return an id, which is a text or a whole number."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value)
        return self.text()

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            self.wrong("true or false")
        return self.value

    def number(self) -> Decimal:
        """Return a number."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, Decimal)):
            self.wrong("a number")
        return exact(self.value)

    def above_zero(self) -> Decimal:
        """Return a number above zero."""
        number = self.number()
        if number <= 0:
            self.wrong("a number above zero")
        return number

    def time(self) -> int:
        """Return a time in nanoseconds UTC."""
        try:
            return from_rfc3339(self.text())
        except (ValueError, OverflowError):
            self.wrong("a time in UTC")

    def word(self, known: Mapping[str, T]) -> T:
        """Return what a word means."""
        word = self.text()
        if word not in known:
            self.wrong(f"one of {', '.join(known)}")
        return known[word]


def text_of(node: Node | None) -> str | None:
    """Return a text that may be missing or empty."""
    return None if node is None or node.value == "" else node.text()


def price_of(node: Node | None) -> Decimal | None:
    """Return a price that may be missing; MetaTrader writes 0 where there is none."""
    number = None if node is None else node.number()
    return number or None
