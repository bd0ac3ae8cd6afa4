"""Streams between a provider and its consumer.

An author implements ``run_stream(self, subscriptions, sink, after)`` and puts items into the sink; a consumer writes
``async with provider.stream(…) as items: async for item in items``. What is lost is visible: as a ``Gap`` in the stream, as the
count of conflated items, or as ``StreamOverflow``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Hashable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Generic
from typing import TypeVar

import anyio
import attrs

from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.times import Ns

T = TypeVar("T")


class Overflow(StrEnum):
    """What happens when the consumer falls a whole buffer behind."""

    CONFLATE = "conflate"
    DROP_OLDEST = "drop_oldest"
    ERROR = "error"


@attrs.frozen(kw_only=True)
class Gap:
    """Items are missing here: between the times (or from where it is known), why, and how many where that is known."""

    start: Ns | None = None
    end: Ns | None = None
    reason: str
    lost: int | None = None


@attrs.frozen(kw_only=True)
class Stale:
    """Nothing has come since then, although the connection is open."""

    since: Ns


@attrs.frozen(kw_only=True)
class Reconnected:
    """The connection is back and every live subscription was renewed."""

    at: Ns


@attrs.frozen(kw_only=True)
class Snapshot:
    """What follows up to the next item of this type is a snapshot; ``complete`` is false where it may lack something."""

    complete: bool


StreamControl = Gap | Stale | Reconnected | Snapshot


class Sink(Generic[T]):
    """The author's end of a stream, and the buffer behind it. One task reads, any number write."""

    def __init__(
        self, *, overflow: Overflow, buffer: int, key: Callable[[T | StreamControl], Hashable | None] = lambda item: None
    ) -> None:
        """Make an empty stream of at most ``buffer`` waiting items.

        ``key`` says which items replace each other under ``conflate``; ``None`` means never, and nothing moves past such an item.
        """
        if buffer < 1:
            raise ValueError(f"a stream's buffer holds at least one item, not {buffer}")
        self._overflow = overflow
        self._buffer = buffer
        self._key = key if overflow is Overflow.CONFLATE else None
        self._waiting: deque[_Entry[T]] = deque()
        self._newest: dict[Hashable, int] = {}
        self._taken = 0
        self._loss: Gap | None = None
        self._wake: anyio.Event | None = None
        self._asked: anyio.Event | None = None
        self._error: Exception | None = None
        self._ended = False
        self.conflated = 0
        self.dropped = 0

    def put(self, item: T | StreamControl, cursor: str | None = None) -> None:
        """Hand one item to the consumer; ``cursor`` is the position after it. After the end it does nothing.

        Raises:
            StreamOverflow: where the policy is ``error`` and the buffer is full; the stream has ended.
        """
        if self._ended:
            return
        key = None
        if self._key is not None:
            key = self._key(item)
            if self._replaces(key, item):
                return
        if len(self._waiting) >= self._buffer:
            self._make_room()
        if key is not None:
            self._newest[key] = self._taken + len(self._waiting)
        self._waiting.append((item, cursor, key))
        if self._wake is not None:
            self._notify()

    def _replaces(self, key: Hashable | None, item: T | StreamControl) -> bool:
        if key is None:  # a trade or a Gap: a later quote must not be read before it
            self._newest.clear()
            return False
        place = self._newest.get(key)
        if place is None:
            return False
        # The old cursor stays: whoever resumes from it sees again, and never misses, what came in between.
        _, cursor, _ = self._waiting[place - self._taken]
        self._waiting[place - self._taken] = (item, cursor, key)
        self.conflated += 1
        return True

    def _make_room(self) -> None:
        if self._overflow is Overflow.ERROR:
            error = StreamOverflow(f"the consumer is {self._buffer} items behind; read faster or choose another policy")
            self.end(error)
            raise error
        oldest, _ = self._take()
        known = 0 if self._loss is None else self._loss.lost
        lost = (oldest.lost if known == 0 else None) if isinstance(oldest, Gap) else 1
        self.dropped += 1
        self._loss = Gap(reason="overflow", lost=None if known is None or lost is None else known + lost)

    def _take(self) -> tuple[T | StreamControl, str | None]:
        item, cursor, key = self._waiting.popleft()
        if key is not None and self._newest.get(key) == self._taken:
            del self._newest[key]
        self._taken += 1
        return item, cursor
