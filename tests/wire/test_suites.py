"""Paper and simulated, served over the wire, keep every statement unmodified."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import pytest

from gatehook.clocks import SystemClock
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
from tests.wire.serving import Served
from tests.wire.serving import stdio_session


class TestPaperOverStdio(BrokerSuite):
    plugin = "paper over stdio"

    @pytest.fixture
    async def rig(self, plugin_host):
        prices = ControlledPrices(bid=BID, ask=ASK)
        served = Served(BUILTIN / "paper", partial(stdio_session, BUILTIN / "paper"))
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


class TestSimulatedOverStdio(MarketDataSuite):
    plugin = "simulated over stdio"

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request):
        return request.param

    @pytest.fixture
    async def rig(self, tmp_path):
        served = Served(BUILTIN / "simulated", partial(stdio_session, BUILTIN / "simulated"))
        plugins = {"entries": {"simulated": {"config": {"interval": 0.05}}}}
        make = HostMaker(tmp_path / f"host-{uuid4().hex}")
        given = [(served.manifest, served.plugin)]
        async with make(plugins=given, clock=SystemClock(), config={"plugins": plugins}) as host:
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
