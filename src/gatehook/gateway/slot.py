"""What fills the memory slot now."""

from __future__ import annotations

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes
from gatehook.gateway.brokers import active_entries
from gatehook.host import PluginHost
from gatehook.kinds.kind import Kind
from gatehook.kinds.memory import MemoryBackend


def memory_in_slot(host: PluginHost, *, caller: str) -> tuple[str, MemoryBackend] | None:
    """Return the entry that fills the slot and its handle; ``None`` where the slot is empty."""
    filled = active_entries(host, Kind.MEMORY)
    return (filled[0], host.memory(caller=caller)) if filled else None


def require_memory(host: PluginHost, *, caller: str) -> MemoryBackend:
    """Return the handle of what fills the slot.

    Raises:
        GatehookError: when nothing does.
    """
    filled = memory_in_slot(host, caller=caller)
    if filled is None:
        raise GatehookError(codes.NO_ENTRY(what="the memory slot", hint=""))
    return filled[1]
