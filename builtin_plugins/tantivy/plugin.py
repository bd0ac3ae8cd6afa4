"""The hook."""

from __future__ import annotations

from pathlib import Path

from gatehook import MemoryBackend
from gatehook import PluginContext
from gatehook import hookimpl
from gatehook.memory.tantivy.backend import TantivyMemory
from gatehook.memory.tantivy.indexer import Pace

_MEGABYTE = 1_000_000


@hookimpl
def provide_memory_backend(context: PluginContext) -> MemoryBackend:
    """Build the memory over the configured file, or over one in the entry's own directory."""
    config = context.config
    configured = config.get("path")
    path = context.data_dir / "memory.sqlite" if configured is None else Path(configured).expanduser()
    pace = Pace(window=config["commitWindow"], pending=config["maxPending"], heap=config["heap"] * _MEGABYTE)
    return TantivyMemory(path, context.clock, lambda: context.task_group, pace)
