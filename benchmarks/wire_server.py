"""A market data server on the wire: one quote, and a stream of as many ticks as the environment says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import anyio

from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.kind import Kind
from gatehook.kinds.market_data import MarketData
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.kinds.streams import Sink
from gatehook.wire.codec import WireCodec
from gatehook.wire.jsonrpc import Peer
from gatehook.wire.pipes import PipeReader
from gatehook.wire.pipes import PipeWriter
from gatehook.wire.server import About
from gatehook.wire.server import WireServer
from gatehook.wire.serving import Served

EURUSD = InstrumentId("EURUSD", "WIRE")
TICK = Tick(
    instrument_id=EURUSD,
    kind=TickKind.QUOTE,
    bid=Decimal("1.10000"),
    ask=Decimal("1.10010"),
    ts_event=1_700_000_000_123_456_789,
)


class Ticking(MarketData):
    """Puts ``count`` ticks, as fast as they are read."""

    def __init__(self, count: int) -> None:
        self._count = count

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """List nothing."""
        return []

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        """Return the one tick."""
        return TICK

    async def run_stream(
        self, subscriptions: Sequence[Subscription], sink: Sink[Tick | Candle], after: str | None
    ) -> None:
        """Put them all."""
        for number in range(self._count):
            sink.put(TICK)
            if number % 500 == 499:
                await sink.drained()


async def main() -> None:
    """Serve on stdin and stdout."""
    async with anyio.create_task_group() as tasks:
        providers: dict[Kind, Any] = {Kind.MARKET_DATA: Ticking(int(os.environ.get("TICKS", "0")))}
        server = WireServer(Served(providers, tasks, WireCodec()), About(name="measured", version="1"))
        await Peer(PipeReader(0), PipeWriter(1), answer=server.answer).run()
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main)
