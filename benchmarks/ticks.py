"""Ticks from one publisher to three subscribers: the bus against anyio's memory streams and pyee.

A tick counts when all three subscribers have it; time is CPU time. Nothing may be lost: a loss would be a ``Gap``.
"""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Coroutine
from collections.abc import Iterator
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from typing import Final

import anyio
import anyio.lowlevel

from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.measuring import side_by_side
from benchmarks.measuring import skipped
from gatehook import InstrumentId
from gatehook import Tick
from gatehook import TickKind
from gatehook.events import EventBus
from gatehook.events import Subscription
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Overflow

SUBSCRIBERS: Final = 3
BURST: Final = 500
TOPIC: Final = "market.price.tick"
EURUSD: Final = InstrumentId("EURUSD", "BENCH")
_WORK: Final = "ticks to 3 subscribers, {}, CPU"


def run(quick: bool) -> Iterator[Row]:
    """Measure on both event loops."""
    ticks = [
        Tick(instrument_id=EURUSD, kind=TickKind.QUOTE, bid=Decimal(n), ask=Decimal(n + 1), ts_event=n)
        for n in range(600 if quick else 60_000)
    ]
    missing = skipped(_WORK.format("read in batches"), "pyee")
    for backend in ("asyncio", "trio"):
        works: dict[str, Callable[[], Awaitable[int]]] = {
            "batches": partial(through_the_bus, ticks, by_batch, Overflow.DROP_OLDEST),
            "items": partial(through_the_bus, ticks, by_item, Overflow.ERROR),
            "anyio memory streams": partial(through_anyio, ticks),
        }
        if missing is None:
            works["pyee, no queue"] = partial(through_pyee, ticks)
        runs = {name: partial(_run, work, backend, len(ticks)) for name, work in works.items()}
        seconds = side_by_side(runs, 2 if quick else 5)
        yield from _rows(backend, {name: len(ticks) / taken for name, taken in seconds.items()})
    yield from [missing] if missing else []


def _run(work: Callable[[], Awaitable[int]], backend: str, count: int) -> None:
    assert anyio.run(work, backend=backend) == count


def _rows(backend: str, rates: dict[str, float]) -> Iterator[Row]:
    peers = list(rates)[2:]
    for how, against in (*(("batches", peer) for peer in peers), ("items", peers[0])):
        yield Row(
            work=_WORK.format(f"read in {how}, {backend}"),
            figure=rates[how],
            unit="/s",
            against=against,
            other=rates[against],
            budget=Budget(100_000, "/s", ceiling=False) if how == "batches" else None,
        )


async def through_the_bus(
    ticks: Sequence[Tick], read: Callable[[Subscription, list[object]], Coroutine[Any, Any, None]], overflow: Overflow
) -> int:
    """Publish every tick; return how many each subscriber got."""
    bus = EventBus()
    seen: list[list[object]] = [[] for _ in range(SUBSCRIBERS)]
    async with anyio.create_task_group() as tasks:
        subscriptions = [bus.subscribe(TOPIC, overflow=overflow, buffer=4 * BURST) for _ in seen]
        for subscription, own in zip(subscriptions, seen, strict=True):
            tasks.start_soon(read, subscription, own)
        await anyio.lowlevel.checkpoint()
        for n, tick in enumerate(ticks):
            bus.publish(TOPIC, tick, source="bench", symbol="EURUSD.BENCH", ts=tick.ts_event)
            if n % BURST == 0:
                await anyio.lowlevel.checkpoint()
        for subscription in subscriptions:
            subscription.close()
    return smallest(seen)


def smallest(seen: list[list[object]]) -> int:
    """Return the count of the subscriber with the fewest."""
    assert not any(isinstance(item, Gap) for own in seen for item in own), "a tick was lost"
    return min(len(own) for own in seen)


async def by_batch(subscription: Subscription, own: list[object]) -> None:
    """Read as the gateway does."""
    while batch := await subscription.batch():
        own += batch


async def by_item(subscription: Subscription, own: list[object]) -> None:
    """Read one at a time."""
    own += [event async for event in subscription]


async def through_anyio(ticks: Sequence[Tick]) -> int:
    """Await a send to each of three memory streams."""
    seen: list[list[object]] = [[] for _ in range(SUBSCRIBERS)]
    async with anyio.create_task_group() as tasks:
        senders = []
        for own in seen:
            send, receive = anyio.create_memory_object_stream[Tick](4 * BURST)
            senders.append(send)
            tasks.start_soon(read_stream, receive, own)
        for tick in ticks:
            for send in senders:
                await send.send(tick)
        for send in senders:
            send.close()
    return smallest(seen)


async def read_stream(receive: anyio.abc.ObjectReceiveStream[Tick], own: list[object]) -> None:
    """Read a memory stream to its end."""
    async with receive:
        own += [tick async for tick in receive]


async def through_pyee(ticks: Sequence[Tick]) -> int:
    """Call three listeners: no queue, no order across listeners' tasks, no loss to see."""
    from pyee.base import EventEmitter

    emitter = EventEmitter()
    seen: list[list[object]] = [[] for _ in range(SUBSCRIBERS)]
    for own in seen:
        emitter.on(TOPIC, own.append)
    for tick in ticks:
        emitter.emit(TOPIC, tick)
    return smallest(seen)
