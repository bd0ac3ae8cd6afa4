"""Served over the wire, the same seed gives the same sequence: of prices, of a broker's events."""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal
from types import SimpleNamespace

import anyio
import attrs
import pytest

from builtin_plugins.simulated.plugin import provide_market_data
from gatehook.clocks import ReplayClock
from gatehook.clocks import SystemClock
from gatehook.kinds.kind import Kind
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.streams import Overflow
from gatehook.wire.market_data import WireMarketData
from tests.paper.rig import paper
from tests.wire.linked import connected
from tests.wire.processes import gateway_session
from tests.wire.processes import serving_process
from tests.wire.test_suites import paper_over_http
from tests.wire.test_suites import paper_over_stdio

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


def by_a_standing_clock():
    return SimpleNamespace(entry_id="entry", venue="SIM", clock=ReplayClock(NOW), config={"seed": 7, "interval": 0.01})


async def prices_of(run, context, after=AFTER):
    """Return ticks of every instrument, from a place on."""
    async with run(context) as source:
        instruments = await source.list_instruments()
        wanted = [Subscription(instrument_id=one.id, channel=Channel.QUOTES) for one in instruments]
        async with source.stream(wanted, overflow=Overflow.ERROR, after=after) as items:
            found = {}
            while min((len(one) for one in found.values()), default=0) < TICKS:
                item = await anext(items)
                found.setdefault(item.instrument_id, []).append(item)
    return {one: ticks[:TICKS] for one, ticks in found.items()}


async def test_simulated_gives_the_same_prices():
    context = by_a_standing_clock()
    assert await prices_of(in_process, context) == await prices_of(over_the_wire, context)


async def test_a_served_process_gives_the_same_prices_over_http(tmp_path):
    market = {"seed": 7, "interval": 0.05}
    config = {"plugins": {"entries": {"simulated": {"config": market, "venue": "SIM"}}}}
    clock = SystemClock()
    async with serving_process(tmp_path, "simulated", config) as serving, gateway_session(serving) as session:
        context = SimpleNamespace(entry_id="simulated", venue="SIM", clock=clock, config=market)
        after = str(clock.now() // (5 * STEP) - TICKS)

        @asynccontextmanager
        async def over_http(context):
            async with anyio.create_task_group() as tasks:
                context.task_group = tasks
                async with WireMarketData(session, context) as source:
                    yield source

        there = await prices_of(over_http, context, after)
        here = await prices_of(in_process, context, after)
    assert [seen(tick) for ticks in there.values() for tick in ticks] == [
        seen(tick) for ticks in here.values() for tick in ticks
    ]


def seen(tick):
    """Return a tick without the moment at which this machine made it."""
    return attrs.evolve(tick, ts_init=None)


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


@pytest.fixture
async def expected(plugin_host):
    """What paper does in process: its events, and what decides which statements of a suite are skipped."""
    async with paper(plugin_host) as rig:
        events = await events_of(rig)
        assert len(events) > 5
        return events, decides(rig)


def decides(rig):
    return rig.declared, rig.venue.faults, [bool(one) for one in (rig.hedging, rig.forbidden, rig.asked, rig.base)]


async def test_paper_reports_the_same_events_over_stdio(expected, plugin_host, tmp_path):
    elsewhere = type(plugin_host)(tmp_path / "elsewhere")
    async with paper_over_stdio(elsewhere) as rig:
        assert (await events_of(rig), decides(rig)) == expected


async def test_paper_reports_the_same_events_from_a_served_process_over_http(expected, plugin_host, tmp_path):
    elsewhere = type(plugin_host)(tmp_path / "elsewhere")
    async with paper_over_http(elsewhere, tmp_path) as rig:
        assert (await events_of(rig), decides(rig)) == expected
