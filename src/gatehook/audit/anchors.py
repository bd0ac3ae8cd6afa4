"""Anchors: the log's end, written from time to time to a second file, so that a log that was cut shows it."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

from gatehook.audit.chain import Broken
from gatehook.audit.chain import Chain
from gatehook.audit.chain import Head
from gatehook.audit.chain import Torn
from gatehook.audit.files import end_of
from gatehook.audit.files import locked
from gatehook.audit.records import fields_of

_PURPOSE: Final = b"gatehook audit anchors"


def anchor_key(key: bytes) -> bytes:
    """Return the key of the anchors: another than the log's, so that no line of one file can stand in the other."""
    return hmac.digest(key, _PURPOSE, "sha256")


class Anchors:
    """The second file: a chain of its own, of ``{head, head_seq, ts}``. Used with the log's lock held."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Open or create the file.

        Raises:
            OSError: when it cannot be written.
        """
        self.path = path
        #: The number of the newest anchored record; 0 without one.
        self.seq = 0
        self._mac = ""
        self._key = anchor_key(key)
        self._chain = Chain.open(path)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was anchored yet."""
        return self.seq == 0

    def begin(self) -> Torn | None:
        """Find the newest anchor; one that is torn is cut.

        Raises:
            Broken: when it is not this key's.
            OSError: when it cannot be read or mended.
        """
        torn = self._chain.begin(self._key)
        self._read_newest()
        return torn

    def agree_with(self, head: Head) -> None:
        """Compare the newest anchor with the log's end.

        Raises:
            Broken: when the log ends before it, or in another record.
        """
        if self.seq > head.seq:
            raise Broken(f"it ends at record {head.seq}, and record {self.seq} was anchored: it was cut")
        if self.seq == head.seq and self._mac != head.mac and not self.is_empty:
            raise Broken(f"record {head.seq} is not the one that was anchored")

    def add(self, head: Head, now: int) -> None:
        """Anchor a log's end, unless it is the newest anchor already.

        Raises:
            Broken: when the file is not what was written.
            OSError: when it cannot be written.
        """
        size = self._chain.head.size
        self._chain.catch_up()
        if self._chain.head.size != size:
            self._read_newest()
        if head.mac == self._mac:
            return
        with locked(self._chain.descriptor):  # for those who only read this file
            self._chain.append([{"head": head.mac, "head_seq": head.seq, "ts": now}], durable=True)
        self.seq, self._mac = head.seq, head.mac

    def close(self) -> None:
        """Close the file."""
        self._chain.close()

    def _read_newest(self) -> None:
        line, _ = end_of(self._chain.descriptor, self._chain.head.size)
        if line:
            fields = fields_of(line)
            self.seq, self._mac = fields["head_seq"], fields["head"]
