"""Streams between a provider and its consumer.

An author implements ``run_stream(self, subscriptions, sink, after)`` and puts items into the sink; a consumer writes
``async with provider.stream(…) as items: async for item in items``. What is lost is visible: as a ``Gap`` in the
stream, as the count of conflated items, or as ``StreamOverflow``.
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
from typing import Self
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
    """What follows up to the next item of this type is a snapshot; ``complete`` is false where it may lack
    something.
    """

    complete: bool


StreamControl = Gap | Stale | Reconnected | Snapshot

#: What waits in a sink: the item, the cursor after it, and what replaces it.
_Entry = tuple[T | StreamControl, str | None, Hashable | None]


def _never(_: object) -> None:
    """No item replaces another."""


class Sink(Generic[T]):
    """The author's end of a stream, and the buffer behind it. One task reads, any number write."""

    def __init__(
        self,
        *,
        overflow: Overflow,
        buffer: int,
        key: Callable[[T | StreamControl], Hashable | None] = _never,
    ) -> None:
        """Make an empty stream of at most ``buffer`` waiting items.

        ``key`` says which items replace each other under ``conflate``; ``None`` means never, and nothing moves past
        such an item.
        """
        if buffer < 1:
            raise ValueError(f"a stream's buffer holds at least one item, not {buffer}")
        self._overflow = overflow
        self._buffer = buffer
        self._key = key if overflow is Overflow.CONFLATE else None
        self._waiting: deque[_Entry[T]] = deque()
        self._newest: dict[Hashable, int] = {}
        self._taken = 0
        self._lossy = False
        self._lost: int | None = 0
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
        oldest = self._take()[0]
        lost = oldest.lost if isinstance(oldest, Gap) else 1
        self._lost = None if lost is None or self._lost is None else self._lost + lost
        self._lossy = True
        self.dropped += 1

    def _take(self) -> tuple[T | StreamControl, str | None]:
        item, cursor, key = self._waiting.popleft()
        if key is not None and self._newest.get(key) == self._taken:
            del self._newest[key]
        self._taken += 1
        return item, cursor

    def _take_loss(self) -> Gap:
        gap = Gap(reason="overflow", lost=self._lost)
        self._lossy, self._lost = False, 0
        return gap

    def _notify(self) -> None:
        if self._wake is not None:
            self._wake.set()
            self._wake = None

    @property
    def ended(self) -> bool:
        """Whether nothing put in now is read any more: the stream ended, overflowed, or its consumer left."""
        return self._ended

    @property
    def failure(self) -> Exception | None:
        """The error that the stream ended with, if it did."""
        return self._error

    @property
    def idle(self) -> bool:
        """Whether the consumer has taken everything and waits for more, or the stream has ended."""
        return self._ended or (self._wake is not None and not self._waiting)

    async def drained(self) -> None:
        """Wait until the consumer has taken everything and asks for more: it is done with what it got."""
        while not self.idle:
            if self._asked is None:
                self._asked = anyio.Event()
            await self._asked.wait()

    def end(self, error: Exception | None = None) -> None:
        """Let the consumer's loop finish after what is waiting; with ``error``, by raising it."""
        if not self._ended:
            self._ended, self._error = True, error
            self._notify()
            self._tell_drained()

    def _tell_drained(self) -> None:
        if self._asked is not None:
            self._asked.set()
            self._asked = None

    async def next_item(self) -> tuple[T | StreamControl, str | None]:
        """Take the oldest item and the cursor after it, when there is one.

        Raises:
            StopAsyncIteration: at the end of the stream, or the error it ended with.
            BusyResourceError: while another task waits for the next item.
        """
        if not self._waiting and not self._lossy:
            await self._arrival()
        return (self._take_loss(), None) if self._lossy else self._take()

    async def next_entries(self) -> list[tuple[T | StreamControl, str | None]]:
        """Take everything that waits, at least one item, each with the cursor after it. It raises what ``next_item``
        raises.
        """
        entries = [await self.next_item()]
        while self._waiting:
            entries.append(self._take())
        return entries

    async def next_batch(self) -> list[T | StreamControl]:
        """Take everything that waits, at least one item. It raises what ``next_item`` raises."""
        if not self._waiting and not self._lossy:
            await self._arrival()
        batch: list[T | StreamControl] = [self._take_loss()] if self._lossy else []
        batch += [item for item, _, _ in self._waiting]
        self._taken += len(self._waiting)
        self._waiting.clear()
        self._newest.clear()
        return batch

    async def _arrival(self) -> None:
        if self._wake is not None:
            raise anyio.BusyResourceError("reading from")
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration if self._error is None else self._error
            self._wake = wake = anyio.Event()
            self._tell_drained()
            try:
                await wake.wait()
            finally:
                if self._wake is wake:  # cancelled: nobody waits any more
                    self._wake = None


class Items(Generic[T]):
    """The consumer's end of a stream. ``cursor`` is the position after the item last returned: keep it to resume."""

    def __init__(self, sink: Sink[T], after: str | None) -> None:
        self._sink = sink
        self.cursor = after

    @property
    def conflated(self) -> int:
        """How many items were replaced by newer ones before they were read."""
        return self._sink.conflated

    @property
    def dropped(self) -> int:
        """How many items were dropped; where they were, the stream has a ``Gap``."""
        return self._sink.dropped

    @property
    def failure(self) -> Exception | None:
        """What the stream ended with, where it ended with an error."""
        return self._sink.failure

    def end(self, error: Exception | None = None) -> None:
        """End the stream from outside: the consumer gets what waits, then the end or the error."""
        self._sink.end(error)

    def __aiter__(self) -> Self:
        return self

    async def batch(self) -> list[T | StreamControl]:
        """Return everything that waits, at least one item, and the empty list at the end of the stream."""
        return [item for item, _ in await self.entries()]

    async def entries(self) -> list[tuple[T | StreamControl, str | None]]:
        """Return what ``batch`` returns, each item with the cursor after it where the provider gave one."""
        try:
            entries = await self._sink.next_entries()
        except StopAsyncIteration:
            return []
        for _, cursor in entries:
            if cursor is not None:
                self.cursor = cursor
        return entries

    async def __anext__(self) -> T | StreamControl:
        item, cursor = await self._sink.next_item()
        if cursor is not None:
            self.cursor = cursor
        return item


@asynccontextmanager
async def open_stream(
    run: Callable[[Sink[T]], Awaitable[None]],
    *,
    overflow: Overflow,
    buffer: int,
    after: str | None = None,
    key: Callable[[T | StreamControl], Hashable | None] = _never,
) -> AsyncIterator[Items[T]]:
    """Run a producer beside its consumer; leaving the block ends the producer at once.

    An exception of the producer is raised in the consumer's loop, after the items that came before it.
    """
    sink = Sink[T](overflow=overflow, buffer=buffer, key=key)

    async def produce() -> None:
        try:
            await run(sink)
        except Exception as error:  # noqa: BLE001  handed to the consumer, who owns the stream
            sink.end(error)
        except SystemExit as error:  # asyncio would end its loop, and with it everybody else
            sink.end(RuntimeError(f"the producer ended with SystemExit: {error}"))
        else:
            sink.end()

    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(produce)
        try:
            yield Items(sink, after)
        except Exception as error:  # noqa: BLE001  raised again below, where no task group wraps it
            failure = error
        finally:
            sink.end()
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
