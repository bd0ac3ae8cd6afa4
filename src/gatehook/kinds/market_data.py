"""connector.marketData: instruments, quotes, candles, tick streams."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from collections.abc import Hashable
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum

import attrs

from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.provider import Page
from gatehook.kinds.provider import Provider
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Sink
from gatehook.kinds.streams import open_stream
from gatehook.kinds.times import Ns


class Channel(StrEnum):
    """What a subscription delivers."""

    QUOTES = "quotes"
    TRADES = "trades"
    CANDLES = "candles"


@attrs.frozen(kw_only=True)
class Subscription:
    """One instrument's quotes, trades or candles (of ``timeframe``)."""

    instrument_id: InstrumentId
    channel: Channel
    timeframe: Timeframe | None = None

    def __attrs_post_init__(self) -> None:
        if (self.timeframe is None) is (self.channel is Channel.CANDLES):
            raise ValueError("a subscription to candles has a timeframe, any other has none")


class MarketData(Provider, ABC):
    """What the author of a market data plugin implements. Only the two abstract methods are required."""

    @abstractmethod
    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return the instruments there are prices for; ``query`` is a part of the symbol."""

    @abstractmethod
    async def quote(self, instrument_id: InstrumentId) -> Tick:
        """Return the newest quote.

        Raises:
            NotFound: for an instrument without prices.
        """

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
        """Return candles with ``start`` <= ts_open < ``end``, ascending, without holes or doubles where pages join."""
        raise UnsupportedCapability("this source has no candle history")

    async def ticks_history(
        self, instrument_id: InstrumentId, *, start: Ns, end: Ns, cursor: str | None = None
    ) -> Page[Tick]:
        """Return ticks with ``start`` <= ts_event < ``end``, ascending."""
        raise UnsupportedCapability("this source has no tick history")

    async def run_stream(
        self, subscriptions: Sequence[Subscription], sink: Sink[Tick | Candle], after: str | None
    ) -> None:
        """Put ticks and candles into the sink until cancelled or at the end of the data."""
        raise UnsupportedCapability("this source has no streams")

    def stream(
        self,
        subscriptions: Sequence[Subscription],
        *,
        overflow: Overflow = Overflow.CONFLATE,
        buffer: int = 1024,
        after: str | None = None,
    ) -> AbstractAsyncContextManager[Items[Tick | Candle]]:
        """Open a stream. Under ``CONFLATE`` a newer quote replaces an unread one of its instrument; trades and closed
        candles are never conflated.
        """

        async def run(sink: Sink[Tick | Candle]) -> None:
            await self.run_stream(subscriptions, sink, after)

        return open_stream(run, overflow=overflow, buffer=buffer, after=after, key=conflation_key)


def conflation_key(item: object) -> Hashable | None:
    """Say which items replace each other unread: an instrument's quotes, a forming candle; ``None`` for all others."""
    if isinstance(item, Tick) and item.trade_id is None and item.price is None:
        return item.instrument_id
    if isinstance(item, Candle) and not item.closed:
        return (item.instrument_id, item.timeframe, item.ts_open)
    return None
