"""Paper and simulated, served over the wire, keep every statement unmodified."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

import pytest

from builtin_plugins.paper.plugin import provide_broker
from builtin_plugins.simulated.plugin import provide_market_data
from gatehook.clocks import SystemClock
from gatehook.kinds.kind import Kind
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.testing import BrokerRig
from gatehook.testing import BrokerSuite
from gatehook.testing import ControlledPrices
from gatehook.testing.hosting import HostMaker
from gatehook.testing.market_data_suite import MarketDataSuite
from gatehook.testing.market_data_suite import PricesRig
from tests.paper.rig import ACCOUNTS
from tests.paper.rig import ASK
from tests.paper.rig import BID
from tests.paper.rig import PaperVenue
from tests.wire.serving import BUILTIN
from tests.wire.serving import ServedPlugin
from tests.wire.serving import http_session
from tests.wire.serving import stdio_session


@asynccontextmanager
async def served_paper(plugin_host, connect):
    """Run paper behind a session, on prices that the test sets."""
    prices = ControlledPrices(bid=BID, ask=ASK)
    served = ServedPlugin(BUILTIN / "paper", connect)
    entry = {"prices": "prices", "accounts": ACCOUNTS, "allowedAccounts": ["main", "hedged"]}
    config = {
        "plugins": {"entries": {"paper": {"config": entry}}},
        "limits": {"paper": {"max_open_orders": 100}},
        "permissions": [{"caller": "asked", "decision": "ask"}],
    }
    plugins = [(ControlledPrices.MANIFEST, prices), (served.manifest, served.plugin)]
    async with plugin_host(plugins=plugins, config=config) as host:
        venue = PaperVenue(prices, lambda: host.desk.entry("paper"))
        await prices.followed()
        yield await BrokerRig.of(
            host,
            "paper",
            symbol="EURUSD",
            bid=BID,
            ask=ASK,
            venue=venue,
            hedging="hedged",
            forbidden="locked",
            asked="asked",
        )


class TestPaperOverStdio(BrokerSuite):
    plugin = "paper over stdio"

    @pytest.fixture
    async def rig(self, plugin_host):
        async with served_paper(plugin_host, partial(stdio_session, BUILTIN / "paper")) as rig:
            yield rig


class TestPaperOverHttp(BrokerSuite):
    plugin = "paper over HTTP"

    @pytest.fixture
    async def rig(self, plugin_host):
        async with served_paper(plugin_host, partial(http_session, provide_broker, Kind.BROKER)) as rig:
            yield rig


@asynccontextmanager
async def served_prices(folder, connect):
    """Run simulated behind a session."""
    served = ServedPlugin(BUILTIN / "simulated", connect)
    config = {"plugins": {"entries": {"simulated": {"config": {"interval": 0.05}}}}}
    make = HostMaker(folder / f"host-{uuid4().hex}")
    async with make(plugins=[(served.manifest, served.plugin)], clock=SystemClock(), config=config) as host:
        source = host.market_data("simulated", caller="suite")
        now = host.clock.now()
        (instrument, *_) = await source.list_instruments()
        yield PricesRig(
            source=source,
            declared=source.capabilities,
            instrument=instrument,
            start=now - 2 * HOUR,
            end=now // MINUTE * MINUTE,
        )


class TestSimulatedOverStdio(MarketDataSuite):
    plugin = "simulated over stdio"

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request):
        return request.param

    @pytest.fixture
    async def rig(self, tmp_path):
        async with served_prices(tmp_path, partial(stdio_session, BUILTIN / "simulated")) as rig:
            yield rig


class TestSimulatedOverHttp(MarketDataSuite):
    plugin = "simulated over HTTP"

    @pytest.fixture
    async def rig(self, tmp_path):
        connect = partial(http_session, provide_market_data, Kind.MARKET_DATA)
        async with served_prices(tmp_path, connect) as rig:
            yield rig
