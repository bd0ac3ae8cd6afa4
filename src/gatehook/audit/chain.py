"""A chained file: lines of which each is sealed over the one before, appended to by several processes in turn."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from gatehook.audit.files import NotUndone
from gatehook.audit.files import end_of
from gatehook.audit.files import open_to_append
from gatehook.audit.files import write_all
from gatehook.audit.records import GENESIS
from gatehook.audit.records import LARGEST_LINE
from gatehook.audit.records import NotARecord
from gatehook.audit.records import fields_of
from gatehook.audit.records import is_sealed
from gatehook.audit.records import seal


@attrs.frozen
class Head:
    """Where a chain ends: its last line's number and mac, and how many bytes it has."""

    seq: int
    mac: str
    size: int


@attrs.frozen
class Torn:
    """What was found behind the last whole line: so many bytes, which were cut, or completed by their line feed."""

    size: int
    completed: bool


class Broken(Exception):
    """The file is not what this chain wrote; the text says why."""


class Chain:
    """One file and where it ends. Every method but ``open`` and ``close`` is called with the file's lock held."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.head = Head(0, GENESIS, 0)
        about = os.fstat(descriptor)
        self._identity = (about.st_dev, about.st_ino)
        self._key = b""

    @classmethod
    def open(cls, path: Path) -> Chain:
        """Open or create the file; where it ends is read by ``begin``.

        Raises:
            OSError: when it cannot be written.
        """
        return cls(path, open_to_append(path))

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)

    @property
    def is_empty(self) -> bool:
        """Whether the file has no byte."""
        return os.fstat(self.descriptor).st_size == 0

    def begin(self, key: bytes) -> Torn | None:
        """Find the end of the chain; what is torn behind it is mended.

        Raises:
            Broken: when the last line is not this key's.
            OSError: when it cannot be read or mended, or is read-only.
        """
        self._key = key
        about = os.fstat(self.descriptor)
        self._check_mode(about)
        size = about.st_size
        line, rest = end_of(self.descriptor, size)
        if line:
            if not is_sealed(key, line):
                raise Broken("its last record was edited, or was written with another key")
            fields = fields_of(line)
            self.head = Head(fields["seq"], fields["mac"], size - len(rest))
        elif size > LARGEST_LINE:
            raise Broken("it does not end in records")
        return self._mend(rest)

    def catch_up(self) -> Torn | None:
        """Go on behind what other processes appended.

        Raises:
            Broken: when the file is not the one that was opened, was cut, or was appended to without the key.
            OSError: when it cannot be read or mended, or was made read-only.
        """
        about = os.stat(self.path)  # noqa: PTH116  in the way of every order, and half as fast through pathlib
        if (about.st_dev, about.st_ino) != self._identity:
            raise Broken("another file was put in its place")
        self._check_mode(about)
        if about.st_size == self.head.size:
            return None
        if about.st_size < self.head.size:
            raise Broken(f"it was cut to {about.st_size} of {self.head.size} bytes")
        return self._mend(self._follow())

    def append(self, rows: Sequence[Mapping[str, Any]], *, durable: bool) -> None:
        """Append lines of these fields, numbered and sealed, in one write: all, or none.

        Raises:
            NotUndone: some may be there.
            OSError: none is: there is no room, or one is too long.
        """
        seq, mac, size = self.head.seq, self.head.mac, self.head.size
        lines = []
        for row in rows:
            seq += 1
            line, mac = seal(self._key, {**row, "seq": seq, "prev": mac})
            if len(line) > LARGEST_LINE:
                raise OSError(errno.EMSGSIZE, f"a record of {len(line)} bytes is too long")
            lines.append(line)
        data = b"".join(lines)
        write_all(self.descriptor, data, size, durable=durable)
        self.head = Head(seq, mac, size + len(data))

    def sync(self) -> None:
        """Put everything on stable storage.

        Raises:
            NotUndone: what is there is not known.
        """
        try:
            os.fdatasync(self.descriptor)
        except OSError as error:
            raise NotUndone(error.errno, error.strerror) from error

    def _check_mode(self, about: os.stat_result) -> None:
        """Whoever takes the right to write away means it, also where root could write all the same."""
        if not about.st_mode & stat.S_IWUSR:
            raise PermissionError(errno.EACCES, "it was made read-only", str(self.path))

    def _follow(self) -> bytes:
        """Take in the lines behind the head; return what follows the last whole one."""
        with self.path.open("rb") as file:
            file.seek(self.head.size)
            while line := file.readline(LARGEST_LINE):
                if not line.endswith(b"\n"):
                    return line + file.read(LARGEST_LINE)
                if not self._takes(line):
                    raise Broken("something was appended to it that does not follow its last record")
        return b""

    def _takes(self, line: bytes) -> bool:
        """Go on behind a line, if it is the next of this chain."""
        if not is_sealed(self._key, line):
            return False
        try:
            fields = fields_of(line)
        except NotARecord:
            return False
        if fields.get("prev") != self.head.mac:
            return False
        self.head = Head(fields["seq"], fields["mac"], self.head.size + len(line))
        return True

    def _mend(self, rest: bytes) -> Torn | None:
        if not rest:
            return None
        completed = self._takes(rest + b"\n")
        if completed:
            write_all(self.descriptor, b"\n", self.head.size - 1, durable=True)
        else:
            os.ftruncate(self.descriptor, self.head.size)
        return Torn(len(rest), completed)
