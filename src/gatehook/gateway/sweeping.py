"""Canceling orders and closing positions of some scopes: what an operator does beside a halt.

Orders that can open risk are canceled first, then positions are closed, then protection is canceled: a position that
was not closed keeps its protection.
"""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import Final
from uuid import uuid4

import anyio
import attrs

from gatehook.diagnostics import GatehookError
from gatehook.gateway.brokers import Brokers
from gatehook.gateway.halting import covers
from gatehook.gateway.halting import own_of_hedged
from gatehook.gateway.halting import own_of_netted
from gatehook.kinds.accounts import Position
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.amounts import plain
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.orders import Desk
from gatehook.orders.canceling import is_protective
from gatehook.orders.reading import UNBOUNDED

_AT_ONCE: Final = 8
_MOST: Final = 10_000


@attrs.frozen(kw_only=True)
class Wanted:
    """What is to be swept. ``flatten`` closes positions, and cancels what protected those that are closed.

    Attributes:
        scopes: as those of a halt. A position belongs to an account, so a subscription has none.
        protective: also cancel orders that can only reduce.
        external: also what others did at the venue.
    """

    scopes: tuple[str, ...]
    flatten: bool = False
    protective: bool = False
    external: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "scopes": list(self.scopes),
            "flatten": self.flatten,
            "include_protective": self.protective,
            "include_external": self.external,
        }


@attrs.define
class Swept:
    """What was found, done, left on purpose, and could not be done: lines of what, and why."""

    canceled: list[str] = attrs.field(factory=list)
    closed: list[str] = attrs.field(factory=list)
    left: list[str] = attrs.field(factory=list)
    failed: list[str] = attrs.field(factory=list)

    def to_json(self) -> Mapping[str, Any]:
        """Return it as plain JSON values."""
        return {"schemaVersion": 1, **attrs.asdict(self)}


@attrs.frozen
class _Close:
    position: Position
    quantity: Decimal


