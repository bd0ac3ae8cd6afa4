"""The audit read from its file: with or without a gateway, with or without the key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatehook.audit.files import LOG_FILE
from gatehook.audit.files import locked
from gatehook.audit.records import LARGEST_LINE
from gatehook.audit.records import Entry
from gatehook.audit.records import NotARecord
from gatehook.audit.records import entry_of
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import audit as codes

#: How long a record may be when its length is guessed.
_RECORD: Final = 512


def read(data_dir: Path, *, since: int | None = None, last: int | None = None) -> Iterator[Entry]:
    """Yield the records of a data directory's log, oldest first, up to the end that it has when the first is asked for.

    What is no record is left out: ``verify`` names it. Nothing is held in memory, and nothing is yielded without a log.

    Args:
        data_dir: where the log is.
        since: only records from this wall time on, ns UTC.
        last: begin at least so many records before the end, instead of at the beginning.

    Raises:
        GatehookError: when the file cannot be read.
    """
    for line in lines(data_dir / LOG_FILE, last=last):
        try:
            entry = entry_of(line)
        except NotARecord:  # a line that was edited is not shown as if it were a record
            continue
        if since is None or entry.ts >= since:
            yield entry


def lines(path: Path, *, last: int | None = None) -> Iterator[bytes]:
    """Yield the lines of a log, the last perhaps torn; a line that is too long comes in pieces.

    Raises:
        GatehookError: when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            with locked(file.fileno(), shared=True):  # nobody is in the middle of a record now
                left = os.fstat(file.fileno()).st_size
            if last is not None:
                left -= file.seek(_start_of(file.fileno(), left, last))
            while left > 0 and (line := file.readline(min(LARGEST_LINE, left))):
                left -= len(line)
                yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise GatehookError(codes.UNREADABLE(path=path, problem=error.strerror or error)) from error


def _start_of(descriptor: int, size: int, count: int) -> int:
    """Return where the last ``count`` lines begin, or lines before them."""
    want = (count + 1) * _RECORD
    while want < size:
        data = os.pread(descriptor, want, size - want)
        if data.count(b"\n") > count:
            return size - want + data.find(b"\n") + 1
        want *= 4
    return 0
