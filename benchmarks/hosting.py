"""Running a host for the benchmarks that call a running plugin."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from collections.abc import Sequence
from contextlib import asynccontextmanager

import anyio

from gatehook import InstrumentId
from gatehook import NotConnected
from gatehook import PluginHost
from gatehook.catalog import Places
from gatehook.catalog import builtin_directory
from gatehook.host.host import EmbeddedPlugin


@asynccontextmanager
async def running_host(plugins: Sequence[EmbeddedPlugin] = (), *, builtin: bool = False) -> AsyncIterator[PluginHost]:
    """Run a host with these plugins, and with the built-in ones where they are wanted, on an empty data directory."""
    places = Places(builtin=builtin_directory() if builtin else None)
    with tempfile.TemporaryDirectory() as directory:
        config = {"gateway": {"data_dir": directory}, "plugins": {"slots": {"memory": "none"}}}
        async with PluginHost.from_config(config, plugins=plugins, places=places) as host:
            yield host


async def first_quote(host: PluginHost, entry: str, instrument: InstrumentId) -> None:
    """Wait until an entry quotes."""
    with anyio.fail_after(30):
        while True:
            try:
                await host.market_data(entry).quote(instrument)
            except NotConnected:
                await anyio.sleep(0.02)
            else:
                return
