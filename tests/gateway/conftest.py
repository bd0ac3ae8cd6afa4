"""A gateway in this process, on a data directory of its own."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import pytest

from gatehook import NotConnected
from gatehook.catalog.places import Places
from gatehook.catalog.places import builtin_directory
from gatehook.cli.client import Client
from gatehook.config import config_from
from gatehook.gateway import Gateway
from gatehook.host import PluginHost
from gatehook.memory.sqlite.backend import SqliteMemory
from tests.cli import demo


@pytest.fixture
def make_host(tmp_path):
    """Make a host that finds the built-in plugins and what is passed to it, and nothing else."""

    def make(config=None, **options):
        merged = {**(config or {}), "gateway": {"data_dir": tmp_path / "data", **(config or {}).get("gateway", {})}}
        return PluginHost.from_config(config_from(merged), places=Places(builtin=builtin_directory()), **options)

    return make


@pytest.fixture
def gateway(make_host):
    """Run a gateway: ``async with gateway(config) as running``."""

    @asynccontextmanager
    async def running(config=None, **options):
        async with Gateway(make_host(config, **options)) as one:
            yield one

    return running


@pytest.fixture
def trading(gateway):
    """Run a gateway with the demo broker and yield a function that sends requests, its gateway and the broker."""

    @asynccontextmanager
    async def running(mode="paper", outside="0", plugin=demo, **config):
        about = {
            "id": "demo",
            "name": "Demo",
            "version": "1.0.0",
            "kinds": ["connector.broker"],
            "entry": {"type": "python.module", "module": "demo.py"},
            "configSchema": {"type": "object"},
            "capabilities": {
                "orderTypes": ["market", "limit", "stop"],
                "supportsReduceOnly": True,
                "supportsAmend": True,
                "supportsClosePosition": True,
                "positionModes": ["netting"],
            },
        }
        entry = {"config": {"mode": mode, "outside": outside, "allowedAccounts": ["main"]}}
        merged = {**config, "gateway": {"mode": mode}, "plugins": {"entries": {"demo": entry}}}
        async with gateway(merged, plugins=[(about, plugin)]) as one:
            client = Client(one.host.config.gateway.data_dir)

            async def call(method, **params):
                with anyio.fail_after(30):
                    return await anyio.to_thread.run_sync(lambda: client.call(method, params, timeout=25))

            await one.host.desk.reconciliations.wait_for_first(demo.MAIN, 10)
            call.host, call.broker = one.host, one.host.desk.access("demo").provider
            yield call

    return running


@pytest.fixture
def memory_works(monkeypatch):
    """Have memories refuse every write until this is set."""
    wrote, works = SqliteMemory.upsert, anyio.Event()

    async def upsert(memory, docs, **more):
        if not works.is_set():
            raise NotConnected("the memory is away")
        return await wrote(memory, docs, **more)

    monkeypatch.setattr(SqliteMemory, "upsert", upsert)
    return works
