"""Ticks from one publisher to three subscribers: the bus against anyio's memory streams and pyee, in the same run.

Budget: at least 100,000 ticks a second on one core, nothing lost silently. Time is CPU time, the best of five rounds; a
tick counts when all three subscribers have it. Run it with ``python benchmarks/ticks.py``; it exits with 1 when the
budget is missed.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Awaitable
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import anyio
import anyio.lowlevel
from pyee.base import EventEmitter

from gatehook.events import EventBus
from gatehook.events import Subscription
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Overflow

BUDGET = 100_000
COUNT = 60_000
ROUNDS = 5
SUBSCRIBERS = 3
BURST = 500
TOPIC = "market.price.tick"

EURUSD = InstrumentId("EURUSD", "BENCH")
TICKS = [
    Tick(instrument_id=EURUSD, kind=TickKind.QUOTE, bid=Decimal(n), ask=Decimal(n + 1), ts_event=n)
    for n in range(COUNT)
]


async def through_the_bus(read: Callable[[Subscription, list[object]], Awaitable[None]], overflow: Overflow) -> int:
    """Publish every tick; return how many each subscriber got."""
    bus = EventBus()
    seen: list[list[object]] = [[] for _ in range(SUBSCRIBERS)]
    async with anyio.create_task_group() as tasks:
        subscriptions = [bus.subscribe(TOPIC, overflow=overflow, buffer=4 * BURST) for _ in seen]
        for subscription, own in zip(subscriptions, seen, strict=True):
            tasks.start_soon(read, subscription, own)
        await anyio.lowlevel.checkpoint()
        for n, tick in enumerate(TICKS):
            bus.publish(TOPIC, tick, source="bench", symbol="EURUSD.BENCH", ts=tick.ts_event)
            if n % BURST == 0:
                await anyio.lowlevel.checkpoint()
        for subscription in subscriptions:
            subscription.close()
    return smallest(seen)


def smallest(seen: list[list[object]]) -> int:
    """Return the count of the subscriber with the fewest; a loss would have been a Gap."""
    assert not any(isinstance(item, Gap) for own in seen for item in own), "a tick was lost"
    return min(len(own) for own in seen)


async def by_batch(subscription: Subscription, own: list[object]) -> None:
    """Read as the gateway does."""
    while batch := await subscription.batch():
        own += batch


async def by_item(subscription: Subscription, own: list[object]) -> None:
    """Read one at a time."""
    own.extend([event async for event in subscription])


async def through_anyio() -> int:
    """Await a send to each of three memory streams."""
    seen: list[list[object]] = [[] for _ in range(SUBSCRIBERS)]
    async with anyio.create_task_group() as tasks:
        senders = []
        for own in seen:
            send, receive = anyio.create_memory_object_stream[Tick](4 * BURST)
            senders.append(send)
            tasks.start_soon(read_stream, receive, own)
        for tick in TICKS:
            for send in senders:
                await send.send(tick)
        for send in senders:
            send.close()
    return smallest(seen)


async def read_stream(receive: anyio.abc.ObjectReceiveStream[Tick], own: list[object]) -> None:
    """Read a memory stream to its end."""
    async with receive:
        own.extend([tick async for tick in receive])


async def through_pyee() -> int:
    """Call three listeners: no queue, no order across listeners' tasks, no loss to see."""
    emitter = EventEmitter()
    seen: list[list[object]] = [[] for _ in range(SUBSCRIBERS)]
    for own in seen:
        emitter.on(TOPIC, own.append)
    for tick in TICKS:
        emitter.emit(TOPIC, tick)
    return smallest(seen)


def rate(work: Callable[[], Awaitable[int]], backend: str) -> float:
    """Return ticks a second of CPU time, the best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        begun = time.process_time()
        assert anyio.run(work, backend=backend) == COUNT
        best = min(best, time.process_time() - begun)
    return COUNT / best


def main() -> int:
    """Measure, print, and say whether the budget holds."""
    ours: dict[str, Callable[[], Awaitable[int]]] = {
        "bus, read in batches": partial(through_the_bus, by_batch, Overflow.DROP_OLDEST),
        "bus, read by item": partial(through_the_bus, by_item, Overflow.ERROR),
    }
    peers: dict[str, Callable[[], Awaitable[int]]] = {"anyio memory streams": through_anyio, "pyee": through_pyee}
    print(f"{COUNT:,} ticks, one publisher, {SUBSCRIBERS} subscribers, ticks/s of CPU time, best of {ROUNDS}")
    budget_holds = True
    for backend in ("asyncio", "trio"):
        rates = {name: rate(work, backend) for name, work in {**ours, **peers}.items()}
        reference = rates["bus, read in batches"]
        for name, value in rates.items():
            print(f"  {backend:8} {name:22} {value:>12,.0f}/s   bus in batches = {reference / value:.2f} x")
        budget_holds = budget_holds and reference >= BUDGET
    print(f"budget {BUDGET:,}/s: {'held' if budget_holds else 'MISSED'}")
    return 0 if budget_holds else 1


if __name__ == "__main__":
    sys.exit(main())
