"""The dealer keeps the statements for brokers, raw and behind the desk, however it is installed.

Run from a checkout it is the plugin in this directory; where the distribution is installed, its entry point leads.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from gatehook.testing import BrokerRig
from gatehook.testing import BrokerSuite
from gatehook.testing import ControlledPrices
from gatehook.testing import DeskSuite

BID, ASK = Decimal("1.10000"), Decimal("1.10010")
INSTALLED = bool(entry_points(group="gatehook.plugins", name="dealer"))
CONFIG = {"prices": "prices", "accounts": ["house", "locked"], "allowedAccounts": ["house"]}


class Market:
    """The dealer is its own venue: its market is the prices it deals at."""

    faults = frozenset()

    def __init__(self, prices, host):
        self._prices = prices
        self._host = host

    async def quote(self, bid, ask, size=None):
        await self._prices.set(bid, ask, size)

    async def requests(self):
        dealer = self._host.desk.entry("dealer").access.provider
        page = await dealer.list_orders((await dealer.list_accounts())[0].account, open_only=False)
        return len(page.items)

    @asynccontextmanager
    async def fault(self, fault):
        raise AssertionError(f"the dealer has no wire on which to {fault}")
        yield


@asynccontextmanager
async def dealing(plugin_host):
    prices = ControlledPrices(bid=BID, ask=ASK)
    config = {"plugins": {"entries": {"dealer": {"config": CONFIG}}}}
    where = {"installed": ["dealer"]} if INSTALLED else {"paths": [Path(__file__).parents[1]]}
    host = plugin_host(plugins=[(ControlledPrices.MANIFEST, prices)], config=config, **where)
    async with host:
        await prices.followed()
        market = Market(prices, host)
        yield await BrokerRig.of(host, "dealer", symbol="EURUSD", bid=BID, ask=ASK, venue=market, forbidden="locked")


class TestDealer(BrokerSuite):
    plugin = "dealer"

    @pytest.fixture
    async def rig(self, plugin_host):
        async with dealing(plugin_host) as rig:
            yield rig


class TestDealerBehindTheDesk(DeskSuite):
    plugin = "dealer"

    @pytest.fixture
    async def rig(self, plugin_host):
        async with dealing(plugin_host) as rig:
            yield rig
