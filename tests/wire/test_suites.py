"""Paper and simulated, served over the wire, keep every statement unmodified."""

from __future__ import annotations

from contextlib import asynccontextmanager
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
from tests.wire.processes import gateway_session
from tests.wire.processes import paper_process
from tests.wire.processes import serving_process
from tests.wire.serving import BUILTIN
from tests.wire.serving import ServedPlugin
from tests.wire.serving import stdio_session


@asynccontextmanager
async def paper_over_stdio(plugin_host):
    """Run paper in a child over stdio, on prices of this process."""
    prices = ControlledPrices(bid=BID, ask=ASK)
    async with served_paper(plugin_host, partial(stdio_session, BUILTIN / "paper"), prices, prices) as rig:
        yield rig


class Together:
    """Prices of the served process and of this one, set to the same."""

    def __init__(self, theirs, ours):
        self._theirs, self._ours = theirs, ours

    async def set(self, *market):
        await self._ours.set(*market)
        await self._theirs.set(*market)

    async def followed(self):
        await self._theirs.followed()


@asynccontextmanager
async def paper_over_http(plugin_host, folder):
    """Run paper by ``gatehook plugins serve paper --http``, with the prices that it trades at."""
    prices = ControlledPrices(bid=BID, ask=ASK)
    async with paper_process(folder / f"served-{uuid4().hex}") as (serving, theirs):

        def connect(context, tasks):
            return gateway_session(serving, context.entry_id)

        async with served_paper(plugin_host, connect, prices, Together(theirs, prices)) as rig:
            yield rig


@asynccontextmanager
async def served_paper(plugin_host, connect, source, prices):
    """Run paper behind a session, on prices that the test sets; ``source`` are those of this process."""
    served = ServedPlugin(BUILTIN / "paper", connect)
    entry = {"prices": "prices", "accounts": ACCOUNTS, "allowedAccounts": ["main", "hedged"]}
    config = {
        "plugins": {"entries": {"paper": {"config": entry}}},
        "limits": {"paper": {"max_open_orders": 100}},
        "permissions": [{"caller": "asked", "decision": "ask"}],
    }
    plugins = [(ControlledPrices.MANIFEST, source), (served.manifest, served.plugin)]
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
        async with paper_over_stdio(plugin_host) as rig:
            yield rig


class TestPaperOverHttp(BrokerSuite):
    plugin = "paper over HTTP"

    @pytest.fixture
    async def rig(self, plugin_host, tmp_path):
        async with paper_over_http(plugin_host, tmp_path) as rig:
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
        config = {"plugins": {"entries": {"simulated": {"config": {"interval": 0.05}}}}}
        async with serving_process(tmp_path / "served", "simulated", config) as serving:

            def connect(context, tasks):
                return gateway_session(serving, context.entry_id)

            async with served_prices(tmp_path, connect) as rig:
                yield rig
