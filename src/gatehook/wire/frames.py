"""Lines of bytes cut out of a stream: one message each, none larger than a cap, whatever the other side sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import attrs

_EDGE: Final = 256
_ID: Final = re.compile(rb'"id"\s*:\s*(\d{1,18})\s*[,}]')


@attrs.frozen
class TooLarge:
    """A line over the cap, which was thrown away; ``request_id`` where its edges still show which reply it was."""

    request_id: int | None


class Lines:
    """Cuts chunks into lines. An endless line costs no memory: beyond the cap only its edges are kept."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._parts: list[bytes] = []
        self._size = 0
        self._head = b""
        self._tail = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> Iterator[bytes | TooLarge]:
        """Yield the lines that the chunk ends, without their line ends; empty ones are left out."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            line = self._complete(chunk[start:end])
            if line:
                yield line
            start = end + 1
        if start < len(chunk):
            self._keep(chunk[start:] if start else chunk)

    def _complete(self, last: bytes) -> bytes | TooLarge:
        if not self._parts and not self._skipping and len(last) <= self._largest:
            return last.rstrip(b"\r")
        self._keep(last)
        parts, self._parts, self._size = self._parts, [], 0
        if not self._skipping:
            return b"".join(parts).rstrip(b"\r")
        self._skipping = False
        found = _ID.search(self._head) or _ID.search(self._tail)
        return TooLarge(int(found[1]) if found else None)

    def _keep(self, part: bytes) -> None:
        if self._skipping:
            self._tail = (self._tail + part)[-_EDGE:]
            return
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._largest:
            whole = b"".join(self._parts)
            self._head, self._tail = whole[:_EDGE], whole[-_EDGE:]
            self._skipping = True
            self._parts, self._size = [], 0
