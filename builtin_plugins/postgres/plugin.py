"""The hook."""

from __future__ import annotations

from functools import partial
from typing import Final

from gatehook import MemoryBackend
from gatehook import PluginContext
from gatehook import hookimpl
from gatehook.diagnostics.logged import log_diagnostic
from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.postgres.target import Target

#: The configuration's words, and libpq's.
_PARAMETERS: Final = {
    "host": "host",
    "port": "port",
    "user": "user",
    "password": "password",  # the name of a parameter
    "database": "dbname",
}


@hookimpl
def provide_memory_backend(context: PluginContext) -> MemoryBackend:
    """Build the memory over the configured schema; nothing is connected yet."""
    config = context.config
    target = Target(
        dsn=config.get("dsn"),
        given={libpq: config[name] for name, libpq in _PARAMETERS.items() if name in config},
        schema=config["schema"],
        pool_size=config["poolSize"],
        timeout=float(config["timeout"]),
    )
    return PostgresMemory(target, context.clock) if "embedder" not in config else _hybrid(target, context)


def _hybrid(target: Target, context: PluginContext) -> MemoryBackend:
    # Only here: vectors need numpy, which a memory without them does not.
    from gatehook.memory.embedding.choosing import choose_embedder
    from gatehook.memory.postgres.hybrid import PostgresHybridMemory
    from gatehook.memory.vectors.settings import VectorSettings

    config = context.config
    return PostgresHybridMemory(
        target,
        context.clock,
        embedder=lambda: choose_embedder(config["embedder"], context),
        tasks=lambda: context.task_group,
        report=partial(log_diagnostic, context.logger),
        settings=VectorSettings.of(config),
    )
