"""Patterns of relative paths: ``*`` and ``?`` within a name, ``**`` for any number of folders."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Globs:
    """Which paths below a folder are taken; names that begin with a dot never are."""

    def __init__(self, include: Iterable[str], exclude: Iterable[str] = ()) -> None:
        """A pattern with a slash is of the whole path, one without is of a name in any folder."""
        self._include = [_steps(one) for one in include]
        self._exclude = [_steps(one) for one in exclude]

    def takes(self, path: str) -> bool:
        """Say whether a file is taken, if the folders it is in are."""
        steps = path.split("/")
        return not self.leaves_out(path) and any(_matches(steps, pattern) for pattern in self._include)

    def leaves_out(self, path: str) -> bool:
        """Say whether a file, or a folder with all that is in it, is left out."""
        steps = path.split("/")
        return steps[-1].startswith(".") or any(_matches(steps, pattern) for pattern in self._exclude)


def _steps(pattern: str) -> list[str]:
    steps = pattern.rstrip("/").split("/")
    return steps if len(steps) > 1 else ["**", *steps]


def _matches(steps: Sequence[str], pattern: Sequence[str]) -> bool:
    return _wild(steps, pattern, "**", _name_matches)


def _name_matches(name: str, pattern: str) -> bool:
    return _wild(name, pattern, "*", lambda letter, wanted: wanted in ("?", letter))


def _wild(items: Sequence[T], pattern: Sequence[T], star: T, same: Callable[[T, T], bool]) -> bool:
    """Match item by item; after a mismatch the last star takes one more, so no earlier star is tried again."""
    at = wanted = 0
    star_at, resume = -1, 0
    while at < len(items):
        if wanted < len(pattern) and pattern[wanted] == star:
            star_at, resume = wanted, at
            wanted += 1
        elif wanted < len(pattern) and same(items[at], pattern[wanted]):
            at, wanted = at + 1, wanted + 1
        elif star_at >= 0:
            resume += 1
            at, wanted = resume, star_at + 1
        else:
            return False
    return all(one == star for one in pattern[wanted:])
