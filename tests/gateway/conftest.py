"""A gateway in this process, on a data directory of its own."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from gatehook.catalog.places import Places
from gatehook.catalog.places import builtin_directory
from gatehook.config import config_from
from gatehook.gateway import Gateway
from gatehook.host import PluginHost


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
