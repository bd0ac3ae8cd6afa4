"""The plugin under the suites, over SSE, against the stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from typing import Final

import anyio
import attrs

from gatehook import AccountKey
from gatehook import NotConnected
from gatehook.host.live import Confirmation
from gatehook.host.live import confirm_live
from gatehook.kinds.times import HOUR
from gatehook.testing import BrokerRig
from gatehook.testing import Fault
from gatehook.testing import PricesRig
from gatehook.testing.metaapi import AccountSettings
from gatehook.testing.metaapi import Fault as ServerFault
from gatehook.testing.metaapi import MetaApiVenue

ENTRY: Final = "metaapi-mcp"
BID, ASK = Decimal("1.10000"), Decimal("1.10020")
ACCOUNTS: Final = (
    AccountSettings(id="netting", login="5000002", netting=True),
    AccountSettings(id="hedging", login="5000001"),
    AccountSettings(id="locked", login="5000003"),
)
ALLOWED: Final = ("netting", "hedging")
#: Quick, because nobody waits for the price of a real terminal here.
QUICK: Final = {"poll": 0.02, "candlePoll": 0.05, "staleAfter": 0.3}


#: By fault, what the stand-in is told.
FAULTS: Final[dict[Fault, dict[str, Any]]] = {
    Fault.DROP_REPLY: {"fault": ServerFault.CUT_REPLY},
    Fault.DROP_REQUEST: {"fault": ServerFault.CUT_REQUEST},
    Fault.UNMAPPED_CODE: {"fault": ServerFault.LATE_ERROR},
    Fault.RATE_LIMIT: {"fault": ServerFault.ERROR, "code": "TRADE_CONTEXT_BUSY", "times": 1},
    Fault.INCOMPLETE: {"fault": ServerFault.SYNCHRONIZING},
}


async def gone(session: Any) -> None:
    """Wait until the plugin's session has noticed that there is no connection."""
    try:
        while True:
            await session.wait_connected(0)
            await anyio.sleep(0.01)
    except NotConnected:
        return


class StandIn:
    """A rig's venue: the stand-in server."""

    faults = frozenset(FAULTS) | {Fault.REFUSE_CONNECTION, Fault.FILL_BEFORE_CANCEL, Fault.STRANGER}

    def __init__(self, venue: MetaApiVenue, broker: Callable[[], Any]) -> None:
        self.venue = venue
        self._broker = broker

    @property
    def session(self) -> Any:
        """The plugin's session."""
        return self._broker().plugin.session

    async def quote(self, bid: Decimal, ask: Decimal, size: Decimal | None = None) -> None:
        """Set the market."""
        self.venue.set_price("EURUSD", bid, ask, size)

    async def requests(self) -> int:
        """Count the trading requests."""
        return len(self.venue.requests)

    @asynccontextmanager
    async def fault(self, fault: Fault) -> AsyncIterator[None]:
        """Bring a fault about."""
        if fault is Fault.REFUSE_CONNECTION:
            await self.venue.die()
            await gone(self.session)
            yield
            await self.venue.restart()
            await self.session.wait_connected(5)
        elif fault is Fault.STRANGER:
            self.venue.stranger("netting", "EURUSD", "0.01", "0.50000")
            yield
        elif fault is Fault.FILL_BEFORE_CANCEL:
            async with anyio.create_task_group() as tasks:
                self.venue.fail(ServerFault.DELAY, tool="cancel_order", seconds=0.2, times=1)
                tasks.start_soon(self._fill_when_asked)
                yield
                tasks.cancel_scope.cancel()
        else:
            with self.venue.failing(**FAULTS[fault]):
                yield

    async def _fill_when_asked(self) -> None:
        while self.venue.requests[-1].tool != "cancel_order":  # noqa: ASYNC110  the server has no event for that
            await anyio.sleep(0.01)
        self.venue.set_price("EURUSD", "1.00000", "1.00020")


