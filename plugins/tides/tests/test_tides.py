"""The plugin in this directory keeps the statements for market data; it needs ``node`` and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gatehook.testing import MarketDataSuite
from gatehook.testing import PricesRig

ROOT = Path(__file__).parents[1]
NODE = shutil.which("node")
HOUR = 3600 * 10**9

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


class TestTides(MarketDataSuite):
    plugin = "tides"

    @pytest.fixture
    async def rig(self, plugin_host):
        config = {"plugins": {"entries": {"tides": {"config": {"interval": 20}}}}}
        async with plugin_host(paths=[ROOT], config=config) as host:
            yield await rig_of(host, "tides")


async def rig_of(host, entry):
    source = host.market_data(entry)
    [instrument] = await source.list_instruments(query="EURUSD")
    end = host.clock.now() // HOUR * HOUR
    return PricesRig(
        source=source,
        declared=host.plan.decision(entry).candidate.manifest.capabilities.market_data,
        instrument=instrument,
        start=end - 2 * HOUR,
        end=end,
    )


def test_it_is_an_mcp_server_on_its_own():
    asked = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": "two", "method": "tools/call", "params": {"name": "gatehook.market_data.nothing"}},
    ]
    text = "\n".join(["{", *map(json.dumps, asked), ""])
    done = subprocess.run(
        [NODE, "server.mjs"], cwd=ROOT, input=text, capture_output=True, check=True, text=True, timeout=20
    )
    answers = {one.get("id"): one for one in map(json.loads, done.stdout.splitlines())}
    assert answers[None]["error"]["code"] == -32700
    assert answers[1]["result"]["capabilities"]["experimental"] == {"gatehook": {"wire": 1}}
    assert answers["two"]["error"]["code"] == -32602
    assert done.stderr == ""
