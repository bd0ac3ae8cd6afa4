"""How a suite reaches a broker and its venue."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import Any
from typing import Protocol
from typing import TypeVar

import anyio
import attrs
import pytest

from gatehook.host import PluginHost
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.broker import Broker
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.orders import BrokerHandle
from gatehook.orders import Desk

T = TypeVar("T")


class Fault(StrEnum):
    """What a rig's venue may be able to do to a broker."""

    REFUSE_CONNECTION = "refuse the connection"
    DROP_REPLY = "drop the reply after accepting"
    UNMAPPED_CODE = "answer with a code that proves nothing"
    FILL_BEFORE_CANCEL = "fill an order while its cancel is on the way"
    CLOCK_SKEW = "refuse for clock skew"
    INCOMPLETE = "report while synchronizing"
    DROP_REQUEST = "lose a command before accepting it"
    CUT_STREAM = "cut the stream of events"
    LOSE_FILL = "lose the event of a fill"
    STRANGER = "let somebody else place an order that rests"
    RATE_LIMIT = "refuse one command for too many requests"
    LATE_RATE_LIMIT = "refuse a command for too many requests after telling that it was accepted"
    BAN = "refuse everything for a while"


class Venue(Protocol):
    """The venue behind a broker under test, as far as the suite moves it."""

    #: The faults it can bring about; statements that need another are skipped, saying so.
    faults: frozenset[Fault]

    async def quote(self, bid: Decimal, ask: Decimal, size: Decimal | None = None) -> None:
        """Set the market of the rig's instrument, and return when the broker has acted on it.

        ``size`` is what can be bought at the ask and sold at the bid; ``None`` is any quantity.
        """

    async def requests(self) -> int:
        """Return how many trading requests have reached the venue so far."""

    def fault(self, fault: Fault) -> AbstractAsyncContextManager[None]:
        """Bring the fault about for as long as the block lasts."""


