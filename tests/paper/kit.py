"""What the tests of the paper broker share: an instrument, orders, prices, an engine, a price source."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from collections.abc import Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio

from builtin_plugins.paper.broker import PaperBroker
from builtin_plugins.paper.engine import Engine
from builtin_plugins.paper.settings import AccountSettings
from gatehook.catalog.parsing import parse_manifest
from gatehook.clocks import ReplayClock
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.errors import NotFound
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.market_data import MarketData
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import from_rfc3339

EURUSD = InstrumentId("EURUSD", "TEST")
USDJPY = InstrumentId("USDJPY", "TEST")
MAIN = AccountKey("paper", "main")
#: A Tuesday, noon in New York (winter time).
T0 = from_rfc3339("2024-01-09T17:00:00Z")

INSTRUMENTS = {
    EURUSD: Instrument(
        id=EURUSD,
        native_symbol="EURUSD",
        base="EUR",
        quote="USD",
        price_increment="0.0001",
        size_increment="1",
        settle_currency="USD",
        min_quantity="1",
    ),
    USDJPY: Instrument(
        id=USDJPY,
        native_symbol="USDJPY",
        base="USD",
        quote="JPY",
        price_increment="0.01",
        size_increment="1",
        settle_currency="JPY",
    ),
}


def D(text: str | int) -> Decimal:  # noqa: N802  the usual short name
    return Decimal(text)


_ids = iter(range(1, 10**9))


def order(
    side: Side = Side.BUY, kind: OrderType = OrderType.MARKET, quantity: str | int = 100, **fields: Any
) -> OrderRequest:
    defaults: dict[str, Any] = {
        "client_order_id": f"c{next(_ids)}",
        "account": MAIN,
        "instrument_id": EURUSD,
        "quantity_unit": QuantityUnit.BASE,
    }
    return OrderRequest(side=side, type=kind, quantity=quantity, **{**defaults, **fields})


def quote(bid: str, ask: str, ts: int = T0, *, size: str | None = None, instrument_id: InstrumentId = EURUSD) -> Tick:
    return Tick(
        instrument_id=instrument_id, kind=TickKind.QUOTE, bid=bid, ask=ask, bid_size=size, ask_size=size, ts_event=ts
    )


def candle(prices: str, ts: int = T0, **fields: Any) -> Candle:
    """An hour's candle of "open high low close"."""
    first, high, low, end = prices.split()
    values: dict[str, Any] = {"instrument_id": EURUSD, "timeframe": Timeframe.H1, "closed": True, **fields}
    return Candle(ts_open=ts, ts_close=ts + HOUR, open=first, high=high, low=low, close=end, **values)


def fills(made: Engine) -> list[Fill]:
    return [one for one in made.state.changes.events if isinstance(one, Fill)]


def shown(found: Sequence[Fill]) -> list[str]:
    """Fills as "side quantity price"."""
    return [f"{one.side} {one.quantity} {one.price}" for one in found]


def last(made: Engine, request: OrderRequest) -> Order:
    """An order's last event since the changes were taken."""
    events = [one for one in made.state.changes.events if isinstance(one, Order)]
    return [one for one in events if one.request.client_order_id == request.client_order_id][-1]


def ending(made: Engine, request: OrderRequest) -> str:
    """How an order ended: "status filled canceled reason"."""
    order = last(made, request)
    return f"{order.status} {order.filled} {order.canceled} {order.reason.code if order.reason else None}"


