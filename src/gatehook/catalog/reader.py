"""Collects what is wrong with a manifest while it is read, so that everything is said at once."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import NamedTuple

from gatehook.diagnostics.codes import manifest as codes
from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import did_you_mean

LONGEST_LINE: Final = 200
_NAMES: Final = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}


class Problem(NamedTuple):
    """A code, the JSON pointer it is about, and its facts."""

    code: Code
    pointer: str
    facts: Mapping[str, Any]


def pointer_to(at: str, key: str) -> str:
    """Return the JSON pointer of a key below another pointer."""
    return f"{at}/{key.replace('~', '~0').replace('/', '~1')}"


class Reader:
    """Reads values strictly; a value that does not fit is noted, and an empty one of the right type returned."""

    __slots__ = ("problems",)

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def note(self, code: Code, pointer: str, **facts: object) -> None:
        """Remember a problem."""
        self.problems.append(Problem(code, pointer, facts))

    def wrong(self, value: Any, key: str, expected: str, pointer: str) -> None:
        """Note a value of the wrong type."""
        self.note(codes.WRONG_TYPE, pointer, key=key, found=name_of(value), expected=expected)

    def unknown(self, given: Iterable[str], known: Collection[str], at: str) -> None:
        """Note the keys that nobody knows; ``x-`` keys are free."""
        for key in given:
            if key not in known and not key.startswith("x-"):
                hint = did_you_mean(key, known)
                self.note(codes.UNKNOWN_KEY, pointer_to(at, key), key=shown(key), hint=hint)

    def text(self, value: Any, key: str, at: str, longest: int = LONGEST_LINE) -> str:
        """Read visible text on one line."""
        if type(value) is not str:
            self.wrong(value, key, "a string", pointer_to(at, key))
        elif not value or len(value) > longest or not value.isprintable():
            self.note(codes.BAD_TEXT, pointer_to(at, key), key=key, longest=longest)
        else:
            return value
        return ""

    def texts(self, value: Any, key: str, at: str) -> tuple[str, ...]:
        """Read a list of visible texts."""
        if type(value) is not list:
            self.wrong(value, key, "a list of strings", pointer_to(at, key))
            return ()
        if not [
            one for one in value if type(one) is not str or not 0 < len(one) <= LONGEST_LINE or not one.isprintable()
        ]:
            return tuple(value)
        where = pointer_to(at, key)
        return tuple([self.text(one, str(index), where) for index, one in enumerate(value)])

    def table(self, value: Any, key: str, at: str) -> Mapping[str, Any]:
        """Read an object."""
        if type(value) is dict:
            return value
        self.wrong(value, key, "an object", pointer_to(at, key))
        return {}


def name_of(value: Any) -> str:
    """Say what a JSON value is."""
    return _NAMES.get(type(value), "a number")


def shown(text: str, longest: int = 60) -> str:
    """Return foreign text as it may be shown: without control and invisible characters, cut."""
    safe = text if text.isprintable() else text.encode("unicode_escape", "backslashreplace").decode()
    return safe if len(safe) <= longest else f"{safe[:longest]}…"
