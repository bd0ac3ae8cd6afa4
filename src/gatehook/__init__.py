"""Gatehook: the plugin framework of a trading gateway, and the gateway that runs it.

The names below are the public API. Each is imported when it is first used, so that ``import gatehook`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Final

from gatehook.exports import lazy_exports

if TYPE_CHECKING:
    from gatehook.context import McpResult as McpResult
    from gatehook.context import McpTools as McpTools
    from gatehook.context import PluginContext as PluginContext
    from gatehook.context import PluginStatus as PluginStatus
    from gatehook.context import RegistrationApi as RegistrationApi
    from gatehook.context import RunState as RunState
    from gatehook.context import ToolDefinition as ToolDefinition
    from gatehook.diagnostics import Diagnostic as Diagnostic
    from gatehook.diagnostics import GatehookError as GatehookError
    from gatehook.diagnostics import Severity as Severity
    from gatehook.events import FeedEvent as FeedEvent
    from gatehook.hookspecs import hookimpl as hookimpl
    from gatehook.hookspecs import hookspec as hookspec
    from gatehook.host import PluginHost as PluginHost
    from gatehook.kinds.accounts import AccountRef as AccountRef
    from gatehook.kinds.accounts import AccountState as AccountState
    from gatehook.kinds.accounts import AccountType as AccountType
    from gatehook.kinds.accounts import Balance as Balance
    from gatehook.kinds.accounts import Mode as Mode
    from gatehook.kinds.accounts import Position as Position
    from gatehook.kinds.accounts import PositionMode as PositionMode
    from gatehook.kinds.accounts import PositionReport as PositionReport
    from gatehook.kinds.amounts import Money as Money
    from gatehook.kinds.broker import Broker as Broker
    from gatehook.kinds.broker import BrokerEvent as BrokerEvent
    from gatehook.kinds.broker import Evidence as Evidence
    from gatehook.kinds.broker import OrderLookup as OrderLookup
    from gatehook.kinds.channel import Channel as Channel
    from gatehook.kinds.channel import Message as Message
    from gatehook.kinds.channel import Receipt as Receipt
    from gatehook.kinds.chat import ChatMessage as ChatMessage
    from gatehook.kinds.commands import OrderList as OrderList
    from gatehook.kinds.commands import PositionRef as PositionRef
    from gatehook.kinds.commands import Protection as Protection
    from gatehook.kinds.errors import Ambiguous as Ambiguous
    from gatehook.kinds.errors import Denied as Denied
    from gatehook.kinds.errors import NotConnected as NotConnected
    from gatehook.kinds.errors import NotFound as NotFound
    from gatehook.kinds.errors import ProviderError as ProviderError
    from gatehook.kinds.errors import Rejected as Rejected
    from gatehook.kinds.errors import UnsupportedCapability as UnsupportedCapability
    from gatehook.kinds.feed import ExternalFeed as ExternalFeed
    from gatehook.kinds.feed import FeedQuery as FeedQuery
    from gatehook.kinds.feed import NewsEvent as NewsEvent
    from gatehook.kinds.instruments import AccountKey as AccountKey
    from gatehook.kinds.instruments import Instrument as Instrument
    from gatehook.kinds.instruments import InstrumentId as InstrumentId
    from gatehook.kinds.instruments import QuantityUnit as QuantityUnit
    from gatehook.kinds.kind import Kind as Kind
    from gatehook.kinds.market_data import MarketData as MarketData
    from gatehook.kinds.market_data import Subscription as Subscription
    from gatehook.kinds.marketplace import Marketplace as Marketplace
    from gatehook.kinds.marketplace import StrategyListing as StrategyListing
    from gatehook.kinds.marketplace import TradeSignal as TradeSignal
    from gatehook.kinds.memory import MemoryBackend as MemoryBackend
    from gatehook.kinds.memory import MemoryDoc as MemoryDoc
    from gatehook.kinds.memory import NamespaceSelector as NamespaceSelector
    from gatehook.kinds.memory import Query as Query
    from gatehook.kinds.notifier import Notification as Notification
    from gatehook.kinds.notifier import Notifier as Notifier
    from gatehook.kinds.orders import Fill as Fill
    from gatehook.kinds.orders import Order as Order
    from gatehook.kinds.orders import OrderChange as OrderChange
    from gatehook.kinds.orders import OrderRef as OrderRef
    from gatehook.kinds.orders import OrderRequest as OrderRequest
    from gatehook.kinds.orders import OrderStatus as OrderStatus
    from gatehook.kinds.orders import OrderType as OrderType
    from gatehook.kinds.orders import Side as Side
    from gatehook.kinds.orders import TimeInForce as TimeInForce
    from gatehook.kinds.orders import Trailing as Trailing
    from gatehook.kinds.prices import Candle as Candle
    from gatehook.kinds.prices import Tick as Tick
    from gatehook.kinds.prices import TickKind as TickKind
    from gatehook.kinds.prices import Timeframe as Timeframe
    from gatehook.kinds.provider import Health as Health
    from gatehook.kinds.provider import Page as Page
    from gatehook.kinds.provider import Provider as Provider
    from gatehook.kinds.streams import Gap as Gap
    from gatehook.kinds.streams import Reconnected as Reconnected
    from gatehook.kinds.streams import Sink as Sink
    from gatehook.kinds.streams import Snapshot as Snapshot
    from gatehook.kinds.streams import Stale as Stale
    from gatehook.secrets import Secret as Secret

__version__: Final = "0.1.0"
#: The version of the plugin API that manifests require with ``requires.api``.
API_VERSION: Final = "1.0"

__all__, __getattr__, __dir__ = lazy_exports(  # tested against the imports above
    __name__,
    {
        "context": "McpResult McpTools PluginContext PluginStatus RegistrationApi RunState ToolDefinition",
        "diagnostics": "Diagnostic GatehookError Severity",
        "events": "FeedEvent",
        "hookspecs": "hookimpl hookspec",
        "host": "PluginHost",
        "kinds.accounts": "AccountRef AccountState AccountType Balance Mode Position PositionMode PositionReport",
        "kinds.amounts": "Money",
        "kinds.broker": "Broker BrokerEvent Evidence OrderLookup",
        "kinds.commands": "OrderList PositionRef Protection",
        "kinds.channel": "Channel Message Receipt",
        "kinds.chat": "ChatMessage",
        "kinds.errors": "Ambiguous Denied NotConnected NotFound ProviderError Rejected UnsupportedCapability",
        "kinds.feed": "ExternalFeed FeedQuery NewsEvent",
        "kinds.instruments": "AccountKey Instrument InstrumentId QuantityUnit",
        "kinds.kind": "Kind",
        "kinds.market_data": "MarketData Subscription",
        "kinds.marketplace": "Marketplace StrategyListing TradeSignal",
        "kinds.memory": "MemoryBackend MemoryDoc NamespaceSelector Query",
        "kinds.notifier": "Notification Notifier",
        "kinds.orders": (
            "Fill Order OrderChange OrderRef OrderRequest OrderStatus OrderType Side TimeInForce Trailing"
        ),
        "kinds.prices": "Candle Tick TickKind Timeframe",
        "kinds.provider": "Health Page Provider",
        "kinds.streams": "Gap Reconnected Sink Snapshot Stale",
        "secrets": "Secret",
    },
    own=("API_VERSION", "__version__"),
)