class Bench:
    """A loaded engine package: the real one, or a copy with a defect."""

    def __init__(self, package: str = "builtin_plugins.paper") -> None:
        self._engine = import_module(f"{package}.engine")
        self._settings = import_module(f"{package}.settings")
        self.state = import_module(f"{package}.state")

    def account(
        self,
        account_id: str = "main",
        *,
        mode: PositionMode = PositionMode.NETTING,
        currency: str = "USD",
        leverage: str = "30",
        balance: str = "100000",
    ) -> AccountSettings:
        made: AccountSettings = self._settings.AccountSettings(
            account_id=account_id,
            currency=currency,
            account_type=AccountType.CASH if mode is PositionMode.NONE else AccountType.MARGIN,
            position_mode=mode,
            leverage=D(leverage),
            balance=D(balance),
        )
        return made

    def engine(self, *accounts: AccountSettings, **settings: Any) -> Engine:
        """An engine that knows the instruments and no price."""
        rules = self._settings.Settings(entry_id="paper", accounts=accounts or (self.account(),), **settings)
        state = self.state.State(rules, dict(INSTRUMENTS))
        state.open_accounts()
        made: Engine = self._engine.Engine(state)
        self.forget(made)
        return made

    def forget(self, made: Engine) -> None:
        """Empty the changes, as a store does."""
        made.state.changes = self.state.Changes()

    def opened(self, *accounts: AccountSettings, at: str = "1.1000", **settings: Any) -> Engine:
        """An engine that has met one candle, all four prices ``at``, which closed at T0."""
        made = self.engine(*accounts, **settings)
        made.on_candle(candle(f"{at} {at} {at} {at}", T0 - HOUR), T0)
        return made

    def quoted(
        self, bid: str, ask: str, *accounts: AccountSettings, size: str | None = None, **settings: Any
    ) -> Engine:
        """An engine with a standing quote at T0."""
        made = self.engine(*accounts, **settings)
        made.on_quote(quote(bid, ask, size=size), T0)
        return made

    def bar(self, made: Engine, prices: str, hour: int = 0, **fields: Any) -> list[Fill]:
        """Meet the candle that opens ``hour`` hours after T0; return its fills."""
        self.forget(made)
        made.on_candle(candle(prices, T0 + hour * HOUR, **fields), T0 + (hour + 1) * HOUR)
        return fills(made)

    def tick(self, made: Engine, bid: str, ask: str, seconds: int = 1, **fields: Any) -> list[Fill]:
        """Meet a quote so many seconds after T0; return its fills."""
        self.forget(made)
        made.on_quote(quote(bid, ask, T0 + seconds * SECOND, **fields), T0 + seconds * SECOND)
        return fills(made)


REAL = Bench()


def declared() -> BrokerCapabilities:
    path = Path("builtin_plugins/paper/plugin.json")
    manifest, problems = parse_manifest(path.read_bytes(), path)
    assert manifest is not None, problems
    return manifest.capabilities.broker


class Source(MarketData):
    """A price source that a test feeds, with the capabilities that a handle has."""

    def __init__(self, capabilities: MarketDataCapabilities, clock: ReplayClock) -> None:
        self.capabilities = capabilities  # type: ignore[assignment]  a handle has the attribute, a provider the method
        self.clock = clock
        self.newest: Tick | None = None
        self.streams: list[Any] = []
        self.over = anyio.Event()
        self.opened = anyio.Event()

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        return list(INSTRUMENTS.values())

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        if self.newest is None or self.newest.instrument_id != instrument_id:
            raise NotFound(f"no price of {instrument_id}")
        return self.newest

    async def run_stream(self, subscriptions: Any, sink: Any, after: str | None) -> None:
        self.streams.append(sink)
        self.opened.set()
        await self.over.wait()
        self.streams.remove(sink)

    async def put(self, *items: Tick | Candle) -> None:
        """Move the clock to each price and wait until it was met."""
        for item in items:
            self.clock.advance(item.ts_event if isinstance(item, Tick) else item.ts_close)
            for sink in self.streams:
                sink.put(item)
                await sink.drained()


#: What plugin.json declares.
DECLARED = declared()
QUOTES = MarketDataCapabilities(ticks=True)
CANDLES = MarketDataCapabilities(timeframes=(Timeframe.D1, Timeframe.H1, Timeframe.H4))

CONFIG: dict[str, Any] = {
    "prices": "source",
    "instruments": (),
    "accounts": ({"id": "main"},),
    "spread": "0",
    "spreads": {},
    "commission_rate": "0",
    "limit_fill": "touch",
    "swap": {},
    "max_quote_age": 60,
    "stop_out": "0.5",
    "session_end": "17:00",
}


@asynccontextmanager
async def broker(
    data_dir: Path, capabilities: MarketDataCapabilities = QUOTES, *, clock: ReplayClock | None = None, **config: Any
) -> AsyncIterator[tuple[PaperBroker, Source]]:
    """A broker with a source of its own, entered and following its prices."""
    clock = clock or ReplayClock(T0)
    source = Source(capabilities, clock)
    async with anyio.create_task_group() as tasks:
        context = SimpleNamespace(
            entry_id="paper",
            venue="PAPER",
            config={**CONFIG, **config},
            data_dir=data_dir,
            clock=clock,
            logger=logging.getLogger("paper"),
            task_group=tasks,
            use=lambda entry_id: source,
            manifest=SimpleNamespace(capabilities=SimpleNamespace(broker=DECLARED)),
        )
        async with PaperBroker(context) as made:  # type: ignore[arg-type]  what it needs of a context
            await source.opened.wait()
            yield made, source
