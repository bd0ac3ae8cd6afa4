"""Market data over the wire."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.kind import Kind
from gatehook.kinds.market_data import MarketData
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.provider import Page
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow
from gatehook.kinds.times import Ns
from gatehook.wire.remote import Remote


class WireMarketData(Remote, MarketData):
    """Quotes, candles and streams of a server."""

    kind = Kind.MARKET_DATA

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return the instruments there are prices for."""
        found: Sequence[Instrument] = await self._link.ask("list_instruments", {"query": query})
        return found

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        """Return the newest quote."""
        tick: Tick = await self._link.ask("quote", {"instrument_id": instrument_id})
        return tick

    async def history(
        self,
        instrument_id: InstrumentId,
        timeframe: Timeframe,
        *,
        start: Ns,
        end: Ns,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Candle]:
        """Return candles, ascending."""
        asked = {
            "instrument_id": instrument_id,
            "timeframe": timeframe,
            "start": start,
            "end": end,
            "limit": limit,
            "cursor": cursor,
        }
        page: Page[Candle] = await self._link.ask("history", asked)
        return page

    async def ticks_history(
        self, instrument_id: InstrumentId, *, start: Ns, end: Ns, cursor: str | None = None
    ) -> Page[Tick]:
        """Return ticks, ascending."""
        asked = {"instrument_id": instrument_id, "start": start, "end": end, "cursor": cursor}
        page: Page[Tick] = await self._link.ask("ticks_history", asked)
        return page

    def stream(
        self,
        subscriptions: Sequence[Subscription],
        *,
        overflow: Overflow = Overflow.CONFLATE,
        buffer: int = 1024,
        after: str | None = None,
    ) -> AbstractAsyncContextManager[Items[Tick | Candle]]:
        """Open a stream; what is not read in time is conflated or dropped at the server, which says so."""
        return self._following("stream", subscriptions=subscriptions, overflow=overflow, buffer=buffer, after=after)
