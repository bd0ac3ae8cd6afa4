"""The plugin keeps every statement, raw and behind the desk, against a server with the real one's defects."""

from __future__ import annotations

import pytest

from gatehook.testing import BrokerSuite
from gatehook.testing import DeskSuite
from gatehook.testing import MarketDataSuite
from tests.metaapi.rig import priced
from tests.metaapi.rig import rigged

LIVE = "the accounts prove nothing and are live, and so is the gateway under these tests"
SKIPPED = {
    "test_13_without_an_explicit_word_no_account_is_live": LIVE,
    "test_13_a_paper_gateway_trades_no_account_that_is_not_paper": LIVE,
    "test_49_a_mode_that_cannot_be_proven_is_live": LIVE,
}


@pytest.fixture
async def rig(request, plugin_host, secret_canaries):
    if request.node.originalname in SKIPPED:
        pytest.skip(SKIPPED[request.node.originalname])
    given = secret_canaries.make("METAAPI_TOKEN")
    async with rigged(plugin_host, secret_canaries()[0], given) as rig:
        yield rig


class TestMetaApi(BrokerSuite):
    plugin = "metaapi-mcp"


class TestMetaApiBehindTheDesk(DeskSuite):
    plugin = "metaapi-mcp"


class TestMetaApiPrices(MarketDataSuite):
    plugin = "metaapi-mcp"

    @pytest.fixture
    async def rig(self, plugin_host):
        async with priced(plugin_host) as rig:
            yield rig
