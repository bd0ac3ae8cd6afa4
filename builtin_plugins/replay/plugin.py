"""Provides recorded prices."""

from __future__ import annotations

from gatehook import MarketData
from gatehook import PluginContext
from gatehook import hookimpl

from .market import ReplayedMarket


@hookimpl
def provide_market_data(context: PluginContext) -> MarketData:
    """Build the replay of this entry; the file is read when it starts."""
    return ReplayedMarket(context)
