"""The plugin in this directory keeps the statements for market data, once ``npm install`` was run in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gatehook.testing import MarketDataSuite
from gatehook.testing import PricesRig

ROOT = Path(__file__).parents[1]
HOUR = 3600 * 10**9

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(not (ROOT / "node_modules").is_dir(), reason="npm install was not run in plugins/tides_sdk"),
]


class TestTidesSdk(MarketDataSuite):
    plugin = "tides-sdk"

    @pytest.fixture
    async def rig(self, plugin_host):
        config = {"plugins": {"entries": {"tides-sdk": {"config": {"interval": 20}}}}}
        async with plugin_host(paths=[ROOT], config=config) as host:
            source = host.market_data("tides-sdk")
            [instrument] = await source.list_instruments(query="EURUSD")
            end = host.clock.now() // HOUR * HOUR
            yield PricesRig(
                source=source,
                declared=host.plan.decision("tides-sdk").candidate.manifest.capabilities.market_data,
                instrument=instrument,
                start=end - 2 * HOUR,
                end=end,
            )
