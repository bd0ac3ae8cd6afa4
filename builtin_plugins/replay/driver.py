"""Moves the replay: one row at a time, to every open stream in the order they were opened, each done before the
next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Sequence
from typing import Final
from typing import Protocol
from typing import TypeGuard

import anyio
import anyio.lowlevel

from gatehook import Candle
from gatehook import Sink
from gatehook import Tick
from gatehook.context import Clock
from gatehook.kinds.times import SECOND

from .recording import Row

#: How long a stream may work on one row before the others stop waiting for it.
_PATIENCE: Final = 30.0


class MarketClock(Clock, Protocol):
    """A clock whose market time a replay moves."""

    def advance(self, to: int) -> None:
        """Set market time."""

    async def started(self) -> None:
        """Wait until replays may run."""


class Listener:
    """One open stream: what a row is to it, and its sink."""

    def __init__(self, item_of: Callable[[Row], Tick | Candle], sink: Sink[Tick | Candle]) -> None:
        self._item_of = item_of
        self._sink = sink
        self.keeps_up = True

    @property
    def has_left(self) -> bool:
        """Whether its consumer reads no more."""
        return self._sink.ended

    async def take(self, row: Row, place: int) -> None:
        """Put a row's item, and wait until the consumer has dealt with it. The cursor is the number of rows done."""
        self._sink.put(self._item_of(row), str(place))
        if self.keeps_up:
            self.keeps_up = False
            with anyio.move_on_after(_PATIENCE):
                await self._sink.drained()
                self.keeps_up = True


class Driver:
    """The replay's position, and the loop that moves it."""

    def __init__(
        self,
        rows: Sequence[Row],
        clock: Clock,
        *,
        pace: float,
        longest_pause: float,
        logger: logging.Logger,
        on_progress: Callable[[], object],
    ) -> None:
        """Replay ``rows``, ``pace`` times faster than real time (0: at once); no pause is longer than ``longest_pause``
        seconds.
        """
        self._rows = rows
        self._clock = clock
        self._pace = pace
        self._longest_pause = longest_pause
        self._logger = logger
        self._on_progress = on_progress
        self._listeners: list[Listener] = []
        self._opened = anyio.Event()
        self._finished = anyio.Event()
        self._scope = anyio.CancelScope()
        self.done = 0

    @property
    def is_finished(self) -> bool:
        """Whether every row was replayed and dealt with, or the replay was stopped."""
        return self._finished.is_set()

    @property
    def slow(self) -> int:
        """How many streams are no longer waited for."""
        return sum(not one.keeps_up for one in self._listeners)

    def go_to_now(self) -> None:
        """Go on behind what was replayed already on this market clock, or set the clock to the first row."""
        if is_market_clock(self._clock):
            now = self._clock.now()
            self.done = sum(row.end <= now for row in self._rows)
            first = self._rows[0]
            self._clock.advance(first.begin if first.end > first.begin else first.begin - 1)

    async def run(self) -> None:
        """Replay to the end, from when the clock is started and there is a stream."""
        with self._scope:
            if is_market_clock(self._clock):
                await self._clock.started()
            while self.done < len(self._rows):
                await self._somebody()
                await self._wait()
                await self._step(self._rows[self.done])
            self._finished.set()
            self._on_progress()

    def stop(self) -> None:
        """End the loop and the open streams."""
        self._finished.set()
        self._scope.cancel()

    async def _somebody(self) -> None:
        await anyio.lowlevel.checkpoint()
        while all(one.has_left for one in self._listeners):
            self._opened = anyio.Event()
            await self._opened.wait()

    async def _wait(self) -> None:
        if self._pace and self.done:
            seconds = (self._rows[self.done].end - self._rows[self.done - 1].end) / SECOND
            await anyio.sleep(min(seconds, self._longest_pause) / self._pace)

    async def _step(self, row: Row) -> None:
        if is_market_clock(self._clock):
            self._clock.advance(row.end)
        self.done += 1
        for listener in [one for one in self._listeners if not one.has_left]:
            in_time = listener.keeps_up
            await listener.take(row, self.done)
            if in_time and not listener.keeps_up:
                self._logger.warning("a stream took over %g s for line %d; it is not waited for", _PATIENCE, row.line)
        if self.done % max(1, len(self._rows) // 100) == 0:
            self._on_progress()

    async def serve(self, listener: Listener, after: int | None) -> None:
        """Bring a stream from ``after`` rows to the replay's position, and on from there to the end."""
        place = self.done if after is None else after
        while place < self.done:
            place += 1
            await listener.take(self._rows[place - 1], place)
        if self.is_finished:
            return
        self._listeners.append(listener)
        self._opened.set()
        try:
            await self._finished.wait()
        finally:
            self._listeners.remove(listener)


def is_market_clock(clock: Clock) -> TypeGuard[MarketClock]:
    """Say whether a replay moves this clock."""
    return hasattr(clock, "advance")
