"""The desk statements about doubt: what is not proven, and how it comes to be."""

from __future__ import annotations

from typing import ClassVar

import pytest

from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.provider import HealthStatus
from gatehook.testing.desk_probes import becomes
from gatehook.testing.desk_probes import journaled
from gatehook.testing.desk_probes import reconciled
from gatehook.testing.rig import BrokerRig
from gatehook.testing.rig import Fault
from gatehook.testing.rig import eventually
from gatehook.testing.statements import Suite

#: How often a venue that proves nothing is asked before the statement believes that nothing comes of it.
OFTEN = 4


@pytest.mark.anyio
class DoubtStatements(Suite):
    """An outcome that is not proven is unknown, and stays so until the venue's evidence."""

    suite: ClassVar[str] = "desk"

    async def test_14_before_the_first_byte_the_id_stays_free_and_after_it_nothing_is_sent_again(
        self, rig: BrokerRig
    ) -> None:
        rig.needs(Fault.REFUSE_CONNECTION, Fault.DROP_REPLY)
        await ready(rig)
        request = rig.order(OrderType.LIMIT)
        async with rig.venue.fault(Fault.REFUSE_CONNECTION):
            with pytest.raises(NotConnected):
                await rig.handle.submit_order(request)
        await ready(rig)
        before = await rig.venue.requests()
        async with rig.venue.fault(Fault.DROP_REPLY):
            await rig.handle.submit_order(request)
        await becomes(rig, request, OrderStatus.ACCEPTED)
        await rig.handle.submit_order(request)
        assert await rig.venue.requests() == before + 1

    async def test_15_an_unknown_is_resolved_by_evidence_and_never_by_asking_often(self, rig: BrokerRig) -> None:
        rig.needs(Fault.DROP_REPLY, Fault.DROP_REQUEST, Fault.INCOMPLETE)
        found, lost = rig.order(OrderType.LIMIT), rig.order(OrderType.LIMIT)
        async with rig.venue.fault(Fault.DROP_REPLY):
            await rig.handle.submit_order(found)
        await becomes(rig, found, OrderStatus.ACCEPTED)
        async with rig.venue.fault(Fault.INCOMPLETE):
            await unknown(rig, lost)
            for _ in range(OFTEN):
                await reconciled(rig)
            assert (await journaled(rig, lost)).status is OrderStatus.UNKNOWN
        await proven_absent(rig, lost)

    async def test_17_nothing_is_sent_again_but_after_a_proven_refusal(self, rig: BrokerRig) -> None:
        rig.needs(Fault.UNMAPPED_CODE, Fault.LATE_RATE_LIMIT)
        for fault in (Fault.UNMAPPED_CODE, Fault.LATE_RATE_LIMIT):
            request = rig.order(OrderType.LIMIT)
            before = await rig.venue.requests()
            async with rig.venue.fault(fault):
                await rig.handle.submit_order(request)
            await becomes(rig, request, OrderStatus.ACCEPTED)
            await reconciled(rig)
            assert await rig.venue.requests() == before + 1, f"it was sent again after: {fault}"

    async def test_46_health_is_ok_if_and_only_if_nothing_is_open(self, rig: BrokerRig) -> None:
        rig.needs(Fault.DROP_REQUEST, Fault.INCOMPLETE)
        await healthy(rig)
        lost = rig.order(OrderType.LIMIT)
        async with rig.venue.fault(Fault.INCOMPLETE):
            await unknown(rig, lost)
            health = rig.handle.health()
            assert health.status is HealthStatus.DEGRADED
            assert any("1" in reason for reason in health.reasons), health.reasons
        await proven_absent(rig, lost)
        await healthy(rig)


async def unknown(rig: BrokerRig, request: OrderRequest) -> None:
    """Submit an order that is lost on its way; nobody can tell that from one whose answer is."""
    async with rig.venue.fault(Fault.DROP_REQUEST):
        assert (await rig.handle.submit_order(request)).status is OrderStatus.UNKNOWN


async def proven_absent(rig: BrokerRig, request: OrderRequest) -> None:
    """Check that a lost order is rejected by the proof that the plugin declares, or without one by a person alone."""
    if rig.declared.absence_proof is AbsenceProof.NONE:
        for _ in range(OFTEN):
            await reconciled(rig)
        assert (await journaled(rig, request)).status is OrderStatus.UNKNOWN
        await rig.desk.by_hand.resolve(
            request.client_order_id,
            status=OrderStatus.REJECTED,
            filled=None,
            price=None,
            evidence="the venue's support says that it never came",
            person="suite",
        )
    order = await becomes(rig, request, OrderStatus.REJECTED)
    assert order.filled == 0


async def ready(rig: BrokerRig) -> None:
    """Wait until the entry runs, and its accounts are open for trading."""

    async def is_open() -> bool:
        try:
            rig.desk.entry(rig.entry)
            rig.desk.reconciliations.check(rig.account)
        except ProviderError:
            return False
        return True

    await eventually(is_open, bool, 10)


async def healthy(rig: BrokerRig) -> None:
    """Wait until the desk says that the entry is well."""

    async def status() -> HealthStatus:
        return rig.handle.health().status

    await eventually(status, lambda one: one is HealthStatus.OK, 10)
