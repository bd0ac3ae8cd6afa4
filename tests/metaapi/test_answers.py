"""Answers that are not what they must be: refused, with the tool and the place, and everything else goes on."""

from __future__ import annotations

import pytest

from gatehook import NotConnected
from gatehook import OrderType
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.provider import HealthStatus
from gatehook.testing.metaapi import Fault
from gatehook.testing.rig import eventually
from tests.metaapi.rig import ENTRY
from tests.metaapi.rig import gone
from tests.metaapi.rig import hosted
from tests.metaapi.rig import rigged
from tests.metaapi.rig import served

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def rig(plugin_host):
    async with rigged(plugin_host) as rig:
        yield rig


async def test_an_answer_of_the_wrong_kind_names_the_tool_and_the_place(rig):
    venue, broker = rig.venue.venue, rig.broker
    await broker.submit_order(rig.order())
    await broker.submit_order(rig.order(OrderType.LIMIT))
    calls = {
        "get_account_information": lambda: broker.get_account(rig.account),
        "get_positions": lambda: broker.list_positions(rig.account),
        "get_orders": lambda: broker.list_orders(rig.account),
        "get_deals": lambda: broker.list_fills(rig.account),
        "get_symbol_price": lambda: rig.host.market_data(ENTRY).quote(rig.instrument.id),
    }
    for fault in (Fault.NOT_JSON, Fault.NAN, Fault.WRONG_TYPES, Fault.OTHER_TOOL):
        for tool, call in calls.items():
            with venue.failing(fault, tool=tool), pytest.raises(ToolAnswerInvalid) as raised:
                await call()
            assert tool in str(raised.value), fault
            if fault is Fault.WRONG_TYPES and tool not in ("get_positions", "get_orders"):  # those are no list at all
                assert raised.value.pointer.startswith("/"), tool
    for call in calls.values():
        await call()


async def test_the_answer_to_a_trade_that_cannot_be_read_leaves_the_order_unknown(rig):
    for fault in (Fault.NOT_JSON, Fault.WRONG_TYPES, Fault.OTHER_TOOL):
        with rig.venue.venue.failing(fault, tool="place_limit_order"):
            order = await rig.handle.submit_order(rig.order(OrderType.LIMIT))
        assert order.status == "unknown", fault


async def test_an_account_that_was_not_asked_for_is_refused(plugin_host):
    async with served() as venue, hosted(plugin_host, venue) as host:
        broker = host.desk.entry(ENTRY).access.provider
        broker.plugin.links.patience = 0.2
        with venue.failing(Fault.OTHER_ACCOUNT, tool="get_account_information"):
            venue.cut_streams()
            await gone(broker.plugin.session)
            await broker.plugin.session.wait_connected(5)
            refs = await broker.list_accounts()
            reasons = " ".join(broker.health().reasons)
            with pytest.raises(NotConnected, match="/login"):
                await broker.get_account(refs[0].account)
        assert "/login" in reasons
        assert "get_account_information" in reasons
        await eventually(broker.list_accounts, lambda _: not broker.health().reasons)


async def test_a_server_that_lacks_a_tool_of_one_capability_is_used_without_it(plugin_host):
    async with served() as venue:
        for tool in ("modify_order", "create_stop_sell_order", "get_candles"):
            venue.change_tool(tool, hide=True)
        async with hosted(plugin_host, venue) as host:
            access = host.desk.entry(ENTRY).access
            assert access.capabilities.amend is False
            assert access.capabilities.order_types == (OrderType.MARKET, OrderType.LIMIT)
            assert access.capabilities.close_position == "whole"
            market = host.market_data(ENTRY)
            assert (market.capabilities.history, market.capabilities.timeframes) == (False, ())
            assert market.health().status is HealthStatus.DEGRADED
            assert (await market.quote(InstrumentId("EURUSD", "METAAPI-MCP"))).bid is not None
