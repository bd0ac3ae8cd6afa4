"""Provides the simulated market."""

from __future__ import annotations

from gatehook import MarketData
from gatehook import PluginContext
from gatehook import hookimpl

from .market import SimulatedMarket


@hookimpl
def provide_market_data(context: PluginContext) -> MarketData:
    """Build the market of this entry."""
    config = context.config
    return SimulatedMarket(
        venue=context.venue, clock=context.clock, seed=config.get("seed", 1), interval=config.get("interval", 1)
    )
