"""The host: it runs plugins, supervises them, and hands out guarded handles."""

from gatehook.host.handles import Handle
from gatehook.host.handles import MarketDataHandle
from gatehook.host.handles import MemoryHandle
from gatehook.host.host import EmbeddedPlugin
from gatehook.host.host import PluginHost

__all__ = ["EmbeddedPlugin", "Handle", "MarketDataHandle", "MemoryHandle", "PluginHost"]
