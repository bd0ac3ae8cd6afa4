"""Regular expressions of plugins' schemas, matched in linear time.

A plugin's author writes the expression and the operator the value, and neither may hang the gateway. Accepted is the
part that JSON Schema (Draft 2020-12, core 6.4) recommends for interoperability: characters, classes, ``* + ? {n,m}``,
groups, alternatives, and ``^`` and ``$`` at the ends. Matching walks all possibilities at once; nothing backtracks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterable
from typing import Final

import attrs

LONGEST_PATTERN: Final = 512
#: A longer string matches no pattern.
LONGEST_TEXT: Final = 4096
_MOST_STEPS: Final = 1000
_DEEPEST: Final = 20
_LAST: Final = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]
_COUNT: Final = re.compile(r"\{(\d{1,4})(,(\d{0,4}))?\}")
_DIGITS: Final[Ranges] = ((48, 57),)
_WORD: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Final[Ranges] = ((9, 13), (32, 32), (160, 160), (0x2028, 0x2029), (0xFEFF, 0xFEFF))
_CONTROLS: Final = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}


class PatternRefused(ValueError):
    """The expression is malformed, too large, or uses what cannot be matched in linear time."""


@attrs.frozen
class Char:
    """A step over one character in the ranges."""

    ranges: Ranges


@attrs.frozen
class Split:
    """A step to both places at once."""

    first: int
    second: int


Step = Char | Split
Emit = Callable[[list[Step]], None]


@attrs.frozen
class Branch:
    """A top-level alternative: its steps, and whether it is bound to the ends."""

    steps: tuple[Step, ...]
    at_start: bool
    at_end: bool


@attrs.frozen
class Pattern:
    """A compiled expression."""

    branches: tuple[Branch, ...]

    def search(self, text: str) -> bool:
        """Say whether the expression matches anywhere in ``text`` (unless bound by ``^`` and ``$``)."""
        return len(text) <= LONGEST_TEXT and any(_matches(branch, text) for branch in self.branches)


def compile_pattern(source: str) -> Pattern:
    """Compile an expression.

    Raises:
        PatternRefused: saying what is not accepted.
    """
    if len(source) > LONGEST_PATTERN:
        raise PatternRefused(f"it is longer than {LONGEST_PATTERN} characters")
    parser = _Parser(source)
    branches = [parser.branch()]
    while parser.take("|"):
        branches.append(parser.branch())
    if parser.at < len(source):
        raise PatternRefused("a ) has no (")
    return Pattern(tuple(branches))


def _matches(branch: Branch, text: str) -> bool:
    steps, end = branch.steps, len(branch.steps)
    places: set[int] = set()
    for at in range(len(text) + 1):
        if at == 0 or not branch.at_start:
            places |= _reach(steps, (0,))
        if end in places and (at == len(text) or not branch.at_end):
            return True
        if at == len(text) or (not places and branch.at_start):
            return False
        code = ord(text[at])
        places = _reach(steps, (place + 1 for place in places if _takes(steps, place, code)))
    return False


def _takes(steps: tuple[Step, ...], place: int, code: int) -> bool:
    step = steps[place] if place < len(steps) else None
    return isinstance(step, Char) and any(low <= code <= high for low, high in step.ranges)


def _reach(steps: tuple[Step, ...], places: Iterable[int]) -> set[int]:
    found: set[int] = set()
    waiting = list(places)
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            step = steps[place] if place < len(steps) else None
            if isinstance(step, Split):
                waiting += (step.first, step.second)
    return found


def _add(steps: list[Step], step: Step) -> None:
    if len(steps) >= _MOST_STEPS:
        raise PatternRefused(f"it has more than {_MOST_STEPS} steps; count less, nest less")
    steps.append(step)


def _sequence(parts: list[Emit]) -> Emit:
    def emit(steps: list[Step]) -> None:
        for part in parts:
            part(steps)

    return emit


def _either(first: Emit, second: Emit) -> Emit:
    def emit(steps: list[Step]) -> None:
        fork = len(steps)
        _add(steps, Split(0, 0))
        first(steps)
        leave = len(steps)
        _add(steps, Split(0, 0))
        steps[fork] = Split(fork + 1, len(steps))
        second(steps)
        steps[leave] = Split(len(steps), len(steps))

    return emit


def _repeated(body: Emit, least: int, most: int | None) -> Emit:
    def emit(steps: list[Step]) -> None:
        for _ in range(least):
            before = len(steps)
            body(steps)
            if len(steps) == before:  # an empty body, however often
                return
        if most is None:
            _loop(body, steps)
        for _ in range(0 if most is None else most - least):
            _maybe(body, steps)

    return emit


def _maybe(body: Emit, steps: list[Step]) -> None:
    fork = len(steps)
    _add(steps, Split(0, 0))
    body(steps)
    steps[fork] = Split(fork + 1, len(steps))


def _loop(body: Emit, steps: list[Step]) -> None:
    fork = len(steps)
    _add(steps, Split(0, 0))
    body(steps)
    _add(steps, Split(fork, fork))
    steps[fork] = Split(fork + 1, len(steps))


def _complement(ranges: Iterable[tuple[int, int]]) -> Ranges:
    found, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return (*found, (start, _LAST)) if start <= _LAST else tuple(found)


_CLASSES: Final = {
    "d": _DIGITS,
    "w": _WORD,
    "s": _SPACE,
    "D": _complement(_DIGITS),
    "W": _complement(_WORD),
    "S": _complement(_SPACE),
}
_ANY: Final = _complement(((10, 10), (13, 13), (0x2028, 0x2029)))


class _Parser:
    """Reads an expression from left to right."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.depth = 0

    def take(self, expected: str) -> bool:
        """Step over ``expected`` if it comes next."""
        found = self.source.startswith(expected, self.at)
        self.at += len(expected) if found else 0
        return found

    def branch(self) -> Branch:
        """Read a top-level alternative with its anchors."""
        at_start = self.take("^")
        emit = self._parts()
        at_end = self.take("$")
        steps: list[Step] = []
        emit(steps)
        return Branch(tuple(steps), at_start, at_end)

    def _parts(self) -> Emit:
        parts: list[Emit] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            if self.source[self.at] == "$" and self.depth == 0 and self.source[self.at + 1 : self.at + 2] in {"", "|"}:
                break
            parts.append(self._quantified(self._atom()))
        return _sequence(parts)

    def _atom(self) -> Emit:
        char = self.source[self.at]
        if self.take("("):
            return self._group()
        if char in "^$":
            raise PatternRefused(f"{char} is accepted at the ends only")
        if char in "*+?{":
            raise PatternRefused(f"{char} has nothing to repeat")
        ranges = self._class() if char == "[" else self._character()
        return lambda steps: _add(steps, Char(ranges))

    def _group(self) -> Emit:
        if self.take("?") and not self.take(":"):
            raise PatternRefused("it looks around, names a group or sets a flag; use (…) and (?:…) only")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PatternRefused(f"it is nested deeper than {_DEEPEST} groups")
        emit = self._parts()
        while self.take("|"):
            emit = _either(emit, self._parts())
        if not self.take(")"):
            raise PatternRefused("a ( has no )")
        self.depth -= 1
        return emit

    def _quantified(self, body: Emit) -> Emit:
        for mark, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self.take(mark):
                self.take("?")
                return _repeated(body, least, most)
        if count := _COUNT.match(self.source, self.at):
            self.at = count.end()
            self.take("?")
            least = int(count[1])
            upper = least if count[2] is None else int(count[3]) if count[3] else None
            if upper is not None and upper < least:
                raise PatternRefused("a count's end lies before its start")
            return _repeated(body, least, upper)
        return body

    def _character(self) -> Ranges:
        char = self.source[self.at]
        self.at += 1
        if char == ".":
            return _ANY
        return self._escape() if char == "\\" else ((ord(char), ord(char)),)

    def _escape(self) -> Ranges:
        char = self.source[self.at : self.at + 1]
        self.at += 1
        if char in _CLASSES:
            return _CLASSES[char]
        if char in ("x", "u"):
            return self._code(2 if char == "x" else 4)
        if char not in _CONTROLS and (not char or char.isalnum()):
            raise PatternRefused(f"\\{char} is not accepted")
        code = _CONTROLS.get(char, ord(char))
        return ((code, code),)

    def _code(self, length: int) -> Ranges:
        digits = self.source[self.at : self.at + length]
        self.at += length
        if len(digits) < length or not re.fullmatch(r"[0-9A-Fa-f]+", digits):
            raise PatternRefused("a character's code is malformed")
        return ((int(digits, 16), int(digits, 16)),)

    def _class(self) -> Ranges:
        self.at += 1
        negated = self.take("^")
        found: list[tuple[int, int]] = []
        while not self.take("]"):
            if self.at >= len(self.source):
                raise PatternRefused("a [ has no ]")
            found += self._range()
        return _complement(found) if negated else tuple(found)

    def _range(self) -> Ranges:
        first = self._member()
        if self.source[self.at : self.at + 1] != "-" or self.source[self.at + 1 : self.at + 2] in {"]", ""}:
            return first
        self.at += 1
        last = self._member()
        if len(first) != 1 or len(last) != 1 or first[0][0] > last[0][1]:
            raise PatternRefused("a range in [ ] is malformed")
        return ((first[0][0], last[0][1]),)

    def _member(self) -> Ranges:
        char = self.source[self.at : self.at + 1]
        self.at += 1
        if not char:
            raise PatternRefused("a [ has no ]")
        return self._escape() if char == "\\" else ((ord(char), ord(char)),)
