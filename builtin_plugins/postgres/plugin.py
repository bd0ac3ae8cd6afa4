"""The hook."""

from __future__ import annotations

from typing import Final

from gatehook import MemoryBackend
from gatehook import PluginContext
from gatehook import hookimpl
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
    return PostgresMemory(target, context.clock)
