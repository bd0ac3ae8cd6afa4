"""What a process holds: threads, children, open files."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Self

import attrs
import pytest

_OPEN_FILES = Path("/proc/self/fd")
_CHILDREN = Path("/proc/self/task")


@attrs.frozen
class Holdings:
    """A look at what this process holds. Files and children are seen where ``/proc`` is."""

    threads: frozenset[str]
    files: frozenset[str]
    children: frozenset[str]

    @classmethod
    def now(cls) -> Self:
        """Look."""
        return cls(frozenset(_threads()), frozenset(_files()), frozenset(_children()))

    def check(self, patience: float = 5.0) -> None:
        """Fail with what is held now and was not before; threads that are ending get ``patience`` seconds."""
        end = time.monotonic() + patience
        while left := self._since():
            if time.monotonic() > end:
                pytest.fail(f"left behind: {', '.join(sorted(left))}", pytrace=False)
            time.sleep(0.02)

    def _since(self) -> frozenset[str]:
        now = type(self).now()
        return (now.threads - self.threads) | (now.files - self.files) | (now.children - self.children)


def _threads() -> list[str]:
    # anyio keeps its idle worker threads for the next call; they belong to the event loop, which outlives a test.
    return [f"thread {one.name}" for one in threading.enumerate() if not one.name.startswith("AnyIO worker")]


def _files() -> list[str]:
    if not _OPEN_FILES.is_dir():
        return []
    found = []
    for link in _OPEN_FILES.iterdir():
        try:
            target = str(link.readlink())
        except OSError:  # closed since it was listed
            continue
        if target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
            found.append(f"file {target}")
    return found


def _children() -> list[str]:
    if not _CHILDREN.is_dir():
        return []
    return [f"child {pid}" for task in _CHILDREN.iterdir() for pid in (task / "children").read_text().split()]
