"""The broker's events on their way to who listens: first what is stored, then what happens."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterable
from typing import Final

import anyio

from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.streams import Sink

PAGE: Final = 1000
#: How long a price waits for the listeners to be done with what the last one caused.
PATIENCE: Final = 5.0

Event = tuple[BrokerEvent, str | None]


class Feed:
    """All open event streams."""

    def __init__(self) -> None:
        self._sinks: list[Sink[BrokerEvent]] = []

    @property
    def listened(self) -> bool:
        """Whether anybody listens."""
        return bool(self._sinks)

    def publish(self, events: Iterable[Event]) -> None:
        """Hand events to every listener; one that fell too far behind is let go, and its stream says so."""
        batch = tuple(events)
        for sink in tuple(self._sinks):
            try:
                for event, cursor in batch:
                    sink.put(event, cursor)
            except StreamOverflow:
                self._sinks.remove(sink)

    async def drained(self) -> None:
        """Wait until the listeners are done with everything, but not for ever."""
        with anyio.move_on_after(PATIENCE):
            for sink in tuple(self._sinks):
                await sink.drained()

    async def listen(
        self, sink: Sink[BrokerEvent], read: Callable[[int], Awaitable[list[Event]]], after: int, lock: anyio.Lock
    ) -> None:
        """Put what is stored after a place into a sink, then everything that happens, until cancelled.

        ``read`` returns at most ``PAGE`` stored events after a place; under ``lock`` nothing new is stored.
        """
        place = await self._catch_up(sink, read, after)
        async with lock:
            for event, cursor in await read(place):
                sink.put(event, cursor)
            self._sinks.append(sink)
        try:
            await anyio.sleep_forever()
        finally:
            if sink in self._sinks:
                self._sinks.remove(sink)

    async def _catch_up(
        self, sink: Sink[BrokerEvent], read: Callable[[int], Awaitable[list[Event]]], after: int
    ) -> int:
        place = after
        while len(page := await read(place)) == PAGE:
            for event, cursor in page:
                sink.put(event, cursor)
            place += len(page)
            await sink.drained()
        return place


def place_of(cursor: str | None, last: int) -> int:
    """Return the place that a cursor names; without one the last.

    Raises:
        CursorExpired: for a cursor that is not of this store.
    """
    if cursor is None:
        return last
    if not cursor.isdecimal() or int(cursor) > last:
        raise CursorExpired(f"{cursor!r} is no place in the events of this broker")
    return int(cursor)
