"""Served over the wire, the same seed gives the same sequence: of prices, of a broker's events."""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from types import SimpleNamespace

import anyio
import pytest

from builtin_plugins.simulated.plugin import provide_market_data
from gatehook.clocks import ReplayClock
from gatehook.kinds.kind import Kind
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.streams import Overflow
from gatehook.wire.market_data import WireMarketData
from tests.paper.rig import paper
from tests.wire.linked import connected
from tests.wire.serving import BUILTIN
from tests.wire.serving import stdio_session
from tests.wire.test_suites import served_paper

pytestmark = pytest.mark.anyio
TICKS = 60
NOW = 10**18
STEP = 10**7
#: A place so many ticks ago, as the simulated market numbers them.
AFTER = str(NOW // STEP - TICKS)


@asynccontextmanager
async def in_process(context):
    async with provide_market_data(context) as source:
        yield source


@asynccontextmanager
async def over_the_wire(context):
    async with provide_market_data(context) as source, connected({Kind.MARKET_DATA: source}) as session:
        yield WireMarketData(session, context)


async def prices_of(run):
    """Return ticks of every instrument, by a clock that stands still."""
    context = SimpleNamespace(
        entry_id="entry", venue="SIM", clock=ReplayClock(NOW), config={"seed": 7, "interval": 0.01}
    )
    async with run(context) as source:
        instruments = await source.list_instruments()
        wanted = [Subscription(instrument_id=one.id, channel=Channel.QUOTES) for one in instruments]
        async with source.stream(wanted, overflow=Overflow.ERROR, after=AFTER) as items:
            found = {}
            while min((len(one) for one in found.values()), default=0) < TICKS:
                item = await anext(items)
                found.setdefault(item.instrument_id, []).append(item)
    return {one: ticks[:TICKS] for one, ticks in found.items()}


async def test_simulated_gives_the_same_prices():
    assert await prices_of(in_process) == await prices_of(over_the_wire)


def shape(event):
    """Return an event without the moments at which it happened, which are the machine's."""
    fields = {
        name: getattr(event, name)
        for name in ("status", "filled", "leaves", "cost", "price", "quantity", "side")
        if hasattr(event, name)
    }
    request = getattr(event, "request", None)
    return type(event).__name__, fields, getattr(request, "client_order_id", None)


async def events_of(rig):
    """Trade a little and return what the broker reported."""
    found, last = [], rig.order(client_order_id="last")

    async def trade():
        await rig.handle.submit_order(rig.order(OrderType.LIMIT))
        await rig.handle.submit_order(rig.order())
        await rig.handle.submit_order(rig.order(OrderType.STOP, Side.SELL))
        await rig.venue.quote(Decimal("1.09000"), Decimal("1.09010"))
        await rig.handle.submit_order(last)

    with anyio.fail_after(20):
        async with rig.broker.events() as items, anyio.create_task_group() as tasks:
            tasks.start_soon(trade)
            async for item in items:
                found.append(shape(item))
                if found[-1][2] == "last" and item.status.is_final:
                    break
    return found


async def test_paper_reports_the_same_events(plugin_host, tmp_path):
    async with paper(plugin_host) as rig:
        expected = await events_of(rig)
    elsewhere = type(plugin_host)(tmp_path / "elsewhere")
    async with served_paper(elsewhere, partial(stdio_session, BUILTIN / "paper")) as rig:
        assert await events_of(rig) == expected
    assert len(expected) > 5
