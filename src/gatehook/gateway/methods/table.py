"""The table of everything the control socket offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatehook.gateway.methods.accounts import AccountMethods
from gatehook.gateway.methods.events import EventMethods
from gatehook.gateway.methods.market import MarketMethods
from gatehook.gateway.methods.memory import MemoryMethods
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.methods.orders import OrderMethods
from gatehook.gateway.methods.paper import PaperMethods
from gatehook.gateway.methods.running import RunningMethods
from gatehook.gateway.slot import require_memory

if TYPE_CHECKING:
    from gatehook.gateway.gateway import Gateway


def control_methods(gateway: Gateway) -> Methods:
    """Return every method by its name."""
    host = gateway.host
    return {
        **OrderMethods(gateway.brokers).table(),
        **AccountMethods(gateway.brokers).table(),
        **MarketMethods(gateway.prices).table(),
        **MemoryMethods(lambda: require_memory(host, caller="cli"), host.clock).table(),
        **PaperMethods(host, gateway.brokers).table(),
        **EventMethods(host.bus).table(),
        **RunningMethods(gateway).table(),
    }
