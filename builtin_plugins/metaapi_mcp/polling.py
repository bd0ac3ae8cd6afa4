"""Prices that are asked for again and again: once for all who follow the same, and not at all when nobody does."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Sequence
from typing import Protocol

import anyio
import attrs
from anyio.abc import TaskGroup

from gatehook import Candle
from gatehook import Gap
from gatehook import ProviderError
from gatehook import Reconnected
from gatehook import Sink
from gatehook import Stale
from gatehook import Tick
from gatehook.context import Clock
from gatehook.kinds.streams import StreamControl


class Asked(Protocol):
    """What is followed: what came since the last question."""

    async def __call__(self) -> Sequence[Tick | Candle]:
        """Ask, and return what is new, oldest first."""


@attrs.frozen
class Pace:
    """Seconds between two questions, and after how many without anything new it is stale; ``None``: never."""

    every: float
    stale_after: float | None


class Poll:
    """One symbol's prices or candles, and who follows them."""

    def __init__(self, ask: Asked, pace: Pace, clock: Clock, note: Callable[[bool], None]) -> None:
        self._ask = ask
        self._pace = pace
        self._clock = clock
        self._note = note
        self._sinks: list[Sink[Tick | Candle]] = []
        self._newest: Tick | Candle | None = None
        self._lost_since: int | None = None
        self._is_stale = False
        self.scope = anyio.CancelScope()

    @property
    def is_followed(self) -> bool:
        """Whether anybody listens."""
        return bool(self._sinks)

    def join(self, sink: Sink[Tick | Candle]) -> None:
        """Let somebody follow; they get the newest at once."""
        self._sinks.append(sink)
        if self._newest is not None and self._lost_since is None:
            sink.put(self._newest)

    def leave(self, sink: Sink[Tick | Candle]) -> None:
        """Let somebody go; the last ends the questions."""
        self._sinks.remove(sink)
        if not self._sinks:
            self._note(False)
            self.scope.cancel()

    async def run(self) -> None:
        """Ask until nobody listens."""
        with self.scope:
            changed = self._clock.monotonic()
            while True:
                asked = self._clock.monotonic()
                items = await self._next()
                if items:
                    changed = self._clock.monotonic()
                self._judge_age(self._clock.monotonic() - changed)
                await anyio.sleep(max(0.0, self._pace.every - (self._clock.monotonic() - asked)))

    async def _next(self) -> Sequence[Tick | Candle]:
        try:
            items = await self._ask()
        except ProviderError as error:
            self._lose(error.message)
            return ()
        if self._lost_since is not None:
            self._lost_since = None
            self._put(Reconnected(at=self._clock.now()))
        for item in items:
            self._newest = item
            self._put(item)
        return items

    def _lose(self, reason: str) -> None:
        if self._lost_since is None:
            self._lost_since = self._clock.now()
            self._put(Gap(start=_time_of(self._newest), reason=f"the prices cannot be asked for: {reason}"))

    def _judge_age(self, age: float) -> None:
        limit = self._pace.stale_after
        if limit is None:
            return
        stale = age > limit
        if stale is not self._is_stale:
            self._is_stale = stale
            self._note(stale)
            if stale:
                self._put(Stale(since=_time_of(self._newest) or self._clock.now()))

    def _put(self, item: Tick | Candle | StreamControl) -> None:
        for sink in tuple(self._sinks):
            if not sink.ended:
                sink.put(item)


class Polls:
    """The polls of an entry, by what they ask for."""

    def __init__(self) -> None:
        self._polls: dict[Hashable, Poll] = {}

    def follow(self, key: Hashable, sink: Sink[Tick | Candle], make: Callable[[], Poll], tasks: TaskGroup) -> None:
        """Let a sink follow what ``key`` names; the first begins the questions."""
        poll = self._polls.get(key)
        if poll is None:
            poll = self._polls[key] = make()
            tasks.start_soon(poll.run, name=f"polling {key}")
        poll.join(sink)

    def leave(self, key: Hashable, sink: Sink[Tick | Candle]) -> None:
        """Let a sink go."""
        poll = self._polls[key]
        poll.leave(sink)
        if not poll.is_followed:
            del self._polls[key]

    @property
    def running(self) -> int:
        """How many things are asked for."""
        return len(self._polls)


def quotes(ask: Callable[[], Awaitable[Tick]]) -> Asked:
    """Return only quotes that differ from the last; one from before it says that it is out of order."""
    last: Tick | None = None

    async def changed() -> Sequence[Tick]:
        nonlocal last
        tick, before = await ask(), last
        if before is not None and (tick.ts_event, tick.bid, tick.ask) == (before.ts_event, before.bid, before.ask):
            return ()
        if before is not None and tick.ts_event < before.ts_event:
            return (attrs.evolve(tick, out_of_order=True),)
        last = tick
        return (tick,)

    return changed


def candles(ask: Callable[[], Awaitable[Sequence[Candle]]]) -> Asked:
    """Return only candles that differ from what was said of them, and none twice that is closed."""
    said: dict[int, Candle] = {}

    async def changed() -> Sequence[Candle]:
        found = await ask()
        first = not said
        news = [one for one in found if _shape(said.get(one.ts_open)) != _shape(one)]
        said.clear()
        said.update((one.ts_open, one) for one in found)
        return news[-1:] if first else news

    return changed


def _shape(candle: Candle | None) -> object:
    return None if candle is None else attrs.evolve(candle, ts_init=0, raw=None)


def _time_of(item: Tick | Candle | None) -> int | None:
    if item is None:
        return None
    return item.ts_event if isinstance(item, Tick) else item.ts_open
