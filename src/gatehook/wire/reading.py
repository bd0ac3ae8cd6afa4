"""A stream as its reader asks for it: open, next, close. One task owns the provider's stream, whoever asks."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from typing import Final

import anyio
from anyio.abc import TaskGroup

from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import Denied
from gatehook.kinds.provider import Health
from gatehook.kinds.streams import Items
from gatehook.wire.codec import WireCodec
from gatehook.wire.errors import UnknownStream
from gatehook.wire.errors import error_json
from gatehook.wire.protocol import IDLE_STREAM
from gatehook.wire.protocol import LONGEST_WAIT
from gatehook.wire.protocol import MOST_ITEMS
from gatehook.wire.protocol import MOST_STREAMS
from gatehook.wire.tools import ITEMS

_WORDS: Final = {cls: word for word, cls in ITEMS.items()}


class Reading:
    """One open stream. What was told is kept until the reader says that it arrived, so that it can be told again."""

    def __init__(self, codec: WireCodec, health: Callable[[], Health]) -> None:
        self._codec = codec
        self._health = health
        self._told_health: Health | None = None
        self._items: Items[Any] | None = None
        self._window: deque[tuple[Any, str | None]] = deque()
        self._base = 0
        self._told = 0
        self._cursor: str | None = None
        self._error: Exception | None = None
        self._ended = False
        self._busy = False
        self._closing = anyio.Event()
        self._opened = anyio.Event()
        self.last_asked = anyio.current_time()

    async def run(self, opened: AbstractAsyncContextManager[Items[Any]]) -> None:
        """Own the provider's stream until it is closed, or nobody asks for too long."""
        try:
            async with opened as self._items:
                self._opened.set()
                await self._until_closed()
        except Exception as error:  # noqa: BLE001  told to the reader, who owns the stream
            self._error, self._ended = error, True
        finally:
            self._opened.set()

    async def _until_closed(self) -> None:
        while not self._closing.is_set():
            left = math.inf if self._busy else self.last_asked + IDLE_STREAM - anyio.current_time()
            if left <= 0:
                return
            with anyio.move_on_after(min(left, IDLE_STREAM)):
                await self._closing.wait()

    async def opened(self) -> None:
        """Wait until the provider has opened its stream.

        Raises:
            Exception: what opening it raised.
        """
        await self._opened.wait()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Let the stream end."""
        self._closing.set()

    async def next(self, after: int | None, limit: int, wait: float) -> dict[str, Any]:
        """Return the items after a position, at most ``limit``; wait for the first at most ``wait`` seconds.

        Raises:
            Denied: while somebody else reads it.
            CursorExpired: for a position whose items are no longer kept, or were never told.
        """
        if self._busy:
            raise Denied("somebody reads this stream already; a stream has one reader")
        self._busy = True
        try:
            self._arrived(self._told if after is None else after)
            if not self._window and not self._ended:
                await self._fetch(min(max(wait, 0.0), LONGEST_WAIT))
            return self._answer(min(max(limit, 1), MOST_ITEMS))
        finally:
            self._busy = False
            self.last_asked = anyio.current_time()

    def _arrived(self, position: int) -> None:
        if not self._base <= position <= self._told:
            raise CursorExpired(
                f"position {position} is not between {self._base} and {self._told}; open the stream anew"
            )
        for _ in range(position - self._base):
            self._window.popleft()
        self._base = position

    async def _fetch(self, wait: float) -> None:
        assert self._items is not None, "a stream is read after it was opened"
        try:
            with anyio.move_on_after(wait):
                entries = await self._items.entries()
                self._window.extend(entries)
                self._ended = not entries
        except Exception as error:  # noqa: BLE001  the end of the stream, told in its last answer
            self._error, self._ended = error, True

    def _answer(self, limit: int) -> dict[str, Any]:
        items = [self._item(*self._window[place]) for place in range(min(limit, len(self._window)))]
        self._told = self._base + len(items)
        over = self._ended and len(items) == len(self._window)
        answer = {
            "items": items,
            "position": self._told,
            "cursor": self._cursor,
            "ended": over,
            "error": error_json(self._error) if over and self._error is not None else None,
            "conflated": self._items.conflated if self._items is not None else 0,
            "dropped": self._items.dropped if self._items is not None else 0,
        }
        health = self._health()
        if health != self._told_health:
            self._told_health = health
            answer["health"] = self._codec.dump(health)
        return answer

    def _item(self, item: Any, cursor: str | None) -> dict[str, Any]:
        found = {"type": _WORDS[type(item)], "value": self._codec.dump(item)}
        if cursor is not None:
            self._cursor = found["cursor"] = cursor
        return found


class Readings:
    """The open streams of one connection."""

    def __init__(self, tasks: TaskGroup, codec: WireCodec) -> None:
        self._tasks = tasks
        self._codec = codec
        self._open: dict[str, Reading] = {}
        self._count = 0

    async def open(self, stream: AbstractAsyncContextManager[Items[Any]], health: Callable[[], Health]) -> str:
        """Open a stream and return its name.

        Raises:
            Denied: when too many are open.
            Exception: what the provider raised.
        """
        if len(self._open) >= MOST_STREAMS:
            raise Denied(f"{MOST_STREAMS} streams are open; close one")
        self._count += 1
        name = f"s{self._count}"
        self._open[name] = reading = Reading(self._codec, health)
        self._tasks.start_soon(reading.run, stream)
        try:
            await reading.opened()
        except BaseException:
            self.close(name)
            raise
        return name

    def find(self, name: str) -> Reading:
        """Return an open stream.

        Raises:
            UnknownStream: when there is none of this name.
        """
        if name not in self._open:
            raise UnknownStream(f"no stream {name!r} is open on this connection")
        return self._open[name]

    def close(self, name: str) -> None:
        """End a stream; one that has ended is no error."""
        reading = self._open.pop(name, None)
        if reading is not None:
            reading.close()

    def close_all(self) -> None:
        """End them all."""
        for name in tuple(self._open):
            self.close(name)