@attrs.frozen(kw_only=True)
class BrokerRig:
    """A running broker, raw and behind the desk, and the venue it trades on.

    Attributes:
        host: the host that loaded it through the real loader.
        broker: the provider itself; only suites hold one.
        handle: the same broker as the rest of a program sees it, behind the desk.
        declared: its capabilities, from the manifest.
        account: a netting (or cash) account to trade on.
        hedging: a hedging one, where there is one.
        forbidden: one that the entry's ``allowedAccounts`` leave out, where there is one.
        instrument: what is traded.
        bid, ask: its market at the start.
        venue: the venue's controls.
        base: on a cash account, how much of the instrument's base it held at the start.
        asked: the handle of a caller whose orders need an approval, where the configuration has one.
    """

    host: PluginHost
    broker: Broker
    handle: BrokerHandle
    declared: BrokerCapabilities
    account: AccountKey
    hedging: AccountKey | None = None
    forbidden: AccountKey | None = None
    instrument: Instrument
    bid: Decimal
    ask: Decimal
    venue: Venue
    base: Decimal | None = None
    asked: BrokerHandle | None = None
    _ids: Any = attrs.field(factory=lambda: count(1), repr=False)

    @classmethod
    async def of(
        cls,
        host: PluginHost,
        entry: str,
        *,
        symbol: str,
        bid: Decimal,
        ask: Decimal,
        venue: Venue,
        hedging: str | None = None,
        forbidden: str | None = None,
        asked: str | None = None,
    ) -> BrokerRig:
        """Make a rig of an entry: its first account, the ones named, and the instrument with this symbol.

        ``asked`` is a caller to whom a rule of the configuration says ``ask``.

        Raises:
            KeyError: when it has no such account or instrument.
            NotConnected: when the entry does not run.
        """
        access = host.desk.entry(entry).access
        accounts = {one.account.account_id: one.account for one in await access.provider.list_accounts()}
        instruments = {one.id.symbol: one for one in await access.provider.list_instruments(query=symbol)}
        account = next(one for name, one in accounts.items() if name not in (hedging, forbidden))
        is_cash = (await access.provider.get_account(account)).account_type is AccountType.CASH
        return cls(
            host=host,
            broker=access.provider,
            handle=host.broker(entry, caller="suite"),
            declared=access.capabilities,
            account=account,
            hedging=accounts[hedging] if hedging else None,
            forbidden=accounts[forbidden] if forbidden else None,
            instrument=instruments[symbol],
            bid=bid,
            ask=ask,
            venue=venue,
            base=await _balance(access.provider, account, instruments[symbol]) if is_cash else None,
            asked=host.broker(entry, caller=asked) if asked else None,
        )

    @property
    def entry(self) -> str:
        """The entry's id."""
        return self.account.entry_id

    @property
    def desk(self) -> Desk:
        """The desk in front of the broker."""
        return self.host.desk

    async def restart(self) -> BrokerHandle:
        """Restart the entry; return a handle of it. ``broker`` is the old one then."""
        await self.host.restart(self.entry)
        return self.host.broker(self.entry, caller="suite")

    @property
    def lot(self) -> Decimal:
        """The least quantity the instrument takes."""
        return self.instrument.min_quantity or self.instrument.size_increment

    def away(self, side: Side, steps: int = 100) -> Decimal:
        """Return a price at which a limit of this side rests, ``steps`` increments away from the market."""
        distance = steps * self.instrument.price_increment
        return self.bid - distance if side is Side.BUY else self.ask + distance

    def order(self, kind: OrderType = OrderType.MARKET, side: Side = Side.BUY, **changes: Any) -> OrderRequest:
        """Make a request for the least quantity, under a new id, with the prices that its type needs."""
        fields: dict[str, Any] = {
            "client_order_id": f"s{next(self._ids)}",
            "account": self.account,
            "instrument_id": self.instrument.id,
            "side": side,
            "type": kind,
            "quantity": self.lot,
            "quantity_unit": self.instrument.quantity_unit,
        }
        if kind is OrderType.LIMIT:
            fields["price"] = self.away(side)
        if kind in (OrderType.STOP, OrderType.STOP_LIMIT):
            fields["trigger_price"] = self.away(side.opposite)
        if kind is OrderType.STOP_LIMIT:
            fields["price"] = self.away(side.opposite)
        return OrderRequest(**fields | changes)

    def needs(self, *faults: Fault) -> None:
        """Skip the statement unless the venue can bring these faults about."""
        for fault in faults:
            if fault not in self.venue.faults:
                pytest.skip(f"the rig's venue cannot {fault}")

    def declares(self, word: str, declared: object) -> None:
        """Skip the statement unless the plugin declares what it is about."""
        if not declared:
            pytest.skip(f"the plugin does not declare {word}")

    async def position(self, account: AccountKey | None = None) -> Decimal:
        """Return the signed position in the rig's instrument; on a cash account, what its base changed by."""
        if self.base is not None:
            return await _balance(self.broker, self.account, self.instrument) - self.base
        report = await self.broker.list_positions(account or self.account)
        return sum(
            (one.quantity if one.side is Side.BUY else -one.quantity)
            for one in report.positions
            if one.instrument_id == self.instrument.id
        ) or Decimal(0)

    async def settled(self, request: OrderRequest, seconds: float = 5) -> Order:
        """Wait until the order is at its end, by the broker's own word, and return it."""
        return await eventually(lambda: self.found(request), lambda order: order.status.is_final, seconds)

    async def found(self, request: OrderRequest) -> Order:
        """Return the order as the broker has it now."""
        lookup = await self.broker.get_order(request.ref)
        assert lookup.order is not None, f"{request.client_order_id} is {lookup.evidence}"
        return lookup.order


async def _balance(broker: Broker, account: AccountKey, instrument: Instrument) -> Decimal:
    balances = (await broker.get_account(account)).balances
    return sum((one.total for one in balances if one.asset == instrument.base), Decimal(0))


async def eventually(ask: Callable[[], Awaitable[T]], enough: Callable[[T], bool], seconds: float = 5) -> T:
    """Ask until the answer is enough, and return it.

    Raises:
        TimeoutError: when it never was.
    """
    with anyio.fail_after(seconds):
        while True:
            answer = await ask()
            if enough(answer):
                return answer
            await anyio.sleep(0.01)
