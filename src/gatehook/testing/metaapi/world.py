"""Everything that outlives the server: the market, the accounts, and the trading requests that arrived."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any
from typing import Final
from typing import Protocol

import anyio
import attrs

from gatehook.clocks import SystemClock
from gatehook.testing.metaapi.book import Book
from gatehook.testing.metaapi.book import Deal
from gatehook.testing.metaapi.engine import Engine
from gatehook.testing.metaapi.market import Market
from gatehook.testing.metaapi.passing import pass_time
from gatehook.testing.metaapi.settings import ACCOUNTS
from gatehook.testing.metaapi.settings import SYMBOLS
from gatehook.testing.metaapi.settings import AccountSettings
from gatehook.testing.metaapi.settings import SymbolSettings


class Now(Protocol):
    """Whatever tells the time."""

    def now(self) -> int:
        """Return nanoseconds UTC."""


@attrs.frozen
class Request:
    """A trading request that reached the server.

    Attributes:
        executed: whether the trade server got it.
        accepted: whether it did what was asked.
        answered: whether an answer was written.
    """

    number: int
    session: str
    time: int
    tool: str
    arguments: Mapping[str, Any]
    executed: bool = False
    accepted: bool = False
    answered: bool = False


class World:
    """Accounts and their market; hand it to the next server, and it goes on where the last one ended."""

    def __init__(
        self,
        *,
        seed: int = 1,
        accounts: Iterable[AccountSettings] = ACCOUNTS,
        symbols: Iterable[SymbolSettings] = SYMBOLS,
        clock: Now | None = None,
        drifting: bool = False,
    ) -> None:
        self.clock: Final[Now] = clock or SystemClock()
        self._acted = self.clock.now()
        self._tickets = count(40_000_001 + seed % 1000 * 100_000)
        self.market: Final = Market(symbols, seed=seed, started=self._acted, drifting=drifting)
        self.books: Final[Mapping[str, Book]] = {one.id: self._opened(one) for one in accounts}
        self.requests: Final[list[Request]] = []
        self._arrival = anyio.Event()

    def engine(self, account: str) -> Engine:
        """Let the market act on all accounts, then return the engine of one at this moment.

        Raises:
            KeyError: for an account that there is not.
        """
        return Engine(self.market, self.books[account], self.act(), self.ticket)

    def act(self) -> int:
        """Let the market of this moment act on all accounts; return the moment."""
        now = max(self._acted, self.clock.now())
        for book in self.books.values():
            pass_time(Engine(self.market, book, now, self.ticket), self._acted)
        self._acted = now
        return now

    def set_price(self, symbol: str, bid: Decimal, ask: Decimal, size: Decimal | None = None) -> None:
        """Set the market of a symbol, and let it act; ``size`` is how many lots each side offers.

        Raises:
            KeyError: for a symbol that there is not.
            ValueError: for an ask below the bid.
        """
        self.market.symbols[symbol]
        self.act()
        self.market.set(symbol, bid, ask, self._acted)
        self.market.offered.pop(symbol, None)
        if size is not None:
            self.market.offered[symbol] = size
        self.act()

    def note(self, request: Request) -> None:
        """Keep a trading request that has arrived."""
        self.requests.append(request)
        self._arrival.set()
        self._arrival = anyio.Event()

    async def arrived(self, count: int) -> None:
        """Return when so many trading requests have arrived."""
        while len(self.requests) < count:
            await self._arrival.wait()

    def ticket(self) -> str:
        """Return the next number; orders and deals share one row of them."""
        return str(next(self._tickets))

    def _opened(self, settings: AccountSettings) -> Book:
        deposit = Deal(id=self.ticket(), type="DEAL_TYPE_BALANCE", time=self._acted, profit=settings.balance)
        return Book(settings, settings.balance, deals=[deposit])
