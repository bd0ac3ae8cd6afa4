"""The table of everything the control socket offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatehook.gateway.indexing.indexer import Indexer
from gatehook.gateway.methods.accounts import AccountMethods
from gatehook.gateway.methods.approvals import ApprovalMethods
from gatehook.gateway.methods.by_hand import ByHandMethods
from gatehook.gateway.methods.events import EventMethods
from gatehook.gateway.methods.halt import HaltMethods
from gatehook.gateway.methods.limits import LimitMethods
from gatehook.gateway.methods.market import MarketMethods
from gatehook.gateway.methods.memory import MemoryMethods
from gatehook.gateway.methods.memory_index import MemoryIndex
from gatehook.gateway.methods.memory_moves import MemoryMoves
from gatehook.gateway.methods.memory_moves import Remembered
from gatehook.gateway.methods.memory_work import MemoryWork
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.methods.orders import OrderMethods
from gatehook.gateway.methods.paper import PaperMethods
from gatehook.gateway.methods.permissions import PermissionMethods
from gatehook.gateway.methods.positions import PositionMethods
from gatehook.gateway.methods.running import RunningMethods
from gatehook.gateway.person import CLI
from gatehook.gateway.slot import require_memory
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost

if TYPE_CHECKING:
    from gatehook.gateway.gateway import Gateway


def control_methods(gateway: Gateway, remembered: Remembered, indexer: Indexer) -> Methods:
    """Return every method by its name."""
    host = gateway.host
    return {
        **OrderMethods(host.desk, gateway.brokers).table(),
        **ByHandMethods(host.desk, gateway.brokers, owner=CLI).table(),
        **AccountMethods(gateway.brokers).table(),
        **PositionMethods(gateway.brokers).table(),
        **HaltMethods(host.desk, gateway.brokers).table(),
        **ApprovalMethods(host.desk).table(),
        **PermissionMethods(host.desk, host.config).table(),
        **LimitMethods(host.desk, gateway.brokers).table(),
        **MarketMethods(gateway.prices).table(),
        **memory_methods(host, remembered, indexer),
        **PaperMethods(host, gateway.brokers).table(),
        **EventMethods(host.bus).table(),
        **RunningMethods(gateway).table(),
    }


def memory_methods(host: PluginHost, remembered: Remembered, indexer: Indexer) -> Methods:
    """Return the methods of the memory: all that a host without a gateway can answer too."""

    def memory() -> MemoryHandle:
        return require_memory(host, caller=CLI)

    return {
        **MemoryMethods(memory, host.clock).table(),
        **MemoryWork(memory).table(),
        **MemoryIndex(memory, indexer).table(),
        **MemoryMoves(host, CLI, remembered).table(),
    }
