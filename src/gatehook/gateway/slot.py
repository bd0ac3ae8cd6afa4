"""What fills the memory slot now."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost

_SLOT: Final = "memory"


def memory_in_slot(host: PluginHost, *, caller: str) -> tuple[str, MemoryHandle] | None:
    """Return the entry that fills the slot and its handle; ``None`` where the slot is empty."""
    entry_id = host.slot(_SLOT)
    return None if entry_id is None else (entry_id, host.memory(caller=caller))


def require_memory(host: PluginHost, *, caller: str) -> MemoryHandle:
    """Return the handle of what fills the slot.

    Raises:
        GatehookError: when nothing does.
    """
    filled = memory_in_slot(host, caller=caller)
    if filled is None:
        raise GatehookError(codes.NO_ENTRY(what="the memory slot", hint=""))
    return filled[1]
