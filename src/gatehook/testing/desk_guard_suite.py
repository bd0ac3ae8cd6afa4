"""The desk statements about what may be sent: whose money, how much, how often, and who said so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import asynccontextmanager
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any
from typing import ClassVar

import anyio
import attrs
import pytest

from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import Mode
from gatehook.kinds.broker import Broker
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import Halted
from gatehook.kinds.errors import ModeNotAllowed
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import Rejected
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.testing.desk_doubt_suite import proven_absent
from gatehook.testing.desk_doubt_suite import ready
from gatehook.testing.desk_doubt_suite import unknown
from gatehook.testing.desk_probes import becomes
from gatehook.testing.desk_probes import journaled
from gatehook.testing.desk_probes import refused
from gatehook.testing.rig import BrokerRig
from gatehook.testing.rig import Fault
from gatehook.testing.rig import eventually
from gatehook.testing.statements import Suite


@pytest.mark.anyio
class GuardStatements(Suite):
    """Nothing leaves that is not allowed, for every caller and every broker."""

    suite: ClassVar[str] = "desk"

    async def test_13_a_paper_gateway_trades_no_account_that_is_not_paper(
        self, rig: BrokerRig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for mode in (Mode.DEMO, Mode.LIVE):
            await trades_nothing(rig, monkeypatch, mode)

    async def test_42_the_budget_is_shared_a_venues_word_about_time_is_kept_and_orders_go_before_reads(
        self, rig: BrokerRig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rig.needs(Fault.RATE_LIMIT, Fault.BAN)
        await ready(rig)
        refusals = Refusals(rig, monkeypatch)
        other = rig.host.broker(rig.entry, caller="another caller")
        for fault in (Fault.RATE_LIMIT, Fault.BAN):
            async with refusals.of(fault):
                await nothing_leaves(rig, partial(other.submit_order, rig.order(OrderType.LIMIT)))
                await nothing_leaves(rig, partial(other.account, rig.account))
            await passes(rig)
        async with refusals.of(Fault.RATE_LIMIT):
            calls = await in_turn(rig, monkeypatch)
        assert calls == ["submit_order", "list_instruments"]

    async def test_48_concurrent_closes_never_add_up_to_more_than_the_position(
        self, rig: BrokerRig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rig.declares("supportsClosePosition", rig.declared.close_position)
        await ready(rig)
        opening = rig.order(quantity=2 * rig.lot)
        await rig.handle.submit_order(opening)
        await becomes(rig, opening, OrderStatus.FILLED)
        (position,) = (await rig.broker.list_positions(rig.account)).positions
        ref = PositionRef(account=rig.account, instrument_id=rig.instrument.id, position_id=position.position_id)
        closes = Held(rig, monkeypatch)
        part = position.quantity if rig.declared.close_position == "whole" else rig.lot
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(closes.close, ref, part)
            await closes.all_decided(5)
            assert closes.quantity <= position.quantity, "more is on its way than there is to close"
            closes.go_on.set()
        assert closes.quantity == position.quantity, "what could be closed was refused"
        assert await rig.position() == 0

    async def test_49_a_mode_that_cannot_be_proven_is_live(
        self, rig: BrokerRig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await trades_nothing(rig, monkeypatch, None)

    async def test_52_after_an_approval_everything_is_checked_again(self, rig: BrokerRig) -> None:
        if rig.asked is None:
            pytest.skip("the rig has no caller whose orders need an approval")
        await ready(rig)
        halted, sent = rig.order(OrderType.LIMIT), rig.order(OrderType.LIMIT)
        approval = await asked_for(rig, halted)
        await rig.desk.halt("all", reason="statement 52", by="suite")
        await refused(rig, Halted, lambda: rig.desk.approve(approval, person="suite"))
        await rig.desk.resume("all", reason="statement 52", by="suite")
        await rig.desk.approve(await asked_for(rig, sent), person="suite")
        assert (await journaled(rig, sent)).status is OrderStatus.ACCEPTED

    async def test_53_an_unknown_keeps_its_reservation(self, rig: BrokerRig) -> None:
        rig.needs(Fault.DROP_REQUEST, Fault.INCOMPLETE)
        await ready(rig)
        before = await in_use(rig)
        if before is None:
            pytest.skip("the rig's configuration limits no open orders")
        lost = rig.order(OrderType.LIMIT)
        async with rig.venue.fault(Fault.INCOMPLETE):
            await unknown(rig, lost)
            assert await in_use(rig) == before + 1
        await proven_absent(rig, lost)
        await eventually(lambda: in_use(rig), lambda use: use == before)  # the journal is read before the guard is told


class Refusals:
    """Refusals of the venue for too many requests: of an order, or of what the desk read in the meantime."""

    def __init__(self, rig: BrokerRig, monkeypatch: pytest.MonkeyPatch) -> None:
        self._rig = rig
        self._came = anyio.Event()
        for name in ("submit_order", "get_account", "list_accounts", "list_orders", "list_fills", "list_positions"):
            monkeypatch.setattr(rig.broker, name, self._noting(getattr(rig.broker, name)))

    def _noting(self, through: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return await through(*args, **kwargs)
            except RateLimited:
                self._came.set()
                raise

        return call

    async def _submit(self) -> None:
        with suppress(Denied):  # a reconciliation that the venue refused closes the account before the order leaves
            await self._rig.handle.submit_order(self._rig.order(OrderType.LIMIT))

    @asynccontextmanager
    async def of(self, fault: Fault) -> AsyncIterator[None]:
        """Submit an order under a fault; the block begins with the first refusal. The order is waited for behind it."""
        self._came = anyio.Event()
        async with self._rig.venue.fault(fault), anyio.create_task_group() as tasks:
            tasks.start_soon(self._submit)
            with anyio.fail_after(10):
                await self._came.wait()
            yield


class Held:
    """Position closes that are held back on their way to the venue."""

    def __init__(self, rig: BrokerRig, monkeypatch: pytest.MonkeyPatch) -> None:
        self._rig = rig
        self._decided = 0
        self._more = anyio.Event()
        self._through = rig.broker.close_position
        self.go_on = anyio.Event()
        self.quantity = Decimal(0)
        monkeypatch.setattr(rig.broker, "close_position", self._hold)

    async def _hold(self, ref: PositionRef, *, quantity: Decimal | None = None, command_id: str) -> Order:
        assert quantity is not None
        self.quantity += quantity
        self._decide()
        await self.go_on.wait()
        return await self._through(ref, quantity=quantity, command_id=command_id)

    async def close(self, ref: PositionRef, quantity: Decimal) -> None:
        """Ask the desk for a close, which may refuse it."""
        try:
            await self._rig.handle.close_position(ref, quantity=quantity)
        except ProviderError:
            self._decide()

    def _decide(self) -> None:
        self._decided += 1
        self._more.set()
        self._more = anyio.Event()

    async def all_decided(self, count: int) -> None:
        """Wait until so many closes were refused or are held."""
        with anyio.fail_after(10):
            while self._decided < count:
                await self._more.wait()


def proves(rig: BrokerRig, monkeypatch: pytest.MonkeyPatch, mode: Mode | None) -> None:
    """Let the broker prove another mode of all its accounts from its next start on; ``None``: list none of them."""
    kind = type(rig.broker)
    listed = kind.list_accounts

    async def list_accounts(broker: Broker) -> Sequence[AccountRef]:
        return [attrs.evolve(one, mode=mode) for one in await listed(broker)] if mode else []

    monkeypatch.setattr(kind, "list_accounts", list_accounts)


async def trades_nothing(rig: BrokerRig, monkeypatch: pytest.MonkeyPatch, mode: Mode | None) -> None:
    """Check that nothing is sent while the broker proves this mode, or lists no account."""
    before = await rig.venue.requests()
    with monkeypatch.context() as patch:
        proves(rig, patch, mode)
        handle = await rig.restart()
        with pytest.raises(ModeNotAllowed):
            await handle.submit_order(rig.order(OrderType.LIMIT))
    await rig.restart()
    assert await rig.venue.requests() == before


async def nothing_leaves(rig: BrokerRig, command: Callable[[], Awaitable[object]]) -> None:
    """Check that a command waits or is refused as long as the venue wants to be left alone."""
    before = await rig.venue.requests()
    with anyio.move_on_after(0.05):
        with pytest.raises(Denied):
            await command()
    assert await rig.venue.requests() == before


async def in_turn(rig: BrokerRig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ask for a read and then for an order while the budget is closed; return which came to the broker when."""
    calls: list[str] = []
    request = rig.order(OrderType.LIMIT)

    def log(name: str, is_ours: Callable[..., bool]) -> None:
        through = getattr(rig.broker, name)

        async def logged(*args: Any, **kwargs: Any) -> Any:
            if is_ours(*args, **kwargs):
                calls.append(name)
            return await through(*args, **kwargs)

        monkeypatch.setattr(rig.broker, name, logged)

    log("submit_order", lambda one: one.client_order_id == request.client_order_id)
    log("list_instruments", lambda *, query=None: query == "nothing has this name")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rig.handle.instruments, "nothing has this name")
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(rig.handle.submit_order, request)
    return calls


async def passes(rig: BrokerRig) -> None:
    """Wait until the desk lets an order through again."""
    with anyio.fail_after(10):
        while True:
            try:
                order = await rig.handle.submit_order(rig.order(OrderType.LIMIT))
            except (Denied, Rejected):
                await anyio.sleep(0.02)
            else:
                if order.status is OrderStatus.ACCEPTED:
                    return


async def asked_for(rig: BrokerRig, request: OrderRequest) -> str:
    """Submit an order that needs an approval; return the approval's id."""
    assert rig.asked is not None
    before = await rig.venue.requests()
    order = await rig.asked.submit_order(request)
    assert order.status is OrderStatus.INITIALIZED
    assert await rig.venue.requests() == before
    approval = rig.desk.guard.approvals.of_command(request.client_order_id)
    assert approval is not None
    return approval.approval_id


async def in_use(rig: BrokerRig) -> Decimal | None:
    """Return how many orders count as open, ``None`` where nothing limits them."""
    rows = [one for one in rig.desk.guard.limits.use(rig.account) if one.limit == "max_open_orders"]
    return rows[0].use if rows else None
