"""The providers that the suites are tried on, ready to be asked."""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from gatehook.testing import BrokerRig
from gatehook.testing import ControlledPrices
from gatehook.testing import PricesRig
from tests.testing.price_server import HOUR_MS
from tests.testing.price_server import HOURS
from tests.testing.price_server import START_MS
from tests.testing.price_server import PriceServer

WIRE_PRICES = Path(__file__).parent / "wire_prices"
DEALER = Path(__file__).parents[2] / "plugins" / "dealer"
MS = 1_000_000
BID, ASK = Decimal("1.10000"), Decimal("1.10010")


@asynccontextmanager
async def wire_prices(plugin_host, folder=WIRE_PRICES):
    """Run a plugin that gets its prices over a connection."""
    async with PriceServer().running() as server:
        config = {"plugins": {"entries": {"wire-prices": {"config": {"port": server.port, "staleAfter": 0.3}}}}}
        async with plugin_host(paths=[folder], config=config) as host:
            source = host.market_data("wire-prices", caller="suite")
            (instrument,) = await source.list_instruments()
            yield PricesRig(
                source=source,
                declared=source.capabilities,
                instrument=instrument,
                start=START_MS * MS,
                end=(START_MS + HOURS * HOUR_MS) * MS,
                feed=server,
            )


class Market:
    """The dealer is its own venue: its market is the prices it deals at, its requests are the orders in its book."""

    faults = frozenset()

    def __init__(self, prices, entry):
        self._prices = prices
        self._entry = entry

    async def quote(self, bid, ask, size=None):
        await self._prices.set(bid, ask, size)

    async def requests(self):
        provider = self._entry().access.provider
        account = (await provider.list_accounts())[0].account
        return len((await provider.list_orders(account, open_only=False)).items)


@asynccontextmanager
async def dealing(plugin_host, folder=DEALER):
    """Run the dealer, or a copy of it, on prices that the test sets."""
    prices = ControlledPrices(bid=BID, ask=ASK)
    about = {"prices": "prices", "accounts": ["house", "locked"], "allowedAccounts": ["house"]}
    config = {"plugins": {"entries": {"dealer": {"config": about}}}}
    async with plugin_host(paths=[folder], plugins=[(ControlledPrices.MANIFEST, prices)], config=config) as host:
        market = Market(prices, lambda: host.desk.entry("dealer"))
        await prices.followed()
        yield await BrokerRig.of(host, "dealer", symbol="EURUSD", bid=BID, ask=ASK, venue=market, forbidden="locked")
