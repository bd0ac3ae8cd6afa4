"""Whether the journal's write-ahead log ends in a torn write: read by hand, before SQLite recovers it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatehook.diagnostics.codes.orders import JOURNAL_TORN_TAIL
from gatehook.diagnostics.codes.orders import JOURNAL_UNAVAILABLE
from gatehook.diagnostics.records import Diagnostic
from gatehook.diagnostics.records import GatehookError

_HEADER: Final = 32
_FRAME: Final = 24
_BIG_ENDIAN_SUMS: Final = 0x377F0683
_MAGIC: Final = frozenset({0x377F0682, _BIG_ENDIAN_SUMS})


def torn_tail(path: Path) -> tuple[Diagnostic, ...]:
    """Report what follows the last whole commit in the log of the database at ``path``, if it is of this log at all.

    Raises:
        GatehookError: when the log cannot be read.
    """
    wal = path.with_name(path.name + "-wal")
    try:
        data = wal.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise GatehookError(JOURNAL_UNAVAILABLE(path=wal, problem=error.strerror)) from error
    if len(data) < _HEADER or int.from_bytes(data[:4], "big") not in _MAGIC:
        return ()
    size = _FRAME + int.from_bytes(data[8:12], "big")
    kept, end = 0, _HEADER
    for number, committed in enumerate(_frames(data, size), 1):
        if committed:
            kept, end = number, _HEADER + number * size
    lost = len(data) - end if _is_ours(data, end) else 0
    return (JOURNAL_TORN_TAIL(path=path, kept=kept, lost=lost),) if lost else ()


def _is_ours(data: bytes, at: int) -> bool:
    """Frames left over from before the log's last reset have another salt and are no loss."""
    return len(data) > at and data[at + 8 : at + 16] == data[16:24][: len(data[at + 8 : at + 16])]


def _frames(data: bytes, size: int) -> Iterator[bool]:
    """Yield for each valid frame whether it ends a commit; stop at the first that is torn or old."""
    order = ">" if int.from_bytes(data[:4], "big") == _BIG_ENDIAN_SUMS else "<"
    sums = _checksum(data[:24], (0, 0), order)
    for at in range(_HEADER, len(data) - size + 1, size):
        frame = data[at : at + size]
        sums = _checksum(frame[_FRAME:], _checksum(frame[:8], sums, order), order)
        if frame[8:16] != data[16:24] or struct.unpack(">II", frame[16:24]) != sums:
            return
        yield frame[4:8] != b"\0\0\0\0"


def _checksum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for one, other in zip(words, words, strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
