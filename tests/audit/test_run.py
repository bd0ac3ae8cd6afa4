"""A whole run, with everything that a desk can be told, is proven by its audit; and what is done to either shows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from contextlib import suppress

import anyio
import pytest

from gatehook.audit import read
from gatehook.audit import verify
from gatehook.config.trading import PermissionRule
from gatehook.config.trading import Permit
from gatehook.guard.guard import Rules
from gatehook.kinds.capabilities import ListContingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import ApprovalPending
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Side
from gatehook.orders.proving import prove
from tests.orders.conftest import anyio_backend
from tests.orders.conftest import floor
from tests.orders.venue import EURUSD
from tests.orders.venue import MAIN
from tests.orders.venue import limit

__all__ = ["anyio_backend", "floor"]  # fixtures

pytestmark = pytest.mark.anyio

ASK = Rules(permissions=(PermissionRule(caller="test", decision=Permit.ASK),))
OCO = ListContingency.OCO


def proof(floor):
    found = verify(floor.folder)
    assert found.problems == ()
    return prove(floor.path, read(floor.folder))


def listed(first, second):
    return OrderList(list_id=f"L-{first}", contingency=OCO, orders=(limit(first), limit(second, side=Side.SELL)))


async def approve(floor):
    [approval] = floor.desk.guard.approvals.pending()
    return await floor.desk.approve(approval.approval_id, person="cli:ann", digest=approval.digest)


async def everything(floor, *, answers):
    """Send one command of each kind; answer what is asked for."""

    async def send(command):
        with suppress(ApprovalPending):
            await command
        if answers and floor.desk.guard.approvals.pending():
            await approve(floor)

    prefix = "asked-" if answers else ""
    await send(floor.handle.submit_order(limit(f"{prefix}a")))
    await send(floor.handle.submit_order_list(listed(f"{prefix}b", f"{prefix}c")))
    await send(floor.handle.amend_order(f"{prefix}a", OrderChange(price="1.2"), command_id=f"{prefix}amend"))
    floor.hold("10")
    protection = Protection(stop_loss="1.0")
    position = PositionRef(account=MAIN, instrument_id=EURUSD)
    await send(floor.handle.modify_position(position, protection, command_id=f"{prefix}protect"))
    await send(floor.handle.cancel_order(f"{prefix}a", command_id=f"{prefix}cancel"))
    await send(floor.handle.close_position(position, command_id=f"{prefix}close"))


async def test_what_was_allowed(floor):
    async with floor():
        await everything(floor, answers=False)
        while_running = proof(floor)
    found = proof(floor)
    assert (found.orders, found.commands, found.approvals, found.findings) == (4, 3, 0, ())
    assert while_running == found


async def test_what_a_person_approved(floor):
    async with floor(rules=ASK):
        await everything(floor, answers=True)
    found = proof(floor)
    assert (found.orders, found.commands, found.findings) == (4, 3, ())
    assert found.approvals >= 3
    intents = {one.subject["permit"].partition(":")[0] for one in read(floor.folder) if one.kind.endswith(".intent")}
    assert intents == {"approval", "reducing"}


async def test_what_was_not_sent_after_all(floor):
    async def down(request):
        raise NotConnected("down")

    async with floor():
        await floor.handle.submit_order(limit("a"))
        floor.broker.on_submit = down
        with pytest.raises(NotConnected):
            await floor.handle.submit_order(limit("b"))
    async with floor(rules=ASK):
        order = await floor.handle.submit_order(limit("c"))
        assert order.status is OrderStatus.INITIALIZED
        [approval] = floor.desk.guard.approvals.pending()
        await floor.desk.reject(approval.approval_id, person="cli:ann")
        await floor.handle.submit_order(limit("d"))  # nobody answers, and the gateway ends
    assert proof(floor).findings == ()


async def test_orders_at_once_share_an_append_and_are_all_there(floor):
    async with floor(), anyio.create_task_group() as tasks:
        for number in range(60):
            tasks.start_soon(floor.handle.submit_order, limit(f"a{number}"))
    found = proof(floor)
    assert (found.orders, found.findings) == (60, ())


async def test_without_the_audit_no_order_leaves_and_cancels_still_work(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        log = floor.folder / "audit.jsonl"
        log.chmod(0o400)
        with pytest.raises(StorageUnavailable, match="read-only"):
            await floor.handle.submit_order(limit("b"))
        assert "b" not in floor.venue.orders
        assert (await floor.handle.cancel_order("a")).status is OrderStatus.CANCELED
        log.chmod(0o600)
        assert (await floor.handle.submit_order(limit("b"))).status is OrderStatus.ACCEPTED
    assert proof(floor).findings == ()


@pytest.mark.parametrize(
    ("sql", "flaw"),
    [
        ("DELETE FROM orders WHERE client_order_id = 'a'", "no-row"),
        ("UPDATE orders SET digest = 'other' WHERE client_order_id = 'a'", "no-intent"),
        ("DELETE FROM commands WHERE command_id = 'amend'", "no-row"),
        ("UPDATE orders SET seq = 1000 WHERE client_order_id = 'a'", "no-intent"),
    ],
)
async def test_a_journal_that_somebody_changed(floor, sql, flaw):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        await floor.handle.amend_order("a", OrderChange(price="1.2"), command_id="amend")
    with closing(sqlite3.connect(floor.path)) as db:
        db.execute(sql)
        db.commit()
    assert flaw in {str(one.what) for one in proof(floor).findings}
