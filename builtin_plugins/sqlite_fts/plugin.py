"""The hook."""

from __future__ import annotations

from pathlib import Path

from gatehook import MemoryBackend
from gatehook import PluginContext
from gatehook import hookimpl
from gatehook.memory.sqlite.backend import SqliteMemory


@hookimpl
def provide_memory_backend(context: PluginContext) -> MemoryBackend:
    """Build the memory over the configured file, or over one in the entry's own directory."""
    configured = context.config.get("path")
    path = context.data_dir / "memory.sqlite" if configured is None else Path(configured).expanduser()
    return SqliteMemory(path, context.clock)
