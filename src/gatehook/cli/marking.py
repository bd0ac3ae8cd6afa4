"""Marks every line that a process writes, so that a run without consent cannot be mistaken for another."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class _MarkedText:
    """A text stream that writes a mark at the beginning of every line."""

    def __init__(self, stream: TextIO, mark: str) -> None:
        self._stream = stream
        self._mark = mark
        self._at_start = True

    def write(self, text: str) -> int:
        for line in text.splitlines(keepends=True):
            self._stream.write(f"{self._mark}{line}" if self._at_start else line)
            self._at_start = line.endswith("\n")
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Say no: what is marked is read line by line, not drawn."""
        return False


@contextmanager
def marked_output(mark: str) -> Iterator[None]:
    """Mark every line on stdout and stderr while the block runs; an empty mark changes nothing."""
    if not mark:
        yield
        return
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_MarkedText(stream, mark) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
