"""Prices that a test moves: a market data source to put under the broker that is being tested."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import Final

import anyio
import attrs

from gatehook.context import PluginContext
from gatehook.hookspecs import hookimpl
from gatehook.kinds.errors import NotFound
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.market_data import MarketData
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.kinds.streams import Sink


class ControlledPrices(MarketData):
    """A source of quotes for one instrument, EURUSD in steps of 1,000, whose market a test sets.

    Embed it: ``PluginHost.from_config(…, plugins=[(ControlledPrices.MANIFEST, prices)])``.
    """

    MANIFEST: Final[Mapping[str, Any]] = {
        "id": "prices",
        "name": "Prices set by a test",
        "version": "1.0.0",
        "kinds": ["connector.marketData"],
        "entry": {"type": "python.module", "module": "prices.py"},
        "configSchema": {"type": "object", "additionalProperties": False},
        "capabilities": {"supportsTicks": True},
    }

    def __init__(self, *, bid: Decimal | str, ask: Decimal | str) -> None:
        self._sinks: list[Sink[Tick | Candle]] = []
        self._followed = anyio.Event()
        self._market: tuple[Decimal, Decimal, Decimal | None] = (Decimal(bid), Decimal(ask), None)
        self._context: PluginContext | None = None

    @hookimpl
    def provide_market_data(self, context: PluginContext) -> MarketData:
        """Hand itself to the host."""
        self._context = context
        return self

    @property
    def instrument(self) -> Instrument:
        """The one instrument."""
        assert self._context is not None
        return Instrument(
            id=InstrumentId("EURUSD", self._context.venue),
            native_symbol="EURUSD",
            base="EUR",
            quote="USD",
            price_increment="0.00001",
            size_increment="1000",
            settle_currency="USD",
            min_quantity=2000,
            max_quantity=10_000_000,
            min_notional=100,
        )

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return the instrument where the query fits."""
        return [self.instrument] if query is None or query in self.instrument.native_symbol else []

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        """Return the market as last set."""
        if instrument_id != self.instrument.id:
            raise NotFound(f"no prices for {instrument_id}; there is {self.instrument.id}")
        return self._tick()

    async def run_stream(
        self, subscriptions: Sequence[Subscription], sink: Sink[Tick | Candle], after: str | None
    ) -> None:
        """Stream every quote that is set."""
        self._sinks.append(sink)
        try:
            sink.put(self._tick())
            self._followed.set()
            await anyio.sleep_forever()
        finally:
            self._sinks.remove(sink)

    async def followed(self, seconds: float = 5) -> None:
        """Return when a broker that has just been started has opened its stream and acted on the first quote.

        Raises:
            TimeoutError: when it opens none.
        """
        with anyio.fail_after(seconds):
            await self._followed.wait()
            for sink in tuple(self._sinks):
                await sink.drained()

    async def set(self, bid: Decimal | str, ask: Decimal | str, size: Decimal | None = None) -> None:
        """Set the market, and return when every stream's consumer has acted on it."""
        self._market = (Decimal(bid), Decimal(ask), size)
        for sink in tuple(self._sinks):
            sink.put(self._tick())
            await sink.drained()

    def _tick(self) -> Tick:
        assert self._context is not None
        bid, ask, size = self._market
        now = self._context.clock.now()
        return attrs.evolve(
            Tick(instrument_id=self.instrument.id, kind=TickKind.QUOTE, bid=bid, ask=ask, ts_event=now, ts_init=now),
            bid_size=size,
            ask_size=size,
        )
