"""The hook."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gatehook import MemoryBackend
from gatehook import PluginContext
from gatehook import hookimpl
from gatehook.diagnostics.logged import log_diagnostic
from gatehook.memory.embedding.choosing import choose_embedder
from gatehook.memory.vectors.hybrid import HybridMemory
from gatehook.memory.vectors.settings import VectorSettings


@hookimpl
def provide_memory_backend(context: PluginContext) -> MemoryBackend:
    """Build the memory over the configured file, or over one in the entry's own directory."""
    config = context.config
    configured = config.get("path")
    path = context.data_dir / "memory.sqlite" if configured is None else Path(configured).expanduser()
    return HybridMemory(
        path,
        context.clock,
        embedder=lambda: choose_embedder(config["embedder"], context),
        tasks=lambda: context.task_group,
        report=partial(log_diagnostic, context.logger),
        settings=VectorSettings.of(config),
    )
