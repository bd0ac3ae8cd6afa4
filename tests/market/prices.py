"""Candles, ticks and a scripted source for the tests of this room."""

from decimal import Decimal

from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import MarketData
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.times import MINUTE

EURUSD = InstrumentId("EURUSD", "TEST")
MINUTES = Subscription(instrument_id=EURUSD, channel=Channel.CANDLES, timeframe=Timeframe.M1)
QUOTES = Subscription(instrument_id=EURUSD, channel=Channel.QUOTES)
TRADES = Subscription(instrument_id=EURUSD, channel=Channel.TRADES)


def candle(minute, close=1, *, closed=True):
    return Candle(
        instrument_id=EURUSD,
        timeframe=Timeframe.M1,
        ts_open=minute * MINUTE,
        ts_close=(minute + 1) * MINUTE,
        open=Decimal(1),
        high=Decimal(max(1, close)),
        low=Decimal(1),
        close=Decimal(close),
        closed=closed,
    )


def quote(ts, bid):
    return Tick(instrument_id=EURUSD, kind=TickKind.QUOTE, bid=bid, ask=bid + 1, ts_event=ts)


def trade(ts, price, size=1, trade_id=None):
    return Tick(
        instrument_id=EURUSD, kind=TickKind.TRADE, price=price, size=size, ts_event=ts, trade_id=trade_id or str(ts)
    )


class Script(MarketData):
    """Streams one list of items after the other, one a connection; an exception in a list is raised there."""

    def __init__(self, *connections):
        self.connections = list(connections)
        self.opened = []

    async def list_instruments(self, *, query=None):
        return []

    async def quote(self, instrument_id):
        raise NotImplementedError

    async def run_stream(self, subscriptions, sink, after):
        self.opened.append((tuple(subscriptions), after))
        for place, item in enumerate(self.connections.pop(0)):
            if isinstance(item, Exception):
                raise item
            if callable(item):
                await item()
            else:
                sink.put(item, str(place))
