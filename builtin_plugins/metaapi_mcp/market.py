"""Market data: quotes that are asked for, candles and ticks of the past."""

from __future__ import annotations

from collections.abc import Hashable
from collections.abc import Sequence
from functools import partial
from typing import Final
from typing import Self

import anyio

from gatehook import Candle
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import MarketData
from gatehook import Page
from gatehook import PluginContext
from gatehook import Sink
from gatehook import Subscription
from gatehook import Tick
from gatehook import TickKind
from gatehook import Timeframe
from gatehook import UnsupportedCapability
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.market_data import Channel
from gatehook.kinds.provider import Health
from gatehook.kinds.times import to_rfc3339

from .candles import Candles
from .plugin import Plugin
from .polling import Pace
from .polling import Poll
from .polling import candles
from .polling import quotes
from .reading import Node

#: The most candles of a page.
PAGE: Final = 1000
#: The most ticks that the server gives at once.
TICKS: Final = 1000
#: How many of the newest candles are looked at: the one that forms, and those that may just have closed.
_NEWEST: Final = 3
_MS: Final = 1_000_000


class MetaApiMarketData(MarketData):
    """The prices of one of the accounts."""

    def __init__(self, plugin: Plugin, context: PluginContext, declared: MarketDataCapabilities) -> None:
        self.plugin = plugin
        self._context = context
        self._declared = declared

    async def __aenter__(self) -> Self:
        await self.plugin.open()
        return self

    def health(self) -> Health:
        return self.plugin.health()

    def capabilities(self) -> MarketDataCapabilities:
        return self.plugin.market_capabilities(self._declared)

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        return await self.plugin.instruments.matching(query)

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        await self.plugin.instruments.of(instrument_id)
        return await self.plugin.quote(instrument_id, await self.plugin.links.prices_account())

    async def history(
        self,
        instrument_id: InstrumentId,
        timeframe: Timeframe,
        *,
        start: int,
        end: int,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Candle]:
        """Return candles of bids, at most 1000 a page; ``volume`` is the number of ticks."""
        source = await self._candles(instrument_id, timeframe)
        place = start if cursor is None else max(start, _number(cursor))
        most = PAGE if limit is None else max(1, min(limit, PAGE))
        found, following = await source.part(place, end, self._context.clock.now(), most)
        if len(found) > most:
            found, following = found[:most], found[most].ts_open
        return Page(items=tuple(found), cursor=None if following is None else str(following))

    async def _candles(self, instrument_id: InstrumentId, timeframe: Timeframe) -> Candles:
        await self.plugin.instruments.of(instrument_id)
        account_id = await self.plugin.links.prices_account()
        await self.plugin.links.ready(account_id)
        return Candles(self.plugin.session, account_id, instrument_id, timeframe)

    async def ticks_history(
        self, instrument_id: InstrumentId, *, start: int, end: int, cursor: str | None = None
    ) -> Page[Tick]:
        """Return quotes of the past, as far back as the broker keeps them."""
        await self.plugin.instruments.of(instrument_id)
        account_id = await self.plugin.links.prices_account()
        await self.plugin.links.ready(account_id)
        offset = 0 if cursor is None else _number(cursor)
        symbol = instrument_id.symbol
        began = to_rfc3339(start // _MS * _MS)
        answer = await self.plugin.session.ask(
            "get_ticks", account_id, symbol=symbol, startTime=began, offset=offset, limit=TICKS
        )
        if answer["symbol"].text() != symbol:
            answer["symbol"].wrong("the symbol that was asked for")
        rows = [self._tick(instrument_id, row) for row in answer["ticks"].items()]
        is_last = not rows or rows[-1].ts_event >= end
        inside = [one for one in rows if start <= one.ts_event < end]
        return Page(items=tuple(inside), cursor=None if is_last else str(offset + len(rows)))

    def _tick(self, instrument_id: InstrumentId, row: Node) -> Tick:
        return Tick(
            instrument_id=instrument_id,
            kind=TickKind.QUOTE,
            bid=row["bid"].above_zero(),
            ask=row["ask"].above_zero(),
            ts_event=row["time"].time(),
            ts_init=self.plugin.now(),
            raw=row.value,
        )

    async def run_stream(
        self, subscriptions: Sequence[Subscription], sink: Sink[Tick | Candle], after: str | None
    ) -> None:
        """Put quotes and candles as they change, asked for once for all streams."""
        for one in subscriptions:
            if one.channel is Channel.TRADES:
                raise UnsupportedCapability("this server has no trades, only quotes and candles")
            await self.plugin.instruments.of(one.instrument_id)
        followed: list[Hashable] = []
        try:
            for one in dict.fromkeys(subscriptions):
                self.plugin.polls.follow(one, sink, partial(self._poll, one), self._context.task_group)
                followed.append(one)
            await anyio.sleep_forever()
        finally:
            for key in followed:
                self.plugin.polls.leave(key, sink)

    def _poll(self, subscription: Subscription) -> Poll:
        settings, instrument_id = self.plugin.settings, subscription.instrument_id
        timeframe = subscription.timeframe
        if timeframe is None:
            ask, pace = quotes(partial(self.quote, instrument_id)), Pace(settings.poll, settings.stale_after)
        else:
            ask = candles(partial(self._newest, instrument_id, timeframe))
            pace = Pace(settings.candle_poll, None)
        return Poll(ask, pace, self._context.clock, partial(self._note, instrument_id))

    async def _newest(self, instrument_id: InstrumentId, timeframe: Timeframe) -> Sequence[Candle]:
        source = await self._candles(instrument_id, timeframe)
        return await source.newest(_NEWEST, self._context.clock.now())

    def _note(self, instrument_id: InstrumentId, stale: bool) -> None:
        (self.plugin.stale.add if stale else self.plugin.stale.discard)(instrument_id)


def _number(cursor: str) -> int:
    if not cursor.isdecimal():
        raise CursorExpired(f"not a place in the history: {cursor!r}")
    return int(cursor)
