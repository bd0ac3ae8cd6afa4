"""The audit's files: where they are, opened so that their names survive a power cut, locked, and read from the end."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from gatehook.audit.records import LARGEST_LINE

LOG_FILE: Final = "audit.jsonl"
KEY_FILE: Final = "audit.key"
ANCHOR_FILE: Final = "audit.anchors"

#: Seconds: an append takes the lock for a few milliseconds; who has it longer was stopped.
_PATIENCE: Final = 5.0
_PAUSE: Final = 0.001
_BLOCK: Final = 1 << 16
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@attrs.frozen
class Paths:
    """Where the log, its key and its anchors are."""

    log: Path
    key: Path
    anchors: Path

    @classmethod
    def of(cls, data_dir: Path, key_file: Path | None, anchors: Path | None) -> Paths:
        """Return the places that apply; key and anchors are beside the log unless they are said to be elsewhere."""
        return cls(data_dir / LOG_FILE, key_file or data_dir / KEY_FILE, anchors or data_dir / ANCHOR_FILE)


def open_to_append(path: Path) -> int:
    """Open or create a file that only its owner can read; return its descriptor.

    Raises:
        OSError: when it cannot be opened for writing.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        descriptor = os.open(path, flags | os.O_CREAT, 0o600)
    sync_directory(path.parent)
    return descriptor


def sync_directory(directory: Path) -> None:
    """Make the names in a directory as durable as what they name."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(descriptor: int, *, shared: bool = False) -> Iterator[None]:
    """Hold the file's lock, which other processes respect too.

    Raises:
        TimeoutError: when somebody else has held it for seconds.
    """
    _lock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _lock(descriptor: int, how: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(0, "another process does not let go of it") from None
            time.sleep(_PAUSE)
        else:
            return


class NotUndone(OSError):
    """An append failed, and what the file holds now is not known."""


def write_all(descriptor: int, data: bytes, size: int, *, durable: bool) -> None:
    """Append to a file of this size, in one write; on a failure it is as long as it was.

    Raises:
        NotUndone: when what is on the disk is not known any more.
        OSError: nothing was appended.
    """
    try:
        _write(descriptor, data)
        if durable:
            os.fdatasync(descriptor)
    except OSError as error:
        _undo(descriptor, size, error)
        raise


def _write(descriptor: int, data: bytes) -> None:
    if os.write(descriptor, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _undo(descriptor: int, size: int, failure: OSError) -> None:
    try:
        os.ftruncate(descriptor, size)
    except OSError as error:
        raise NotUndone(error.errno, error.strerror) from failure
    if failure.errno not in _NO_ROOM:  # a disk that fails may have dropped what was written before, too
        raise NotUndone(failure.errno, failure.strerror) from failure


def end_of(descriptor: int, size: int) -> tuple[bytes, bytes]:
    """Return the last whole line of a file with its line feed, and what follows it; both may be empty."""
    want = _BLOCK
    while True:
        start = max(0, size - want)
        data = os.pread(descriptor, size - start, start)
        whole = data.rfind(b"\n") + 1
        before = data.rfind(b"\n", 0, max(0, whole - 1)) + 1
        if start == 0 or (whole and before):
            return data[before:whole], data[whole:]
        if want > 2 * LARGEST_LINE + _BLOCK:
            return data[:whole], data[whole:]
        want *= 8
