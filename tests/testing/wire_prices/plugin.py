"""Prices from a server that speaks lines of JSON over TCP: one connection a question, one a stream."""

from __future__ import annotations

import json

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from gatehook import Candle
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import MarketData
from gatehook import NotConnected
from gatehook import NotFound
from gatehook import Page
from gatehook import Tick
from gatehook import TickKind
from gatehook import hookimpl
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Reconnected
from gatehook.kinds.streams import Stale

MS = 1_000_000  # the wire's times are milliseconds
LOST = (OSError, anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)


class WirePrices(MarketData):
    def __init__(self, context):
        self._context = context
        self._port = context.config["port"]
        self._stale_after = context.config["staleAfter"]
        self._stale = set()

    def health(self):
        if self._stale:
            return Health(status=HealthStatus.DEGRADED, reasons=("the server sends nothing",))
        return Health()

    async def list_instruments(self, *, query=None):
        instruments = [self._instrument(one) for one in await self._ask(ask="instruments")]
        return [one for one in instruments if query is None or query in one.native_symbol]

    async def quote(self, instrument_id):
        answer = await self._ask(ask="quote", symbol=instrument_id.symbol)
        if answer is None:
            raise NotFound(f"the server has no prices for {instrument_id}")
        return self._tick(instrument_id, answer)

    async def history(self, instrument_id, timeframe, *, start, end, limit=None, cursor=None):
        """The server pages backwards from a time; a page of ours is a window of time, oldest first."""
        first = start if cursor is None else int(cursor)
        last = end if limit is None else min(end, first + limit * timeframe.length)
        found, before = [], last // MS
        while before > first // MS:
            rows = await self._ask(ask="history", symbol=instrument_id.symbol, before=before)
            found += [self._candle(instrument_id, timeframe, row) for row in rows]
            before = min((row["open_time"] for row in rows), default=0)
        items = sorted((one for one in found if first <= one.ts_open < last), key=lambda one: one.ts_open)
        return Page(items=items, cursor=str(last) if last < end else None)

    async def run_stream(self, subscriptions, sink, after):
        ids = {one.instrument_id.symbol: one.instrument_id for one in subscriptions}
        lost = False
        try:
            while True:
                try:
                    async with await anyio.connect_tcp("127.0.0.1", self._port) as wire:
                        await wire.send(_line(ask="stream", symbols=sorted(ids)))
                        await self._follow(wire, ids, sink, renewed=lost)
                except LOST:
                    if not lost:
                        sink.put(Gap(start=self._context.clock.now(), reason="the connection was lost"))
                    lost = True
                    await anyio.sleep(0.02)
                else:
                    lost = False
        finally:
            self._stale.discard(sink)

    async def _follow(self, wire, ids, sink, *, renewed):
        lines = BufferedByteReceiveStream(wire)
        last = self._context.clock.now()
        while True:
            with anyio.move_on_after(self._stale_after) as scope:
                message = json.loads(await lines.receive_until(b"\n", 65536))
            if scope.cancelled_caught:
                self._stale.add(sink)
                sink.put(Stale(since=last))
                continue
            if "ping" in message:
                await wire.send(_line(pong=message["ping"]))
            elif "subscribed" in message:
                if renewed:
                    sink.put(Reconnected(at=self._context.clock.now()))
            else:
                self._stale.discard(sink)
                tick = self._tick(ids[message["symbol"]], message)
                last = tick.ts_event
                sink.put(tick)

    async def _ask(self, **question):
        try:
            async with await anyio.connect_tcp("127.0.0.1", self._port) as wire:
                await wire.send(_line(**question))
                return json.loads(await BufferedByteReceiveStream(wire).receive_until(b"\n", 1 << 20))
        except LOST as error:
            raise NotConnected(f"no answer from the server: {error!r}") from error

    def _instrument(self, symbol):
        return Instrument(
            id=InstrumentId(symbol, self._context.venue),
            native_symbol=symbol,
            base=symbol[:3],
            quote=symbol[3:],
            settle_currency=symbol[3:],
            price_increment="0.00001",
            size_increment="1000",
        )

    def _tick(self, instrument_id, row):
        return Tick(
            instrument_id=instrument_id,
            kind=TickKind.QUOTE,
            bid=row["bid"],
            ask=row["ask"],
            ts_event=row["time"] * MS,
            ts_init=self._context.clock.now(),
        )

    def _candle(self, instrument_id, timeframe, row):
        start = row["open_time"] * MS
        return Candle(
            instrument_id=instrument_id,
            timeframe=timeframe,
            ts_open=start,
            ts_close=start + timeframe.length,
            open=row["open"],
            high=row["high"],
            low=row["low"],
            close=row["close"],
            closed=row["closed"],
        )


def _line(**message):
    return json.dumps(message).encode() + b"\n"


@hookimpl
def provide_market_data(context):
    return WirePrices(context)
