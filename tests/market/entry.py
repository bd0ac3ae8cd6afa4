"""The context of an entry, as far as the market data plugins use it."""

import logging
from contextlib import asynccontextmanager
from types import SimpleNamespace

import anyio

from gatehook.events import EventBus


@asynccontextmanager
async def running(provide, config, *, clock, bus=None, venue="TEST"):
    """Build a provider by its plugin's hook and enter it, as the host does; yields it."""
    bus = bus or EventBus(clock)

    def publish(topic, payload, **fields):
        bus.publish(topic, payload, source="entry", **fields)

    async with anyio.create_task_group() as tasks:
        context = SimpleNamespace(
            entry_id="entry",
            venue=venue,
            config=config,
            clock=clock,
            logger=logging.getLogger("test.entry"),
            events=SimpleNamespace(publish=publish),
            task_group=tasks,
        )
        async with provide(context) as provider:
            yield provider
        tasks.cancel_scope.cancel()
