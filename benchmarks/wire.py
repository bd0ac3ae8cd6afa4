"""The wire over stdio: what a call costs, and how many items of a stream pass, against the same provider in process."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any
from typing import Final

import anyio

from benchmarks.measuring import Row
from benchmarks.wire_server import EURUSD
from benchmarks.wire_server import Ticking
from gatehook.clocks import SystemClock
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import MarketData
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.streams import Overflow
from gatehook.runtimes.children import Child
from gatehook.runtimes.children import ChildSpec
from gatehook.runtimes.wired import ChildInput
from gatehook.runtimes.wired import ChildOutput
from gatehook.wire.market_data import WireMarketData
from gatehook.wire.session import StdioWireSession

_SERVER: Final = Path(__file__).parent / "wire_server.py"
_AT_ONCE: Final = 32
_QUOTES: Final = (Subscription(instrument_id=EURUSD, channel=Channel.QUOTES),)


def run(quick: bool) -> Iterator[Row]:
    """Measure on asyncio."""
    calls, ticks = (50, 2_000) if quick else (3_000, 200_000)
    yield from anyio.run(_measured, calls, ticks)


async def _measured(calls: int, ticks: int) -> list[Row]:
    async with _connected(ticks) as (session, source):
        assert session.peer is not None
        ping = session.peer.request
        bare = await _latency(lambda: ping("ping", {}, timeout=5), calls)
        quote = await _latency(lambda: source.quote(EURUSD), calls)
        bare_rate = await _rate(lambda: ping("ping", {}, timeout=5), calls)
        quote_rate = await _rate(lambda: source.quote(EURUSD), calls)
        over = await _items(source, ticks)
    inside = await _items(Ticking(ticks), ticks)
    return [
        Row(work="a quote over the wire", figure=quote, unit="µs", against="a bare request", other=bare),
        Row(
            work=f"quotes, {_AT_ONCE} at once", figure=quote_rate, unit="1/s", against="bare requests", other=bare_rate
        ),
        Row(work="items of a stream over the wire", figure=over, unit="1/s", against="in process", other=inside),
    ]


@asynccontextmanager
async def _connected(ticks: int) -> AsyncIterator[tuple[StdioWireSession, WireMarketData]]:
    environment = {**os.environ, "TICKS": str(ticks)}
    session, logger = StdioWireSession(), logging.getLogger("benchmarks")
    spec = ChildSpec(command=(sys.executable, str(_SERVER)), environment=environment, cwd=_SERVER.parent)
    child = Child.start(spec, name="measured", logger=logger, redact=str)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(child.watch_stderr)
            await tasks.start(session.run, ChildOutput(child), ChildInput(child))
            context: Any = SimpleNamespace(entry_id="measured", clock=SystemClock(), logger=logger)
            yield session, WireMarketData(session, context)
            tasks.cancel_scope.cancel()
    finally:
        await child.stop()


async def _latency(call: Callable[[], Awaitable[Any]], calls: int) -> float:
    took = []
    for _ in range(calls):
        begin = time.perf_counter()
        await call()
        took.append(time.perf_counter() - begin)
    return median(took) * 1e6


async def _rate(call: Callable[[], Awaitable[Any]], calls: int) -> float:
    async def repeat() -> None:
        for _ in range(calls // 8):
            await call()

    begin = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(_AT_ONCE):
            tasks.start_soon(repeat)
    return _AT_ONCE * (calls // 8) / (time.perf_counter() - begin)


async def _items(source: MarketData, ticks: int) -> float:
    begin = time.perf_counter()
    seen = 0
    async with source.stream(_QUOTES, overflow=Overflow.ERROR) as items:
        async for _ in items:
            seen += 1
    assert seen == ticks
    return seen / (time.perf_counter() - begin)
