"""What fills the memory slot now."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.kind import Kind

_SLOT: Final = "memory"
#: How a memory, and what is written down about it, can fail.
FAILURES: Final = (ProviderError, GatehookError, TimeoutError, OSError)


def memory_in_slot(host: PluginHost, *, caller: str) -> tuple[str, MemoryHandle] | None:
    """Return the entry that fills the slot and the slot's handle; ``None`` where the slot is empty."""
    entry_id = host.slot(_SLOT)
    return None if entry_id is None else (entry_id, host.memory(caller=caller))


def memory_of_slot(host: PluginHost, *, caller: str) -> tuple[str, MemoryHandle] | None:
    """Return the entry that fills the slot and a handle of its own, whoever fills the slot later: for what writes down
    which memory has something.
    """
    entry_id = host.slot(_SLOT)
    return None if entry_id is None else (entry_id, host.handle(entry_id, Kind.MEMORY, caller=caller))


def why(error: BaseException) -> str:
    """Return what one of ``FAILURES`` says."""
    return str(error) or type(error).__name__


def require_memory(host: PluginHost, *, caller: str) -> MemoryHandle:
    """Return the handle of what fills the slot.

    Raises:
        GatehookError: when nothing does.
    """
    filled = memory_in_slot(host, caller=caller)
    if filled is None:
        raise GatehookError(codes.NO_ENTRY(what="the memory slot", hint=""))
    return filled[1]
