"""Venues that cannot be compared with the journal, or say something else than it."""

from __future__ import annotations

from gatehook.kinds.errors import NotConnected
from tests.bad_input.table import Table
from tests.bad_input.trading import codes
from tests.bad_input.trading import trading
from tests.orders.conftest import all_reconciled
from tests.orders.conftest import eventually
from tests.orders.venue import limit
from tests.orders.venue import position

TABLE = Table()


@TABLE.row("orders.reconciliation-failed", "a venue that does not list its orders", "entry")
async def unlisted_orders(world):
    async def then(host, venue):
        venue.instead["list_orders"] = NotConnected("the venue is closed")
        await host.desk.reconciliations.now("venue")

    return await trading(world, then)


@TABLE.row("orders.reconciliation-failed", "a venue that does not list its accounts", "entry")
async def unlisted_accounts(world):
    async def then(host, venue):
        venue.instead["list_accounts"] = "nonsense"
        await host.desk.reconciliations.now("venue")

    return await trading(world, then)


@TABLE.row("orders.position-adjusted", "a position that follows from no fill", "entry")
async def unexplained_position(world):
    async def then(host, venue):
        await eventually(lambda: all_reconciled(host.desk))
        venue.positions.append(position("7"))
        for _ in range(2):
            await host.desk.reconciliations.now("venue")

    return await trading(world, then)


@TABLE.row("orders.fill-orphaned", "a fill of an order that nobody knows", "entry")
async def orphan(world):
    async def then(host, venue):
        venue.accept(limit("a"))
        fill = venue.fill("a", "1", "T1")
        venue.orders.clear()
        venue.tell(fill)
        await eventually(lambda: "orders.fill-orphaned" in codes(host))

    return await trading(world, then)
