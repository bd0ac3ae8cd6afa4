"""Opening files below a plugin's directory so that nothing outside is reached and nothing blocks."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any
from typing import Final

import attrs

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import plugins as codes

DIRECTORY_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
#: Never follows a symbolic link in the last step, never waits for a fifo's other end.
FILE_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@attrs.frozen(kw_only=True)
class Ownership:
    """Who may own a plugin's files, and whether one of them may have a second name (hard link)."""

    uids: frozenset[int] | None
    hard_links: bool

    def suspects(self, about: os.stat_result) -> bool:
        """Say, fast, whether ``fault`` has to have a look."""
        return bool(
            about.st_mode & stat.S_IWOTH
            or (self.uids is not None and about.st_uid not in self.uids)
            or (not self.hard_links and about.st_nlink > 1 and not stat.S_ISDIR(about.st_mode))
        )

    def fault(self, path: Path, about: os.stat_result) -> Diagnostic | None:
        """Say what makes a file or directory unsafe, with the command that mends it."""
        if about.st_mode & stat.S_IWOTH:
            return codes.WRITABLE(path=path, quoted=shlex.quote(str(path)))
        if self.uids is not None and about.st_uid not in self.uids:
            facts: dict[str, Any] = {"uid": about.st_uid, "us": os.geteuid(), "quoted": shlex.quote(str(path))}
            return codes.WRONG_OWNER(path=path, **facts)
        if not self.hard_links and about.st_nlink > 1 and not stat.S_ISDIR(about.st_mode):
            return codes.HARD_LINK(path=path, links=about.st_nlink, quoted=shlex.quote(str(path)))
        return None


class NotRegular(Exception):
    """What was opened is no regular file; the text says what it is."""


class TooLarge(Exception):
    """A file is larger than the cap; nothing of it was read."""


def read_below(directory: int, root: Path | str, relative: str, cap: int, ownership: Ownership) -> bytes:
    """Read a regular file below an open directory whose path is ``root``.

    Raises:
        FileNotFoundError: there is none.
        TooLarge: it is larger than ``cap`` bytes.
        GatehookError: it is unsafe (owner, mode, hard link, a link that escapes) or no file, or cannot be opened.
    """
    descriptor = open_below(directory, root, relative)
    try:
        about = os.fstat(descriptor)
        fault = ownership.fault(Path(root, relative), about) if ownership.suspects(about) else None
        if not stat.S_ISREG(about.st_mode):
            fault = codes.NOT_A_FILE(path=Path(root, relative), found=kind_of(about.st_mode))
        if fault is not None:
            raise GatehookError(fault)
        if about.st_size > cap:
            raise TooLarge
        return _read(descriptor, about.st_size, cap)
    finally:
        os.close(descriptor)


def _read(descriptor: int, size: int, cap: int) -> bytes:
    """Read to the end, which is where ``size`` says unless somebody writes at this moment."""
    data = os.read(descriptor, size + 1)
    while data and len(data) != size:
        more = os.read(descriptor, cap + 1 - len(data))
        if not more:
            break
        data += more
        if len(data) > cap:
            raise TooLarge
    return data


def open_below(directory: int, root: Path | str, relative: str) -> int:
    """Open a file below an open directory; a symbolic link is followed only when it stays below.

    Raises:
        FileNotFoundError: there is none.
        GatehookError: the path escapes, or cannot be opened.
    """
    try:
        if "/" not in relative:
            return os.open(relative, FILE_FLAGS, dir_fd=directory)
        return _open_in_steps(directory, relative)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno not in _LINK_ERRORS:
            raise GatehookError(unreadable(Path(root, relative), error)) from None
    inside = real_below(root, relative)
    if inside is None:
        raise GatehookError(codes.ESCAPES(path=Path(root, relative)))
    try:
        return _open_in_steps(directory, inside)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise GatehookError(unreadable(Path(root, relative), error)) from None


#: ``O_NOFOLLOW`` says one of these at a symbolic link, the second where a directory was wanted.
_LINK_ERRORS: Final = frozenset({errno.ELOOP, errno.EMLINK, errno.ENOTDIR})


def _open_in_steps(directory: int, relative: str) -> int:
    *parents, name = relative.split("/")
    held = directory
    try:
        for parent in parents:
            step = os.open(parent, DIRECTORY_FLAGS | os.O_NOFOLLOW, dir_fd=held)
            if held != directory:
                os.close(held)
            held = step
        return os.open(name, FILE_FLAGS, dir_fd=held)
    finally:
        if held != directory:
            os.close(held)


def real_below(root: Path | str, relative: str) -> str | None:
    """Return where a path with symbolic links really is, relative to ``root``; ``None`` when that is outside."""
    top = os.path.realpath(root)
    real = os.path.realpath(os.path.join(top, relative))  # noqa: PTH118  Path.resolve has no such join without a copy
    return os.path.relpath(real, top) if os.path.commonpath((top, real)) == top and real != top else None


def file_of(descriptor: int) -> BufferedReader:
    """Take over an open descriptor.

    Raises:
        NotRegular: it is no regular file's; it was closed.
    """
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise NotRegular(kind_of(mode))
    return os.fdopen(descriptor, "rb")


def unreadable(path: Path, error: OSError) -> Diagnostic:
    """Return the diagnostic of a path that the system does not open."""
    return codes.UNREADABLE(path=path, reason=error.strerror or str(error), quoted=shlex.quote(str(path)))


def kind_of(mode: int) -> str:
    """Say what kind of file a mode is."""
    for test, name in _KINDS:
        if test(mode):
            return name
    return "a device"


_KINDS: Final = (
    (stat.S_ISREG, "a regular file"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a fifo"),
    (stat.S_ISSOCK, "a socket"),
)


@contextmanager
def directory_of(path: Path) -> Iterator[int]:
    """Open a directory and close it afterwards."""
    descriptor = os.open(path, DIRECTORY_FLAGS)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
