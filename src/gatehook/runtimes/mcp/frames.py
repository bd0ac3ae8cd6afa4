"""Bytes into messages: lines, and server-sent events. No message is kept beyond its cap, and each byte is seen once."""

from __future__ import annotations

import attrs

from gatehook.runtimes.mcp.messages import HEAD


@attrs.frozen
class LongFrame:
    """A line over the cap: its two ends and its size; the rest was thrown away as it came."""

    head: bytes
    tail: bytes
    size: int


class Frames:
    """Cuts bytes into lines; each byte is looked at once, and no more than ``cap`` are kept."""

    def __init__(self, cap: int, *, keep_empty: bool = False) -> None:
        self._cap = cap
        self._keep_empty = keep_empty
        self._parts: list[bytes] = []
        self._size = 0
        self._head = b""
        self._tail = b""

    def feed(self, data: bytes) -> list[bytes | LongFrame]:
        """Return the lines that end in ``data``."""
        *ends, rest = data.split(b"\n")
        found: list[bytes | LongFrame] = []
        for end in ends:
            self._add(end)
            if self._size or self._keep_empty:
                found.append(self._taken())
            self._parts, self._size, self._head, self._tail = [], 0, b"", b""
        if rest:
            self._add(rest)
        return found

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._cap:
            self._parts.append(part)
            return
        if self._parts:
            kept = b"".join(self._parts)
            self._head, self._tail, self._parts = kept[:HEAD], kept[-HEAD:], []
        self._head += part[: HEAD - len(self._head)]
        self._tail = (self._tail + part[-HEAD:])[-HEAD:]

    def _taken(self) -> bytes | LongFrame:
        if self._size > self._cap:
            return LongFrame(self._head, self._tail, self._size)
        return b"".join(self._parts)


@attrs.frozen
class Event:
    """A server-sent event; ``retry`` in milliseconds."""

    name: str
    data: bytes | LongFrame
    event_id: str | None
    retry: int | None


class Events:
    """Cuts bytes into server-sent events."""

    def __init__(self, cap: int) -> None:
        self._lines = Frames(cap, keep_empty=True)
        self._cap = cap
        self._name = "message"
        self._data: list[bytes] = []
        self._long: LongFrame | None = None
        self._id: str | None = None
        self._retry: int | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that end in ``data``."""
        found = []
        for line in self._lines.feed(data):
            if isinstance(line, LongFrame):
                self._long = attrs.evolve(line, head=line.head.partition(b":")[2])
            elif line.rstrip(b"\r"):
                self._field(line.rstrip(b"\r"))
            else:
                found += self._ended()
        return found

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._name = value.decode("utf-8", errors="replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", errors="replace")
        elif name == b"retry" and value.isdigit():
            self._retry = int(value[:9])

    def _ended(self) -> list[Event]:
        data = b"\n".join(self._data)
        if len(data) > self._cap:
            self._long = LongFrame(data[:HEAD], data[-HEAD:], len(data))
        whole = Event(self._name, self._long or data, self._id, self._retry)
        something = self._data or self._long or self._id is not None or self._retry is not None
        self._name, self._data, self._long, self._id, self._retry = "message", [], None, None, None
        return [whole] if something else []
