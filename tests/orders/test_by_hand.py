"""What a person decides: an order that nobody can prove, and one that somebody else placed."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from gatehook.audit import read
from gatehook.kinds.broker import Evidence
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import Conflict
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotFound
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from tests.orders.conftest import reconciled
from tests.orders.venue import LIVE
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


async def lost(request):
    raise Ambiguous("no reply")


async def nothing_found(ref):
    return OrderLookup(evidence=Evidence.INDETERMINATE, complete=False, as_of=1)


async def unknown(floor):
    """Leave order ``a`` of 10 unknown; the venue cannot say."""
    await reconciled(floor)
    floor.broker.on_submit, floor.broker.on_lookup = lost, nothing_found
    order = await floor.handle.submit_order(limit("a"))
    assert order.status is OrderStatus.UNKNOWN


def resolve(floor, status, **fields):
    fields = {"evidence": "statement of 3 May, line 7", "person": "ann"} | fields
    return floor.desk.by_hand.resolve("a", status=status, **fields)


def audited(floor, kind):
    return [entry for entry in read(floor.path.parent) if entry.kind == kind]


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (OrderStatus.REJECTED, {}, (OrderStatus.REJECTED, 0, 0, 10, 0)),
        (OrderStatus.CANCELED, {}, (OrderStatus.CANCELED, 0, 0, 10, 0)),
        (OrderStatus.EXPIRED, {"filled": "4", "price": "1.2"}, (OrderStatus.EXPIRED, 4, 0, 6, Decimal("4.8"))),
        (OrderStatus.FILLED, {"filled": "10", "price": "1.2"}, (OrderStatus.FILLED, 10, 0, 0, 12)),
        (OrderStatus.ACCEPTED, {}, (OrderStatus.ACCEPTED, 0, 10, 0, 0)),
        (OrderStatus.ACCEPTED, {"filled": "4", "price": "1"}, (OrderStatus.PARTIALLY_FILLED, 4, 6, 0, 4)),
    ],
)
async def test_an_unknown_order_becomes_what_a_person_says(floor, status, fields, expected):
    async with floor(events=True):
        await unknown(floor)
        order = await resolve(floor, status, **{name: Decimal(value) for name, value in fields.items()})
        assert (order.status, order.filled, order.leaves, order.canceled, order.cost) == expected
        assert order == (await floor.handle.order("a"))
        assert floor.desk.unknown_orders() == ()
        assert await floor.handle.fills() == []
        [record] = audited(floor, "order.resolved")
        assert (record.actor, record.subject["evidence"]) == ("ann", "statement of 3 May, line 7")
    if order.status.is_final:  # a working one that the venue does not list is unknown again
        async with floor():
            assert await floor.handle.order("a") == order


@pytest.mark.parametrize(
    ("status", "fields", "words"),
    [
        (OrderStatus.CANCELED, {"evidence": " "}, "evidence"),
        (OrderStatus.SUBMITTED, {}, "status is one of"),
        (OrderStatus.FILLED, {}, "when 10 has filled"),
        (OrderStatus.CANCELED, {"filled": Decimal(10), "price": Decimal(1)}, "when 10 has filled"),
        (OrderStatus.CANCELED, {"filled": Decimal(11), "price": Decimal(1)}, "from 0"),
        (OrderStatus.CANCELED, {"filled": Decimal(-1), "price": Decimal(1)}, "from 0"),
        (OrderStatus.CANCELED, {"filled": Decimal(4)}, "price is needed"),
        (OrderStatus.REJECTED, {"filled": Decimal(4), "price": Decimal(1)}, "filled nothing"),
    ],
)
async def test_words_that_do_not_fit_change_nothing(floor, status, fields, words):
    async with floor(events=True):
        await unknown(floor)
        with pytest.raises(InvalidOrder, match=words):
            await resolve(floor, status, **fields)
        assert (await floor.handle.order("a")).status is OrderStatus.UNKNOWN
        assert audited(floor, "order.resolved") == []


async def test_an_order_that_had_been_accepted_was_not_rejected(floor):
    async with floor(events=True):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a"))
        floor.broker.on_cancel, floor.broker.on_lookup = lost, nothing_found
        assert (await floor.handle.cancel_order("a")).status is OrderStatus.PENDING_CANCEL
        with pytest.raises(InvalidOrder, match="had been accepted"):
            await resolve(floor, OrderStatus.REJECTED)
        assert (await resolve(floor, OrderStatus.CANCELED)).status is OrderStatus.CANCELED


async def test_what_is_proven_is_not_resolved_by_hand(floor):
    async with floor(events=True):
        await reconciled(floor)
        with pytest.raises(NotFound):
            await resolve(floor, OrderStatus.CANCELED)
        await floor.handle.submit_order(limit("a"))
        with pytest.raises(Conflict, match="accepted"):
            await resolve(floor, OrderStatus.CANCELED)


async def test_what_the_venue_proves_later_still_counts(floor):
    async with floor(events=True):
        await unknown(floor)
        await resolve(floor, OrderStatus.CANCELED)
        floor.venue.accept(limit("a"))
        floor.venue.fill("a", "10", "T1")
        await floor.desk.reconciliations.now("venue")
        order = await floor.handle.order("a")
        assert (order.status, order.filled) == (OrderStatus.FILLED, 10)


async def external(floor):
    theirs = floor.venue.accept(limit("theirs"))
    await reconciled(floor)
    await floor.desk.reconciliations.now("venue")
    return theirs.venue_order_id


async def test_an_order_of_somebody_else_is_given_to_an_owner(floor):
    async with floor(events=True):
        theirs = await external(floor)
        order = await floor.desk.by_hand.adopt("venue", theirs, owner="test", person="ann")
        assert (order.owner, order.origin, order.status) == ("test", OrderOrigin.EXTERNAL, OrderStatus.ACCEPTED)
        assert await floor.handle.order("theirs") == order
        [record] = audited(floor, "order.adopted")
        assert (record.actor, record.subject["owner"]) == ("ann", "test")
        await floor.desk.reconciliations.now("venue")
        assert (await floor.handle.order("theirs")).owner == "test"
        assert (await floor.handle.cancel_order("theirs")).status is OrderStatus.CANCELED


async def test_only_what_nobody_owns_is_adopted(floor):
    async with floor(events=True):
        theirs = await external(floor)
        ours = await floor.handle.submit_order(limit("a"))
        with pytest.raises(NotFound):
            await floor.desk.by_hand.adopt("venue", "V99", owner="test", person="ann")
        with pytest.raises(InvalidOrder, match="owner"):
            await floor.desk.by_hand.adopt("venue", theirs, owner="", person="ann")
        with pytest.raises(Conflict):
            await floor.desk.by_hand.adopt("venue", ours.venue_order_id, owner="test", person="ann")
        await floor.desk.by_hand.adopt("venue", theirs, owner="test", person="ann")
        with pytest.raises(Conflict, match="test"):
            await floor.desk.by_hand.adopt("venue", theirs, owner="other", person="ann")


async def test_an_id_that_two_accounts_share_names_neither(floor):
    async with floor(events=True):
        theirs = await external(floor)
        other = attrs.evolve(floor.venue.orders["theirs"].request, account=LIVE, client_order_id="more")
        floor.venue.orders["more"] = attrs.evolve(floor.venue.orders["theirs"], request=other)
        await floor.desk.reconciliations.now("venue")
        with pytest.raises(Conflict, match="share"):
            await floor.desk.by_hand.adopt("venue", theirs, owner="test", person="ann")
