"""Ticks and candles turned into feed events."""

from gatehook.market.builder import CandleBuilder
from gatehook.market.closes import Closes
from gatehook.market.pump import MarketPump

__all__ = ["CandleBuilder", "Closes", "MarketPump"]
