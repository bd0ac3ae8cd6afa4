"""A server of prices on the loopback interface, whose connections a test cuts, silences and floods."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from contextlib import suppress

import anyio
from anyio.abc import SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream

HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000  # 2024-01-01, a Monday
HOURS = 150  # of history; Saturday and Sunday are left out
PAGE = 10
GONE = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)


class Stream:
    """One client that is sent every quote."""

    def __init__(self, wire):
        self.wire = wire
        self.pongs = 0
        self.heard = anyio.Event()
        self.gone = False
        self._one_at_a_time = anyio.Lock()

    async def send(self, *messages):
        try:
            async with self._one_at_a_time:
                await self.wire.send(b"".join(json.dumps(one).encode() + b"\n" for one in messages))
        except GONE:
            self.leave()

    async def listen(self, lines):
        try:
            while True:
                self.pongs = json.loads(await lines.receive_until(b"\n", 65536))["pong"]
                self._tell()
        except GONE:
            self.leave()

    def leave(self):
        self.gone = True
        self._tell()

    def _tell(self):
        self.heard.set()
        self.heard = anyio.Event()


class PriceServer:
    """Sends a quote every 30 ms on each stream, and any number more on request. Its history is told newest first."""

    port: int

    def __init__(self):
        self._streams = []
        self._opened = anyio.Event()
        self._cut = self._silent = False
        self._pings = self._quotes = 0

    @asynccontextmanager
    async def running(self):
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        self.port = listener.extra(SocketAttribute.local_port)
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, self._serve)
            tasks.start_soon(self._tick)
            yield self
            tasks.cancel_scope.cancel()

    async def produce(self, items):
        """Send this many quotes to every open stream, and return when each has read them or left."""
        while not await self._heard():
            await self._opened.wait()
        await self._heard(*(self._quote() for _ in range(items)))

    async def _heard(self, *messages):
        """Send to every open stream; say whether one of them has read it. The others have left, some over this."""
        self._pings += 1
        self._opened = anyio.Event()
        for stream in (asked := tuple(self._streams)):
            await stream.send(*messages, {"ping": self._pings})
            while stream.pongs < self._pings and not stream.gone:
                await stream.heard.wait()
        return any(stream.pongs == self._pings for stream in asked)

    @asynccontextmanager
    async def disconnected(self):
        self._cut = True
        for stream in tuple(self._streams):
            await stream.wire.aclose()
        yield
        self._cut = False

    @asynccontextmanager
    async def silent(self):
        self._silent = True
        yield
        self._silent = False

    async def _tick(self):
        while True:
            await anyio.sleep(0.03)
            if not self._silent:
                for stream in tuple(self._streams):
                    await stream.send(self._quote())

    async def _serve(self, wire):
        async with wire:
            if self._cut:
                return
            lines = BufferedByteReceiveStream(wire)
            with suppress(*GONE):
                question = json.loads(await lines.receive_until(b"\n", 65536))
                if question["ask"] == "stream":
                    await self._stream(wire, lines)
                else:
                    await wire.send(json.dumps(self._answer(question)).encode() + b"\n")

    async def _stream(self, wire, lines):
        stream = Stream(wire)
        await stream.send({"subscribed": 1}, self._quote())
        self._streams.append(stream)
        self._opened.set()
        try:
            await stream.listen(lines)
        finally:
            self._streams.remove(stream)

    def _answer(self, question):
        if question["ask"] == "instruments":
            return ["EURUSD"]
        if question["symbol"] != "EURUSD":
            return None
        if question["ask"] == "quote":
            return self._quote()
        opens = [START_MS + hour * HOUR_MS for hour in range(HOURS) if hour // 24 < 5]
        return [candle(one) for one in reversed(opens) if one < question["before"]][:PAGE]

    def _quote(self):
        self._quotes += 1
        points = 110_000 + self._quotes % 50
        return {
            "symbol": "EURUSD",
            "bid": f"{points / 100_000:.5f}",
            "ask": f"{(points + 10) / 100_000:.5f}",
            "time": time.time_ns() // 1_000_000,
        }


def candle(start):
    """Return the candle that opens then; all but the last of the history have closed."""
    base = 110_000 + start // HOUR_MS % 100
    points = {"open": base, "high": base + 20, "low": base - 20, "close": base + 5}
    closed = start < START_MS + 119 * HOUR_MS
    return {"open_time": start, "closed": closed} | {name: f"{one / 100_000:.5f}" for name, one in points.items()}
