"""Unknown orders: made by crashes too, resolved on the venue's evidence only, visible until then."""

from __future__ import annotations

import anyio
import attrs
import pytest

from gatehook.kinds.broker import Evidence
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.provider import HealthStatus
from gatehook.orders import Journal
from tests.orders.conftest import eventually
from tests.orders.conftest import reconciled
from tests.orders.venue import CAPABILITIES
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


async def crashed(floor, *, arrived: bool) -> None:
    """Leave the journal as a gateway does that was killed between the intent and the reply."""
    async with await Journal.open(floor.path, clock=floor.clock) as journal:
        await journal.claim(Order.of(limit("a"), OrderStatus.SUBMITTED), "digest", "default:paper")
    if arrived:
        floor.venue.accept(limit("a"))


async def test_statement_06_after_a_crash_the_order_is_unknown(floor):
    await crashed(floor, arrived=True)
    floor.venue.instead["list_orders"] = NotConnected("down")
    async with floor():
        assert [one.request.client_order_id for one in floor.desk.unknown_orders()] == ["a"]
        assert floor.desk.health().status is HealthStatus.DEGRADED
        assert floor.sent() == 0


async def test_statement_06_and_then_what_the_venue_says(floor):
    await crashed(floor, arrived=True)
    async with floor(events=True):
        await eventually(lambda: not floor.desk.unknown_orders())
        assert (await floor.handle.order("a")).status is OrderStatus.ACCEPTED
        await reconciled(floor)
        assert floor.desk.health().status is HealthStatus.OK


async def test_statement_15_proven_absence_is_rejected_and_the_id_stays_used(floor):
    await crashed(floor, arrived=False)
    async with floor(events=True):
        await eventually(lambda: not floor.desk.unknown_orders())
        order = await floor.handle.order("a")
        assert (order.status, order.reason.code) == (OrderStatus.REJECTED, "not_found")
        assert floor.sent() == 0


def answering(evidence, *, complete=True):
    async def lookup(ref):
        return OrderLookup(evidence=evidence, complete=complete, as_of=1)

    return lookup


@pytest.mark.parametrize(
    ("lookup", "proof"),
    [
        (answering(Evidence.ABSENT), AbsenceProof.NONE),
        (answering(Evidence.ABSENT, complete=False), AbsenceProof.SCAN),
        (answering(Evidence.INDETERMINATE), AbsenceProof.SCAN),
    ],
)
async def test_statement_15_without_a_proof_unknown_stays_unknown(floor, lookup, proof):
    await crashed(floor, arrived=False)
    floor.broker.on_lookup = lookup
    async with floor(events=True, capabilities=attrs.evolve(CAPABILITIES, absence_proof=proof)):
        await eventually(lambda: floor.sent("get_order") >= 3)
        assert len(floor.desk.unknown_orders()) == 1


async def test_a_lookup_that_fails_proves_nothing_and_is_repeated(floor):
    await crashed(floor, arrived=True)

    async def fails_twice(ref):
        if floor.sent("get_order") == 1:
            raise ZeroDivisionError
        if floor.sent("get_order") == 2:
            return "found"
        floor.broker.on_lookup = None
        return OrderLookup(evidence=Evidence.FOUND, order=floor.venue.orders["a"], complete=True, as_of=1)

    floor.broker.on_lookup = fails_twice
    async with floor(events=True):
        await eventually(lambda: not floor.desk.unknown_orders())


async def test_an_accepted_order_that_is_gone_from_a_complete_report_is_unknown(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
    del floor.venue.orders["a"]
    async with floor(events=True):
        await eventually(floor.desk.unknown_orders)
        assert (await floor.handle.order("a")).status is OrderStatus.UNKNOWN


async def test_an_unknown_made_while_running_is_looked_up_at_once(floor):
    async def accepts_and_drops(request):
        floor.venue.accept(request)
        raise ConnectionResetError

    async with floor(events=True):
        floor.broker.on_submit = accepts_and_drops
        await reconciled(floor)
        with floor.bus.subscribe("account.*") as events:
            assert (await floor.handle.submit_order(limit("a"))).status is OrderStatus.UNKNOWN
            await eventually(lambda: not floor.desk.unknown_orders())
            topics = [event.topic.rpartition(".")[2] for event in await events.batch()]
        assert topics == ["submitted", "unknown", "accepted"]
        with anyio.fail_after(30):
            assert (await floor.handle.submit_order(limit("a"))).venue_order_id == "V1"


async def test_what_opening_the_journal_found_is_reported(floor):
    await crashed(floor, arrived=True)
    with floor.path.with_name("journal.sqlite-wal").open("wb") as wal:
        wal.write(b"torn")
    async with await Journal.open(floor.path, clock=floor.clock) as journal:
        await journal.claim(Order.of(limit("b"), OrderStatus.SUBMITTED), "digest", "default:paper")
        whole = floor.path.with_name("journal.sqlite-wal").read_bytes()
        main = floor.path.read_bytes()
    floor.path.write_bytes(main)
    floor.path.with_name("journal.sqlite-wal").write_bytes(whole[:-100])
    async with floor():
        assert [one.code for one in floor.diagnostics] == ["journal.torn-tail"]
