"""The desk statements about reconciliation: what was missed, what is somebody else's, and what is closed until then."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pytest

from gatehook.kinds.errors import NotReconciled
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.testing.desk_doubt_suite import ready
from gatehook.testing.desk_probes import becomes
from gatehook.testing.desk_probes import reconciled
from gatehook.testing.desk_probes import refused
from gatehook.testing.rig import BrokerRig
from gatehook.testing.rig import Fault
from gatehook.testing.rig import eventually
from gatehook.testing.statements import Suite

#: A rig whose ``reconcile_every`` is longer, in seconds, cannot wait for it.
PATIENCE = 10.0


@pytest.mark.anyio
class ReconcilingStatements(Suite):
    """The journal comes to be what the venue says."""

    suite: ClassVar[str] = "desk"

    async def test_31_fills_that_were_missed_while_disconnected_appear_once_and_in_order(self, rig: BrokerRig) -> None:
        rig.needs(Fault.CUT_STREAM)
        request = rig.order(OrderType.LIMIT, quantity=3 * rig.lot)
        assert request.price is not None
        await rig.handle.submit_order(request)
        async with rig.venue.fault(Fault.CUT_STREAM):
            for step in range(3):
                ask = request.price - step * rig.instrument.price_increment
                await rig.venue.quote(ask - rig.instrument.price_increment, ask, size=rig.lot)
        await becomes(rig, request, OrderStatus.FILLED)
        fills = await eventually(rig.handle.fills, lambda found: len(found) >= 3)
        await reconciled(rig)
        again = await rig.handle.fills()
        at_venue = (await rig.broker.list_fills(rig.account)).items
        assert [one.trade_id for one in again] == [one.trade_id for one in fills] == [one.trade_id for one in at_venue]

    async def test_32_a_lost_fill_is_healed_within_the_time_declared(self, rig: BrokerRig) -> None:
        rig.needs(Fault.LOSE_FILL)
        every = rig.desk.access(rig.entry).reconcile_every
        if every > PATIENCE:
            pytest.skip(f"the rig reconciles every {every:.0f} s only")
        request = rig.order()
        async with rig.venue.fault(Fault.LOSE_FILL):
            await rig.handle.submit_order(request)
        fills = await eventually(rig.handle.fills, bool, every + 5)
        assert sum((one.quantity for one in fills), Decimal(0)) == request.quantity

    async def test_35_somebody_elses_order_is_shown_as_external_and_never_touched(self, rig: BrokerRig) -> None:
        rig.needs(Fault.STRANGER)
        async with rig.venue.fault(Fault.STRANGER):
            await reconciled(rig)
            found = await rig.handle.orders(open_only=True)
            (stranger,) = [one for one in found if one.origin is OrderOrigin.EXTERNAL]
            await rig.restart()
            await ready(rig)
            own = await rig.handle.submit_order(rig.order(OrderType.LIMIT))
            if rig.declared.cancel_all:
                results = await rig.handle.cancel_all(rig.account)
                assert {one.venue_order_id for one in results} == {own.venue_order_id}
            working = await rig.desk.access(rig.entry).provider.list_orders(rig.account)
            assert stranger.venue_order_id in {one.venue_order_id for one in working.items}

    async def test_36_reconciling_twice_changes_nothing(self, rig: BrokerRig) -> None:
        for request in (rig.order(), rig.order(OrderType.LIMIT)):
            await rig.handle.submit_order(request)
        await eventually(rig.handle.fills, bool)
        await reconciled(rig)
        before = await rig.handle.changes()
        for _ in range(2):
            await reconciled(rig)
        assert await rig.handle.changes() == before

    async def test_55_until_the_first_reconciliation_nothing_adds_risk_and_cancels_pass(self, rig: BrokerRig) -> None:
        rig.needs(Fault.INCOMPLETE)
        await ready(rig)
        resting = rig.order(OrderType.LIMIT)
        await rig.handle.submit_order(resting)
        async with rig.venue.fault(Fault.INCOMPLETE):
            handle = await rig.restart()
            await refused(rig, NotReconciled, lambda: handle.submit_order(rig.order(OrderType.LIMIT)))
            assert (await handle.cancel_order(resting.client_order_id)).status is OrderStatus.CANCELED
        await ready(rig)
        order = await handle.submit_order(rig.order(OrderType.LIMIT))
        assert order.status is OrderStatus.ACCEPTED
