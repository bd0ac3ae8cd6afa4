"""Every statement for market data holds for a source behind a connection that is cut, silenced and flooded."""

from __future__ import annotations

import pytest

from gatehook.testing import MarketDataSuite
from tests.testing.rigs import wire_prices


class TestWirePrices(MarketDataSuite):
    plugin = "wire-prices"

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request):
        return request.param

    @pytest.fixture
    async def rig(self, plugin_host):
        async with wire_prices(plugin_host) as rig:
            yield rig
