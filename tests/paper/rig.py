"""The paper broker under the suites: its venue is the market it trades at."""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal

from gatehook.testing import BrokerRig
from gatehook.testing import ControlledPrices

BID, ASK = Decimal("1.10000"), Decimal("1.10010")
ACCOUNTS = [
    {"id": "main", "currency": "USD", "type": "margin", "position_mode": "netting"},
    {"id": "hedged", "currency": "USD", "type": "margin", "position_mode": "hedging"},
    {"id": "locked", "currency": "USD", "type": "cash", "position_mode": "none"},
]


class PaperVenue:
    """Moves the prices that paper trades at, and counts the orders that it took."""

    faults = frozenset()

    def __init__(self, prices: ControlledPrices, entry) -> None:
        self._prices = prices
        self._entry = entry

    async def quote(self, bid, ask, size=None):
        await self._prices.set(bid, ask, size)

    async def requests(self):
        provider = self._entry().access.provider
        accounts = await provider.list_accounts()
        return sum([len((await provider.list_orders(one.account, open_only=False)).items) for one in accounts])

    @asynccontextmanager
    async def fault(self, fault):
        raise AssertionError(f"paper has no wire on which to {fault}")
        yield


@asynccontextmanager
async def paper(plugin_host):
    """Run paper on prices that the test sets."""
    prices = ControlledPrices(bid=BID, ask=ASK)
    config = {
        "plugins": {
            "allow": [],
            "deny": ["simulated", "replay", "sqlite_fts"],
            "slots": {"memory": "none"},
            "entries": {
                "paper": {"config": {"prices": "prices", "accounts": ACCOUNTS, "allowedAccounts": ["main", "hedged"]}}
            },
        },
        "limits": {"paper": {"max_open_orders": 100}},
        "permissions": [{"caller": "asked", "decision": "ask"}],
    }
    async with plugin_host(builtin=True, plugins=[(ControlledPrices.MANIFEST, prices)], config=config) as host:
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
