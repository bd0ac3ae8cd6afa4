"""What the broker and the market data of one entry share: the session, the accounts, what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

from gatehook import Health
from gatehook import InstrumentId
from gatehook import OrderType
from gatehook import PluginContext
from gatehook import Tick
from gatehook import TickKind
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes.adapters import TOOLS_MISSING
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.provider import HealthStatus

from .closes import Closes
from .commands import UNDECLARED
from .history import History
from .instruments import Instruments
from .links import Links
from .lookup import Lookup
from .polling import Polls
from .session import Session
from .session import TradeReply
from .settings import Settings
from .words import Words

#: Without these there is no broker and no market data at all.
ESSENTIAL: Final = (
    "list_accounts",
    "get_account_information",
    "get_positions",
    "get_orders",
    "get_history_orders",
    "get_history_orders_by_ticket",
    "get_deals",
    "get_symbols",
    "get_symbol_specification",
    "get_symbol_price",
    "cancel_order",
)
_ORDERS: Final[Mapping[OrderType, tuple[str, ...]]] = {
    OrderType.MARKET: ("place_market_order",),
    OrderType.LIMIT: ("place_limit_order",),
    OrderType.STOP: ("create_stop_buy_order", "create_stop_sell_order"),
}
_BROKER: Final[Mapping[str, str]] = {
    "amend": "modify_order",
    "close_position": "close_position",
    "protection": "modify_position",
    "order_trailing": "create_market_order_with_trailing_sl",
    "margin_estimate": "calculate_margin",
}


class Plugin:
    """One entry's parts."""

    def __init__(self, context: PluginContext) -> None:
        self._context = context
        self._opened = False
        self._without_id: set[str] = set()
        self.settings = Settings.of(context.config)
        for tool, arguments in UNDECLARED.items():
            context.mcp.allow_undeclared(tool, *arguments)
        self.session = Session(context.mcp)
        self.words = Words(context.entry_id, context.venue)
        self.links = Links(context, self.session, self.settings)
        self.history = History(self.session, self.links, self.words, self.now)
        self.closes = Closes(context.state)
        self.lookup = Lookup(self.session, self.words, self.history, self.closes, self.now)
        self.instruments = Instruments(self.session, self.links, self.settings, context.venue)
        self.polls = Polls()
        self.stale: set[InstrumentId] = set()

    def now(self) -> int:
        """Return our time in nanoseconds UTC."""
        return self._context.clock.wall()

    async def open(self) -> None:
        """Look at the server's tools and begin to connect the accounts; both providers call it.

        Raises:
            GatehookError: when the server lacks a tool without which there is nothing.
        """
        if self._opened:
            return
        self._opened = True
        missing = [one for one in ESSENTIAL if one not in self.session.names]
        if missing and self.session.names:
            raise GatehookError(TOOLS_MISSING(entry=self._context.entry_id, tools=", ".join(missing)))
        await self.closes.load(self.now())
        self._context.task_group.start_soon(self.links.watch, name=f"{self._context.entry_id}: accounts")

    def health(self) -> Health:
        """Say what is not well."""
        reasons = [*self.links.problems(), *self._doubts()]
        return Health(status=HealthStatus.DEGRADED if reasons else HealthStatus.OK, reasons=tuple(reasons))

    def _doubts(self) -> Iterator[str]:
        for tool in sorted(self._without_id):
            yield f"the server does not keep the ids given to {tool}: an order without an answer is not found again"
        for instrument_id in sorted(self.stale):
            yield f"no new price of {instrument_id}"

    def heed_id(self, tool: str, client_order_id: str, reply: TradeReply) -> None:
        """Note when the server says that it gave an order another id than ours."""
        if reply.client_id not in (None, client_order_id):
            self._without_id.add(tool)

    def broker_capabilities(self, declared: BrokerCapabilities) -> BrokerCapabilities:
        """Return the declared capabilities for which the server has the tools."""
        if not self.session.names:  # not connected yet: nothing is known to be missing
            return declared
        has = self.session.names.issuperset
        lacking: dict[str, Any] = {field: False for field, tool in _BROKER.items() if not has({tool})}
        types = tuple(kind for kind in declared.order_types if has(_ORDERS[kind]))
        return attrs.evolve(declared, order_types=types, **lacking)

    def market_capabilities(self, declared: MarketDataCapabilities) -> MarketDataCapabilities:
        """Return the declared capabilities for which the server has the tools."""
        names = self.session.names
        if not names:
            return declared
        if "get_candles" not in names:
            declared = attrs.evolve(declared, history=False, timeframes=())
        return declared if "get_ticks" in names else attrs.evolve(declared, tick_history=False)

    async def quote(self, instrument_id: InstrumentId, account_id: str) -> Tick:
        """Return the newest quote of a symbol as an account sees it."""
        symbol = instrument_id.symbol
        await self.links.ready(account_id)
        answer = await self.session.ask("get_symbol_price", account_id, symbol=symbol)
        if answer["symbol"].text() != symbol:
            answer["symbol"].wrong("the symbol that was asked for")
        return Tick(
            instrument_id=instrument_id,
            kind=TickKind.QUOTE,
            bid=answer["bid"].above_zero(),
            ask=answer["ask"].above_zero(),
            ts_event=answer["time"].time(),
            ts_init=self.now(),
            raw=answer.value,
        )
