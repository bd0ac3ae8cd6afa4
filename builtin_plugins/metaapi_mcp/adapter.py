"""Provides a broker and market data over the MetaApi MCP server's tools."""

from __future__ import annotations

from gatehook import Broker
from gatehook import MarketData
from gatehook import PluginContext
from gatehook import hookimpl
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.capabilities import MarketDataCapabilities

from .broker import MetaApiBroker
from .market import MetaApiMarketData
from .plugin import Plugin


@hookimpl
def provide_broker(context: PluginContext) -> Broker:
    """Build the broker of this entry."""
    declared = context.manifest.capabilities.broker or BrokerCapabilities()
    return MetaApiBroker(_plugin(context), declared)


@hookimpl
def provide_market_data(context: PluginContext) -> MarketData:
    """Build the market data of this entry."""
    declared = context.manifest.capabilities.market_data or MarketDataCapabilities()
    return MetaApiMarketData(_plugin(context), context, declared)


def _plugin(context: PluginContext) -> Plugin:
    return context.shared("metaapi", lambda: Plugin(context))