@asynccontextmanager
async def served(mode: str = "faithful", token: str = "a-token", **options: Any) -> AsyncIterator[MetaApiVenue]:
    """Run a stand-in."""
    async with MetaApiVenue(mode=mode, token=token, accounts=ACCOUNTS, **options) as venue:  # type: ignore[arg-type]
        yield venue


def config_of(venue: MetaApiVenue, token: Any = "a-token", **sections: Any) -> dict[str, Any]:
    """The configuration of a gateway with this one broker; what cannot be proven is live."""
    about = {"token": token, "allowedAccounts": list(ALLOWED), "symbols": ["EURUSD", "USDJPY"], **QUICK}
    return {
        "gateway": {"mode": "live"},
        "plugins": {
            "deny": ["paper", "sqlite_fts"],
            "entries": {ENTRY: {"url": f"http://127.0.0.1:{venue.port}/sse", "config": about}},
        },
        "trading": {"reconcile_every": 0.5},
        "limits": {ENTRY: {"max_open_orders": 100}},
        "permissions": [{"caller": "asked", "decision": "ask"}, {"caller": "*", "decision": "allow"}],
        **sections,
    }


@asynccontextmanager
async def hosted(plugin_host: Any, venue: MetaApiVenue, given: Any = "a-token", **sections: Any) -> AsyncIterator[Any]:
    """Run a gateway's host with the plugin, connected; ``given`` is the token as the configuration has it."""
    confirm_live(plugin_host.data_dir, Confirmation(by="the suite", at=1))
    async with plugin_host(builtin=True, config=config_of(venue, given, **sections)) as host:
        yield host


@asynccontextmanager
async def rigged(plugin_host: Any, token: str = "a-token", given: Any = None) -> AsyncIterator[BrokerRig]:
    """Run the plugin against a stand-in made new."""
    async with served("faithful", token) as venue, hosted(plugin_host, venue, given or token) as host:
        rig = await BrokerRig.of(
            *(host, ENTRY),
            symbol="EURUSD",
            bid=BID,
            ask=ASK,
            venue=StandIn(venue, lambda: host.desk.entry(ENTRY).access.provider),
            hedging="hedging",
            asked="asked",
        )
        yield attrs.evolve(rig, forbidden=AccountKey(ENTRY, "locked"))


class Prices:
    """What moves and cuts the stand-in's prices."""

    def __init__(self, venue: MetaApiVenue) -> None:
        self._venue = venue
        self._moves = 0
        self._still = False

    async def run(self) -> None:
        """Move the price, each time until it was asked for."""
        while True:
            await anyio.sleep(1.2 * QUICK["poll"])
            if not self._still:
                self._moves += 1
                bid = BID + self._moves % 1000 * Decimal("0.00001")
                self._venue.set_price("EURUSD", bid, bid + Decimal("0.00020"))

    async def produce(self, items: int) -> None:
        """Wait until the price has moved so often."""
        moved = self._moves + items + 2
        while self._moves < moved:  # noqa: ASYNC110  what moves it is the venue's loop
            await anyio.sleep(QUICK["poll"])

    @asynccontextmanager
    async def disconnected(self) -> AsyncIterator[None]:
        """Let the server die, and come back."""
        await self._venue.die()
        yield
        await self._venue.restart()

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        """Leave the price as it is."""
        self._still = True
        yield
        self._still = False


@asynccontextmanager
async def priced(plugin_host: Any) -> AsyncIterator[PricesRig]:
    """Run the plugin for its prices."""
    async with served() as venue, hosted(plugin_host, venue) as host, anyio.create_task_group() as tasks:
        source, feed = host.market_data(ENTRY), Prices(venue)
        tasks.start_soon(feed.run)
        (instrument,) = await source.list_instruments(query="EURUSD")
        end = host.clock.now() // HOUR * HOUR
        yield PricesRig(
            source=source,
            declared=source.capabilities,
            instrument=instrument,
            start=end - HOUR,
            end=end,
            feed=feed,
        )
        tasks.cancel_scope.cancel()
