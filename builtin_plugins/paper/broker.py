"""The paper broker as a provider: the engine behind a lock, its state on disk before anybody hears of a change."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from types import TracebackType
from typing import Final
from typing import Self
from typing import TypeVar

import anyio

from gatehook.context import PluginContext
from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import Money
from gatehook.kinds.broker import Broker
from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.broker import Evidence
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.checks import check_capabilities
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.provider import Page
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Sink
from gatehook.kinds.times import Ns

from .acceptance import check_same
from .acceptance import check_unused
from .book import Working
from .engine import Engine
from .feed import PAGE
from .feed import Event
from .feed import Feed
from .feed import place_of
from .prices import Prices
from .report import account_state
from .report import position_report
from .settings import settings_from
from .state import State
from .venue import Venue

T = TypeVar("T")

_QUOTE_PATIENCE: Final = 2.0
_LISTED: Final = 500


class PaperBroker(Broker):
    """Accounts of its own, at the prices of another entry. Commands and prices take turns; each ends stored."""

    def __init__(self, context: PluginContext) -> None:
        self._context = context
        self._settings = settings_from(context.entry_id, context.config)
        self._venue = Venue(self._settings)
        self._feed = Feed()
        self._lock = anyio.Lock(fast_acquire=True)
        self._following: anyio.CancelScope | None = None
        self._stopped = anyio.Event()
        self._prices: Prices | None = None

    async def __aenter__(self) -> Self:
        await self._venue.open(self._context.data_dir)
        try:
            await self._follow_prices()
        except BaseException:  # also a start that is cut off: nobody else would close the book
            with anyio.CancelScope(shield=True):
                await self._venue.close()
            raise
        return self

    async def _follow_prices(self) -> None:
        source = self._context.use(self._context.config["prices"])
        wanted = frozenset(self._context.config["instruments"])
        self._prices = Prices(source, wanted, self._on_price, self._venue.know, self._context.logger)
        if not self._settings.swaps:
            self._context.logger.info("swap is 0: none is configured")
        try:
            await self._prices.instruments()
        except ProviderError as error:  # the prices are followed for ever, so this is no reason not to start
            self._context.logger.warning("no instruments yet: %s", error)
        self._following = anyio.CancelScope()
        self._context.task_group.start_soon(self._follow, self._prices, self._following, name="paper prices")

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            if self._following is not None:
                self._following.cancel()
                await self._stopped.wait()
            async with self._lock:
                await self._venue.close()

    async def _follow(self, prices: Prices, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await prices.follow(self._prices_ended)
        finally:
            self._stopped.set()

    def _prices_ended(self) -> None:
        state = self._venue.engine.state
        self._context.logger.info(
            "the prices have ended: %d orders and %d positions stay open", len(state.book), len(state.holdings)
        )

    async def _on_price(self, item: Tick | Candle) -> None:
        try:
            if isinstance(item, Tick):
                await self._run(lambda engine, now: engine.on_quote(item, now))
            else:
                await self._run(lambda engine, now: engine.on_candle(item, now))
        except StorageUnavailable as error:  # health says it until a write succeeds; the next price is tried again
            self._context.logger.warning("what a price did was not kept: %s", error)
        await self._feed.drained()

    async def _run(self, operate: Callable[[Engine, Ns], T]) -> T:
        """Operate when it is our turn. Once begun it is stored and told, also when the caller is gone by then."""
        async with self._lock:
            with anyio.CancelScope(shield=True):
                now = self._context.clock.now()
                first = self._venue.engine.state.counters.event
                result, events, accounts = await self._venue.run(operate, now)
                self._tell(events, accounts, first, now)
            return result

    def _tell(self, events: list[BrokerEvent], accounts: set[str], first: int, now: Ns) -> None:
        if self._feed.listened:
            self._feed.publish((event, str(place)) for place, event in enumerate(events, first + 1))
            self._feed.publish(self._reports(events, accounts, now))

    def _reports(self, events: list[BrokerEvent], accounts: set[str], now: Ns) -> list[Event]:
        """Return positions and money of the accounts that changed, after the orders and fills that changed them."""
        if not accounts or not any(isinstance(event, Fill) for event in events):
            return []
        state = self._venue.engine.state
        reports: list[Event] = []
        for key in (state.accounts[one].key for one in sorted(accounts)):
            reports.append((position_report(state, key, now), None))
            reports.append((account_state(state, key, now), None))
        return reports

    def health(self) -> Health:
        """Degraded while there are no prices or the state cannot be stored."""
        problems = (self._venue.problem, None if self._prices is None else self._prices.problem)
        reasons = tuple(one for one in problems if one is not None)
        return Health(status=HealthStatus.DEGRADED if reasons else HealthStatus.OK, reasons=reasons)

    async def list_accounts(self) -> Sequence[AccountRef]:
        """Return the configured accounts."""
        venue = self._context.venue
        return [
            AccountRef(account=one.key, name=f"Paper {one.key.account_id}", mode=Mode.PAPER, venue=venue)
            for one in self._venue.engine.state.accounts.values()
        ]

    async def get_account(self, account: AccountKey) -> AccountState:
        """Return an account's money at the last prices."""
        return await self._run(lambda engine, now: account_state(_passed(engine, now), account, now))

    async def list_positions(self, account: AccountKey) -> PositionReport:
        """Return an account's open positions at the last prices."""
        return await self._run(lambda engine, now: position_report(_passed(engine, now), account, now))

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return what the price source has."""
        part = "" if query is None else query.upper()
        known = self._venue.engine.state.instruments
        return [one for key, one in sorted(known.items()) if part in key.symbol.upper()]

    async def submit_order(self, request: OrderRequest) -> Order:
        """Take an order. The same order again is answered with what became of it."""
        self._venue.engine.state.account(request.account)
        self._check(request)
        if (known := await self._known(request)) is not None:
            return known
        await self._have_quote(request.instrument_id)
        return await self._run(lambda engine, now: engine.submit(request, now))

    def _check(self, request: OrderRequest) -> None:
        declared = self._context.manifest.capabilities.broker
        assert declared is not None, "the manifest of a broker declares what it does"
        check_capabilities(request, declared)

    async def _known(self, request: OrderRequest) -> Order | None:
        if not self._venue.is_used(request.account.account_id, request.client_order_id):
            return None
        order = await self._find(OrderRef(account=request.account, client_order_id=request.client_order_id))
        assert order is not None, "a used id has an order"
        check_same(order.request, request)
        return order

    async def _have_quote(self, instrument_id: InstrumentId) -> None:
        """Ask the source for a quote where its stream has given none that may be traded on."""
        mark = self._venue.engine.state.marks.get(instrument_id)
        now = self._context.clock.now()
        if self._prices is None or not self._prices.quotes or instrument_id not in self._venue.engine.state.instruments:
            return
        if mark is not None and mark.fresh(now, self._settings.max_quote_age):
            return
        try:
            with anyio.move_on_after(_QUOTE_PATIENCE):
                tick = await self._prices.source.quote(instrument_id)
                await self._run(lambda engine, now: engine.on_quote(tick, now))
        except ProviderError as error:  # the engine refuses the order for want of a price
            self._context.logger.info("no quote of %s: %s", instrument_id, error)

    async def submit_order_list(self, orders: OrderList) -> Sequence[Order]:
        """Take all orders of a list or none."""
        for one in orders.orders:
            self._check(one)
        known = [await self._known(one) for one in orders.orders]
        if all(one is not None for one in known) and known:
            return [one for one in known if one is not None]
        for one in orders.orders:
            check_unused(one, self._venue.is_used(one.account.account_id, one.client_order_id))
            await self._have_quote(one.instrument_id)
        return await self._run(lambda engine, now: engine.submit_list(orders, now))

    async def cancel_order(self, ref: OrderRef, *, command_id: str) -> Order:
        """Cancel what is left of an order."""
        return await self._change(ref, lambda engine, working, now: engine.cancel(working, now))

    async def amend_order(self, ref: OrderRef, change: OrderChange, *, command_id: str) -> Order:
        """Change a working order in place."""
        return await self._change(ref, lambda engine, working, now: engine.amend(working, change, now))

    async def _change(self, ref: OrderRef, operate: Callable[[Engine, Working, Ns], Order]) -> Order:
        def run(engine: Engine, now: Ns) -> Order | None:
            engine.pass_time(now)
            working = engine.working(ref)
            return None if working is None else operate(engine, working, now)

        if (order := await self._run(run)) is not None:
            return order
        ended = await self._find(ref)
        if ended is None:
            raise NotFound(f"there is no such order in account {ref.account}")
        raise OrderNotCancellable(f"order {ended.venue_order_id} is {ended.status} already")

    async def cancel_all(
        self, account: AccountKey, *, instrument_id: InstrumentId | None = None, command_id: str
    ) -> Sequence[Order]:
        """Cancel all working orders of an account, or of one instrument in it."""
        self._venue.engine.state.account(account)
        return await self._run(lambda engine, now: engine.cancel_all(account.account_id, instrument_id, now))

    async def close_position(self, ref: PositionRef, *, quantity: Decimal | None = None, command_id: str) -> Order:
        """Close a position, or ``quantity`` of it, at the market."""
        self._venue.engine.state.account(ref.account)
        if self._venue.is_used(ref.account.account_id, command_id):
            order = await self._find(OrderRef(account=ref.account, client_order_id=command_id))
            assert order is not None, "a used id has an order"
            return order
        await self._have_quote(ref.instrument_id)
        return await self._run(lambda engine, now: engine.close_position(ref, quantity, command_id, now))

    async def modify_position(self, ref: PositionRef, protection: Protection, *, command_id: str) -> PositionReport:
        """Set a position's protection."""

        def protect(engine: Engine, now: Ns) -> PositionReport:
            engine.protect(ref, protection, now)
            return position_report(engine.state, ref.account, now)

        return await self._run(protect)

    async def estimate_margin(self, request: OrderRequest) -> Money:
        """Say what an order would put aside."""
        await self._have_quote(request.instrument_id)
        return await self._run(lambda engine, now: engine.estimate(request, now))

    async def reset(self) -> None:
        """Cancel all orders, drop all positions, and give every account its first balance again."""
        await self._run(lambda engine, now: engine.reset(now))

    async def get_order(self, ref: OrderRef) -> OrderLookup:
        """Look an order up among all that there ever were."""
        self._venue.engine.state.account(ref.account)
        order = await self._find(ref)
        evidence = Evidence.ABSENT if order is None else Evidence.FOUND
        return OrderLookup(evidence=evidence, order=order, complete=True, as_of=self._context.clock.now())

    async def _find(self, ref: OrderRef) -> Order | None:
        await self._run(_passed)
        return await self._venue.read(
            lambda store: store.order(ref.account.account_id, ref.client_order_id, ref.venue_order_id)
        )

    async def list_orders(
        self, account: AccountKey, *, open_only: bool = True, since: Ns | None = None, cursor: str | None = None
    ) -> Page[Order]:
        """Return orders as they were taken, 500 a page."""
        self._venue.engine.state.account(account)
        await self._run(_passed)
        after = place_of(cursor or "0", self._venue.engine.state.counters.order)
        rows = await self._venue.read(
            lambda store: store.orders(
                account.account_id, open_only=open_only, since=since or 0, after=after, limit=_LISTED + 1
            )
        )
        return _page(rows)

    async def list_fills(
        self, account: AccountKey, *, since: Ns | None = None, cursor: str | None = None
    ) -> Page[Fill]:
        """Return fills as they happened, 500 a page."""
        self._venue.engine.state.account(account)
        after = place_of(cursor or "0", self._venue.engine.state.counters.event)
        rows = await self._venue.read(
            lambda store: store.fills(account.account_id, since=since or 0, after=after, limit=_LISTED + 1)
        )
        return _page(rows)

    def events(self, *, after: str | None = None) -> AbstractAsyncContextManager[Items[BrokerEvent]]:
        """Open the stream of events; see ``Broker.events``. It begins here and now: a command does not wait for it."""
        return super().events(after=str(self._venue.engine.state.counters.event) if after is None else after)

    async def run_events(self, sink: Sink[BrokerEvent], after: str | None) -> None:
        """Put orders and fills into the sink from a cursor on, none twice and none left out, and the reports of what
        they changed.
        """

        async def read(place: int) -> list[Event]:
            rows = await self._venue.read(lambda store: store.events(place, PAGE))
            return [(event, str(seq)) for seq, event in rows]

        start = place_of(after, self._venue.engine.state.counters.event)
        await self._feed.listen(sink, read, start, self._lock)


def _passed(engine: Engine, now: Ns) -> State:
    engine.pass_time(now)
    return engine.state


def _page(rows: list[tuple[int, T]]) -> Page[T]:
    cursor = str(rows[_LISTED - 1][0]) if len(rows) > _LISTED else None
    return Page(items=[row for _, row in rows[:_LISTED]], cursor=cursor)
