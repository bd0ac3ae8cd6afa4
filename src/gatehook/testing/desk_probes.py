"""What the desk statements look at: the journal, the disk, the venue behind the desk."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.testing.rig import BrokerRig
from gatehook.testing.rig import eventually


async def ended(rig: BrokerRig, request: OrderRequest) -> Order:
    """Wait until the journal has an order's end, and return it."""
    return await eventually(lambda: journaled(rig, request), lambda order: order.status.is_final)


async def journaled(rig: BrokerRig, request: OrderRequest) -> Order:
    """Return an order as the journal has it now."""
    order = await rig.handle.order(request.client_order_id)
    assert order is not None, f"{request.client_order_id} is not in the journal"
    return order


def spied(rig: BrokerRig, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Make the provider count, at each submit, the intents of that id which another connection finds on disk."""
    seen: dict[str, int] = {}
    submit = rig.broker.submit_order

    async def spying(request: OrderRequest) -> Order:
        with closing(sqlite3.connect(rig.host.desk.journal_path)) as connection:
            query = "SELECT count(*) FROM orders WHERE client_order_id = ?"
            seen[request.client_order_id] = connection.execute(query, (request.client_order_id,)).fetchone()[0]
        return await submit(request)

    monkeypatch.setattr(rig.broker, "submit_order", spying)
    return seen


async def becomes(rig: BrokerRig, request: OrderRequest, *statuses: OrderStatus, seconds: float = 10) -> Order:
    """Wait until the journal has an order in one of these states, and return it."""
    return await eventually(lambda: journaled(rig, request), lambda order: order.status in statuses, seconds)


async def reconciled(rig: BrokerRig) -> None:
    """Compare the journal with the venue now."""
    await rig.desk.reconciliations.now(rig.entry)


async def refused(rig: BrokerRig, error: type[Exception], command: Callable[[], Awaitable[Any]]) -> None:
    """Check that the desk refuses a command without a request to the venue."""
    before = await rig.venue.requests()
    with pytest.raises(error):
        await command()
    assert await rig.venue.requests() == before


async def sent(rig: BrokerRig, command: Awaitable[Any]) -> int:
    """Run a command that succeeds; return how many requests it took."""
    before = await rig.venue.requests()
    await command
    return await rig.venue.requests() - before
