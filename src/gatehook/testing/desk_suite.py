"""The desk statements: what holds for any broker behind its handle, because the desk gives it to every provider."""

from __future__ import annotations

from typing import ClassVar

import anyio
import attrs
import pytest

from gatehook.kinds.errors import AccountNotAllowed
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.testing.broker_suite import balanced
from gatehook.testing.desk_doubt_suite import DoubtStatements
from gatehook.testing.desk_guard_suite import GuardStatements
from gatehook.testing.desk_probes import ended
from gatehook.testing.desk_probes import journaled
from gatehook.testing.desk_probes import spied
from gatehook.testing.desk_reconciling_suite import ReconcilingStatements
from gatehook.testing.disk import Disk
from gatehook.testing.rig import BrokerRig
from gatehook.testing.rig import eventually


@pytest.mark.anyio
class DeskSuite(DoubtStatements, ReconcilingStatements, GuardStatements):
    """Inherit it, and give a fixture ``rig`` that yields a ``BrokerRig``."""

    suite: ClassVar[str] = "desk"

    async def test_01_the_same_order_twice_is_one_order(self, rig: BrokerRig) -> None:
        request = rig.order(OrderType.LIMIT, tags=("b", "a"))
        first = await rig.handle.submit_order(request)
        before = await rig.venue.requests()
        price = None if request.price is None else f"{request.price}0"
        again = await rig.handle.submit_order(attrs.evolve(request, price=price, tags=("a", "b")))
        assert again.venue_order_id == first.venue_order_id
        assert await rig.venue.requests() == before

    async def test_02_the_same_id_with_other_content_is_refused(self, rig: BrokerRig) -> None:
        request = rig.order(OrderType.LIMIT)
        await rig.handle.submit_order(request)
        before = await rig.venue.requests()
        with pytest.raises(DuplicateClientOrderId):
            await rig.handle.submit_order(attrs.evolve(request, quantity=2 * rig.lot))
        assert await rig.venue.requests() == before

    async def test_03_an_id_stays_taken_after_its_order_ended_and_after_a_restart(self, rig: BrokerRig) -> None:
        request = rig.order()
        await rig.handle.submit_order(request)
        filled = await ended(rig, request)
        assert filled.status is OrderStatus.FILLED
        await rig.host.restart(rig.account.entry_id)
        handle = rig.host.broker(rig.account.entry_id, caller="suite")
        assert (await handle.submit_order(request)).venue_order_id == filled.venue_order_id
        with pytest.raises(DuplicateClientOrderId):
            await handle.submit_order(attrs.evolve(request, quantity=2 * rig.lot))

    async def test_04_two_submits_at_once_are_one_order(self, rig: BrokerRig) -> None:
        request, found = rig.order(OrderType.LIMIT), []

        async def submit() -> None:
            found.append(await rig.handle.submit_order(request))

        before = await rig.venue.requests()
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(submit)
        assert len({one.venue_order_id for one in found}) == 1
        assert await rig.venue.requests() == before + 1

    async def test_05_an_id_over_the_venues_limit_is_denied(self, rig: BrokerRig) -> None:
        before = await rig.venue.requests()
        with pytest.raises(InvalidOrder):
            await rig.handle.submit_order(rig.order(client_order_id="x" * (rig.declared.client_order_id_length + 1)))
        assert await rig.venue.requests() == before

    async def test_06_the_intent_is_on_disk_before_the_provider_is_called(
        self, rig: BrokerRig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = spied(rig, monkeypatch)
        request = rig.order(OrderType.LIMIT)
        await rig.handle.submit_order(request)
        assert seen == {request.client_order_id: 1}

    async def test_11_an_account_that_is_not_allowed_is_refused_everywhere(self, rig: BrokerRig) -> None:
        rig.declares("an account outside allowedAccounts", rig.forbidden)
        stranger = rig.forbidden
        assert stranger is not None
        before = await rig.venue.requests()
        for call in (
            lambda: rig.handle.submit_order(rig.order(account=stranger)),
            lambda: rig.handle.account(stranger),
            lambda: rig.handle.positions(stranger),
        ):
            with pytest.raises(AccountNotAllowed):
                await call()
        assert await rig.venue.requests() == before

    async def test_22_quantities_add_up_in_the_journal(self, rig: BrokerRig) -> None:
        for request in (rig.order(), rig.order(OrderType.LIMIT)):
            balanced(await rig.handle.submit_order(request))
        for order in await rig.handle.orders(open_only=False):
            balanced(order)
            fills = [one for one in await rig.handle.fills() if one.client_order_id == order.request.client_order_id]
            assert order.filled >= sum(one.quantity for one in fills)

    async def test_30_a_fill_told_twice_is_one_fill(self, rig: BrokerRig) -> None:
        rig.declares("supportsEvents", rig.declared.events)
        request = rig.order()
        await rig.handle.submit_order(request)
        await ended(rig, request)
        await eventually(rig.handle.fills, lambda fills: len(fills) > 0)
        before = await rig.handle.fills()
        await rig.host.restart(rig.account.entry_id)
        handle = rig.host.broker(rig.account.entry_id, caller="suite")
        assert await handle.fills() == before
        assert len({one.key for one in before}) == len(before)

    async def test_47_cancelling_the_caller_cancels_neither_the_send_nor_its_outcome(
        self, rig: BrokerRig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sending, go_on = anyio.Event(), anyio.Event()
        submit = rig.broker.submit_order

        async def slowly(request: OrderRequest) -> Order:
            sending.set()
            await go_on.wait()
            return await submit(request)

        monkeypatch.setattr(rig.broker, "submit_order", slowly)
        request = rig.order(OrderType.LIMIT)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rig.handle.submit_order, request)
            await sending.wait()
            tasks.cancel_scope.cancel()
        go_on.set()
        await eventually(lambda: journaled(rig, request), lambda order: order.status is OrderStatus.ACCEPTED)

    async def test_50_without_storage_nothing_new_leaves_and_cancels_still_work(
        self, disk: Disk, rig: BrokerRig
    ) -> None:
        resting = await rig.handle.submit_order(rig.order(OrderType.LIMIT))
        disk.fill()
        for _ in range(300):
            before = await rig.venue.requests()
            try:
                await rig.handle.submit_order(rig.order(OrderType.LIMIT))
            except StorageUnavailable:
                break
        else:
            pytest.fail("the disk never got full")
        assert await rig.venue.requests() == before
        canceled = await rig.handle.cancel_order(resting.ref)
        assert canceled.status is OrderStatus.CANCELED

    async def test_51_a_known_id_is_answered_before_anything_else_is_asked(self, rig: BrokerRig) -> None:
        request = rig.order(OrderType.LIMIT)
        first = await rig.handle.submit_order(request)
        await rig.venue.quote(rig.bid * 2, rig.ask * 2)
        again = await rig.handle.submit_order(request)
        assert again.request.client_order_id == first.request.client_order_id
        await rig.desk.halt("all", reason="statement 51", by="suite")
        before = await rig.venue.requests()
        assert (await rig.handle.submit_order(request)).venue_order_id == first.venue_order_id
        assert await rig.venue.requests() == before

    async def test_54_the_journal_survives_a_power_cut(self, rig: BrokerRig) -> None:
        assert rig.host.desk.durability == "FULL"