class Sweep:
    """One sweep through all brokers."""

    def __init__(self, desk: Desk, brokers: Brokers, wanted: Wanted) -> None:
        self._desk = desk
        self._brokers = brokers
        self._wanted = wanted
        self._open: set[tuple[AccountKey, str]] = set()
        self._blind = False
        self.swept = Swept()

    async def run(self, *, dry_run: bool = False) -> Swept:
        """Sweep, or only say what would be swept."""
        orders = await self._orders()
        entries = [order for order in orders if not is_protective(order)]
        await self._each(entries, self._note_order if dry_run else self._cancel)
        if self._wanted.flatten:
            await self._each(await self._closes(), self._note_close if dry_run else self._close)
            if not dry_run:
                await self._look_again()
        protective = [order for order in orders if is_protective(order)]
        await self._each(protective, self._note_protection if dry_run else self._cancel_protection)
        return self.swept

    async def _orders(self) -> list[Order]:
        found = []
        for order in await self._brokers.orders(open_only=True, limit=_MOST):
            if not covers(self._wanted.scopes, order.request.account, order.owner):
                continue
            if order.status is OrderStatus.INITIALIZED:
                self.swept.left.append(f"{_order(order)}: it waits for a person, nothing of it is at the venue")
            elif order.origin is OrderOrigin.GATEWAY or order.owner or self._wanted.external:
                found.append(order)
            else:
                self.swept.left.append(f"{_order(order)}: placed outside the gateway (--include-external)")
        return found

    async def _each(self, items: Iterable[Any], act: Callable[[Any], Awaitable[None]]) -> None:
        places = anyio.CapacityLimiter(_AT_ONCE)

        async def one(item: Any) -> None:
            async with places:
                await act(item)

        async with anyio.create_task_group() as tasks:
            for item in items:
                tasks.start_soon(one, item)

    # --- orders

    async def _note_order(self, order: Order) -> None:
        self.swept.canceled.append(_order(order))

    async def _cancel(self, order: Order) -> None:
        what = _order(order)
        if order.status is OrderStatus.UNKNOWN and order.venue_order_id is None:
            self.swept.failed.append(f"{what}: its outcome is not known, so there is nothing to cancel yet")
            return
        try:
            handle = self._brokers.handle(order.request.account.entry_id)
            now = await self._desk.canceling.cancel(
                handle.entry_id, order.ref, _new_id(), handle.caller, insisted=self._wanted.protective
            )
        except OrderNotCancellable as ended:  # it went with its position, or it filled meanwhile
            self.swept.canceled.append(f"{what}: {ended}")
            return
        except (ProviderError, GatehookError) as error:
            self.swept.failed.append(f"{what}: {error}")
            return
        if now.status is OrderStatus.PENDING_CANCEL:
            self.swept.failed.append(f"{what}: it is not known whether it was canceled")
        else:
            self.swept.canceled.append(f"{what}: {now.status}")

    async def _note_protection(self, order: Order) -> None:
        if self._may_unprotect(order):
            self.swept.canceled.append(_order(order))

    async def _cancel_protection(self, order: Order) -> None:
        if self._may_unprotect(order):
            await self._cancel(order)

    def _may_unprotect(self, order: Order) -> bool:
        """Say whether protection may go; say why not where it may not."""
        if self._wanted.protective:
            return True
        request = order.request
        if not self._wanted.flatten:
            self.swept.left.append(f"{_order(order)}: it can only reduce (--include-protective)")
            return False
        if self._blind or (request.account, str(request.instrument_id)) in self._open:
            self.swept.left.append(f"{_order(order)}: its position is still open, or may be")
            return False
        return True

    # --- positions

    async def _closes(self) -> Sequence[_Close]:
        reports, problems = await self._brokers.positions()
        self.swept.failed += problems
        found = []
        for report in reports:
            if not covers(self._wanted.scopes, report.account, ""):
                continue
            if not report.complete:
                self.swept.failed.append(f"{report.account}: its report of positions is not complete")
            for position in report.positions:
                try:
                    close = await self._close_of(position)
                except (ProviderError, GatehookError) as error:
                    self._keep_open(position)
                    self.swept.failed.append(f"{_position(position)}: whose it is is not known: {error}")
                else:
                    found += [] if close is None else [close]
        return found

    async def _look_again(self) -> None:
        """Take the venues' word for what is still open: only what is not may lose its protection."""
        reports, problems = await self._brokers.positions()
        self.swept.failed += problems
        answered = {report.account for report in reports if report.complete}
        for report in reports:
            if report.complete:
                self._desk.guard.exposure.apply_positions(report)
                for position in report.positions:
                    self._keep_open(position)
        self._blind = problems != [] or len(answered) != len(reports)

    async def _close_of(self, position: Position) -> _Close | None:
        quantity = position.quantity if self._wanted.external else await self._own(position)
        if quantity < position.quantity:
            self._keep_open(position)
            outside = plain(position.quantity - quantity)
            self.swept.left.append(f"{_position(position)}: {outside} are from outside (--include-external)")
        return _Close(position, quantity) if quantity else None

    async def _own(self, position: Position) -> Decimal:
        """How much of a position the gateway's own orders explain."""
        account = position.account
        state = await self._brokers.handle(account.entry_id).account(account)
        if state.position_mode is PositionMode.HEDGING:
            return own_of_hedged(position, await self._brokers.own_fills(account, position.instrument_id))
        return own_of_netted(position, await self._desk.journal.orders(accounts=[account], limit=UNBOUNDED))

    def _keep_open(self, position: Position) -> None:
        self._open.add((position.account, str(position.instrument_id)))

    async def _note_close(self, close: _Close) -> None:
        self.swept.closed.append(f"{_position(close.position)}: {plain(close.quantity)}")

    async def _close(self, close: _Close) -> None:
        position, what = close.position, _position(close.position)
        ref = PositionRef(
            account=position.account, instrument_id=position.instrument_id, position_id=position.position_id
        )
        quantity = None if close.quantity == position.quantity else close.quantity
        try:
            handle = self._brokers.handle(position.account.entry_id)
            order = await handle.close_position(ref, quantity=quantity, command_id=_new_id())
        except (ProviderError, GatehookError) as error:
            self._keep_open(position)
            self.swept.failed.append(f"{what}: {error}")
            return
        if order.status is OrderStatus.FILLED:
            self.swept.closed.append(f"{what}: {plain(order.filled)} by the order {order.request.client_order_id}")
        else:
            self._keep_open(position)
            self.swept.failed.append(
                f"{what}: its closing order {order.request.client_order_id} is {order.status},"
                f" {plain(order.filled)} filled"
            )


def _order(order: Order) -> str:
    request = order.request
    return (
        f"order {request.client_order_id} {request.account} {request.side} {plain(order.leaves)}"
        f" {request.quantity_unit} {request.instrument_id}"
    )


def _position(position: Position) -> str:
    return (
        f"position {position.position_id} {position.account} {position.side} {plain(position.quantity)}"
        f" {position.quantity_unit} {position.instrument_id}"
    )


def _new_id() -> str:
    return f"sweep-{uuid4().hex[:22]}"
