"""The statements about faults hold for a broker whose connection fails in every way that a venue's can."""

from __future__ import annotations

import pytest

from gatehook.testing import BrokerSuite
from gatehook.testing import DeskSuite
from tests.testing.rigs import wire_broking


class TestWireBroker(BrokerSuite):
    plugin = "wire-broker"

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request):
        return request.param

    @pytest.fixture
    async def rig(self, plugin_host, secret_canaries):
        async with wire_broking(plugin_host, token=secret_canaries.make("WIRE_TOKEN")) as rig:
            yield rig


class TestWireBrokerBehindTheDesk(DeskSuite):
    plugin = "wire-broker"

    @pytest.fixture
    async def rig(self, plugin_host):
        async with wire_broking(plugin_host) as rig:
            yield rig
