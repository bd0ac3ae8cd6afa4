"""The spy under the whole suite finds a desk that sends before its intent, and product code that asks none."""

from __future__ import annotations

import types

import pytest

from gatehook.kinds.orders import OrderStatus
from gatehook.orders.journal import Journal
from tests.orders.conftest import Floor
from tests.orders.spy import IntentMissing
from tests.orders.venue import MAIN
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


@pytest.fixture
def floor(tmp_path):
    return Floor(tmp_path)


async def test_a_command_with_its_intent_on_disk_is_seen_and_let_through(floor, desk_spy):
    before = desk_spy.seen
    async with floor():
        assert (await floor.handle.submit_order(limit("a"))).status is OrderStatus.ACCEPTED
        assert (await floor.handle.cancel_order("a")).status is OrderStatus.CANCELED
    assert desk_spy.seen == before + 2


async def test_a_desk_that_sends_before_its_intent_is_found(floor, desk_spy, monkeypatch):
    """A defect, seeded: the intent is undone before the desk goes on, as if it were still on its way to the disk."""
    write = Journal._write

    async def hasty(journal, operation, **kwargs):
        done = await write(journal, operation, **kwargs)
        if kwargs.get("durable", True):
            await write(journal, lambda db: db.execute("UPDATE orders SET status = 'initialized'"))
        return done

    async with floor():
        with monkeypatch.context() as defect:
            defect.setattr(Journal, "_write", hasty)
            order = await floor.handle.submit_order(limit("a"))
    assert order.status is OrderStatus.UNKNOWN
    assert floor.sent() == 0
    assert desk_spy.violations == ["submit_order was called for a without an intent on disk"]
    desk_spy.violations.clear()


async def test_a_test_may_hand_a_provider_its_command_and_product_code_may_not(floor, desk_spy):
    async with floor():
        assert (await floor.broker.submit_order(limit("a"))).status is OrderStatus.ACCEPTED
        shortcut = types.ModuleType("gatehook.host.shortcut")
        exec("def go(broker, account): return broker.cancel_all(account, command_id='c')", vars(shortcut))
        with pytest.raises(IntentMissing):
            shortcut.go(floor.broker, MAIN)
    assert desk_spy.violations == ["gatehook.host.shortcut called cancel_all and is no send of the desk"]
    desk_spy.violations.clear()


async def test_a_method_that_a_test_puts_in_place_is_watched_as_well(floor, desk_spy):
    async def accept(request):
        return floor.venue.accept(request)

    before = desk_spy.seen
    async with floor():
        floor.broker.submit_order = accept
        await floor.handle.submit_order(limit("a"))
    assert desk_spy.seen == before + 1
