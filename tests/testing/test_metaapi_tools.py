"""Every tool of the stand-in, called by the official SDK's client, in both modes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gatehook.testing.metaapi import MetaApiVenue
from gatehook.testing.metaapi.definitions import DEFINITIONS
from tests.testing.metaapi_client import Failed
from tests.testing.metaapi_client import connected

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["strict", "faithful"])
async def venue(request):
    async with MetaApiVenue(mode=request.param, token="t") as venue:
        yield venue


@pytest.fixture
async def client(venue):
    async with connected(venue.url) as client:
        yield client


async def test_there_are_32_tools_without_output_schemas_or_annotations(client):
    tools = (await client.session.list_tools()).tools
    assert [tool.name for tool in tools] == list(DEFINITIONS)
    assert len(tools) == 32
    for tool in tools:
        assert tool.input_schema == DEFINITIONS[tool.name].input_schema
        assert tool.description
        assert (tool.output_schema, tool.annotations) == (None, None)


async def test_accounts_are_listed_without_saying_demo_or_live(client):
    accounts = await client.call("list_accounts")
    keys = {"id", "name", "login", "server", "platform", "type", "state", "connectionStatus"}
    assert [one["id"] for one in accounts] == ["hedging", "netting"]
    assert all(set(one) == keys for one in accounts)


async def test_account_information_has_the_margin_mode(client):
    hedging = await client.call("get_account_information", accountId="hedging")
    netting = await client.call("get_account_information", accountId="netting")
    assert hedging["marginMode"] == "ACCOUNT_MARGIN_MODE_RETAIL_HEDGING"
    assert netting["marginMode"] == "ACCOUNT_MARGIN_MODE_RETAIL_NETTING"
    assert {
        "broker",
        "currency",
        "server",
        "balance",
        "equity",
        "margin",
        "freeMargin",
        "leverage",
        "tradeAllowed",
    } <= (set(hedging))
    assert "marginLevel" not in hedging


async def test_states_hold_positions_orders_and_symbols(client):
    await client.buy()
    state = await client.call("get_account_state", accountId="hedging")
    assert set(state) == {"account", "positions", "orders", "summary"}
    assert state["account"]["marginLevel"] > 0
    terminal = await client.call("get_terminal_state", accountId="hedging")
    assert set(terminal) == {"accountInfo", "positions", "orders", "symbols", "timestamp"}
    assert len(terminal["positions"]) == 1


async def test_a_market_order_becomes_a_position_with_its_deal_and_its_order(client):
    receipt = await client.buy(0.5, clientId="mine", stopLoss=1.09, takeProfit=1.2)
    assert receipt["success"] is True
    assert receipt["stringCode"] == "TRADE_RETCODE_DONE"
    assert receipt["clientOrderId"] == "mine"
    [position] = await client.call("get_positions", accountId="hedging")
    assert position["id"] == receipt["positionId"]
    assert (position["type"], position["volume"]) == ("POSITION_TYPE_BUY", Decimal("0.5"))
    assert (position["openPrice"], position["currentPrice"]) == (Decimal("1.1002"), Decimal("1.1"))
    assert (position["stopLoss"], position["takeProfit"]) == (Decimal("1.09"), Decimal("1.2"))
    assert (position["profit"], position["commission"]) == (-10, Decimal("-1.5"))
    assert position["clientId"] == "mine"
    assert await client.call("get_position", accountId="hedging", positionId=position["id"]) == position
    history = await client.call("get_history_orders", accountId="hedging")
    assert [(one["id"], one["state"]) for one in history["historyOrders"]] == [
        (receipt["orderId"], "ORDER_STATE_FILLED")
    ]
    [deposit, deal] = (await client.call("get_deals", accountId="hedging"))["deals"]
    assert (deposit["type"], deposit["profit"]) == ("DEAL_TYPE_BALANCE", 100_000)
    assert (deal["entryType"], deal["positionId"], deal["clientId"]) == ("DEAL_ENTRY_IN", position["id"], "mine")


async def test_tickets_find_the_ended_order_and_the_deal(client):
    receipt = await client.buy()
    order = await client.call("get_history_orders_by_ticket", accountId="hedging", ticket=receipt["orderId"])
    assert (order["count"], order["orders"]["synchronizing"]) == (1, False)
    deals = (await client.call("get_deals", accountId="hedging"))["deals"]
    deal = await client.call("get_deals_by_ticket", accountId="hedging", ticket=deals[-1]["id"])
    assert deal["orders"]["deals"] == deals[-1:]
    none = await client.call("get_deals_by_ticket", accountId="hedging", ticket="1")
    assert none == {"ticket": "1", "count": 0, "orders": {"deals": [], "synchronizing": False}}


@pytest.mark.parametrize(
    ("tool", "more", "kind"),
    [
        ("place_limit_order", {"side": "buy", "openPrice": 1.05}, "ORDER_TYPE_BUY_LIMIT"),
        ("place_limit_order", {"side": "sell", "openPrice": 1.15}, "ORDER_TYPE_SELL_LIMIT"),
        ("create_stop_buy_order", {"openPrice": 1.15}, "ORDER_TYPE_BUY_STOP"),
        ("create_stop_sell_order", {"openPrice": 1.05}, "ORDER_TYPE_SELL_STOP"),
    ],
)
async def test_resting_orders_are_placed_moved_and_cancelled(client, tool, more, kind):
    receipt = await client.call(tool, accountId="hedging", symbol="EURUSD", volume=0.3, comment="c", **more)
    assert receipt["stringCode"] == "TRADE_RETCODE_PLACED"
    number = receipt["orderId"]
    [order] = await client.call("get_orders", accountId="hedging")
    assert (order["id"], order["type"], order["state"]) == (number, kind, "ORDER_STATE_PLACED")
    assert (order["volume"], order["currentVolume"], order["comment"]) == (Decimal("0.3"), Decimal("0.3"), "c")
    near = more["openPrice"] + (0.001 if more["openPrice"] < 1.1 else -0.001)
    moved = await client.call("modify_order", accountId="hedging", orderId=number, openPrice=round(near, 5))
    assert moved["stringCode"] == "TRADE_RETCODE_DONE"
    order = await client.call("get_order", accountId="hedging", orderId=number)
    assert order["openPrice"] == Decimal(str(round(near, 5)))
    again = await client.call("modify_order", accountId="hedging", orderId=number, openPrice=round(near, 5))
    assert (again["success"], again["stringCode"]) == (True, "TRADE_RETCODE_NO_CHANGES")
    await client.call("cancel_order", accountId="hedging", orderId=number)
    assert await client.call("get_orders", accountId="hedging") == []
    with pytest.raises(Failed):
        await client.call("get_order", accountId="hedging", orderId=number)
    [ended] = (await client.call("get_history_orders", accountId="hedging"))["historyOrders"]
    assert ended["state"] == "ORDER_STATE_CANCELED"


async def test_a_position_is_protected_and_closed(client):
    number = (await client.buy())["positionId"]
    await client.call("modify_position", accountId="hedging", positionId=number, stopLoss=1.05, takeProfit=1.2)
    position = await client.call("get_position", accountId="hedging", positionId=number)
    assert (position["stopLoss"], position["takeProfit"]) == (Decimal("1.05"), Decimal("1.2"))
    closed = await client.call("close_position", accountId="hedging", positionId=number)
    assert closed["positionId"] == number
    assert await client.call("get_positions", accountId="hedging") == []
    last = (await client.call("get_deals", accountId="hedging"))["deals"][-1]
    assert (last["entryType"], last["positionId"], last["profit"]) == ("DEAL_ENTRY_OUT", number, -20)
    assert "clientId" not in last
    assert (await client.call("get_account_information", accountId="hedging"))["balance"] == 100_000 - 20 - 6


async def test_zero_is_no_protection_of_a_new_order(venue, client):
    await client.buy(side="sell", stopLoss=0, takeProfit=0)
    venue.set_price("EURUSD", "1.11", "1.1101")
    [position] = await client.call("get_positions", accountId="hedging")
    assert {"stopLoss", "takeProfit"}.isdisjoint(position)


async def test_a_trailing_stop_follows_the_price(venue, client):
    await client.call(
        "create_market_order_with_trailing_sl",
        accountId="hedging",
        actionType="ORDER_TYPE_BUY",
        symbol="EURUSD",
        volume=1,
        trailingStopLoss={"distance": {"distance": 100, "units": "RELATIVE_POINTS"}},
        clientId="t1",
    )
    venue.set_price("EURUSD", "1.10500", "1.10520")
    venue.set_price("EURUSD", "1.10450", "1.10470")
    [position] = await client.call("get_positions", accountId="hedging")
    assert (position["stopLoss"], position["clientId"]) == (Decimal("1.104"), "t1")
    venue.set_price("EURUSD", "1.10390", "1.10410")
    assert await client.call("get_positions", accountId="hedging") == []
    last = (await client.call("get_deals", accountId="hedging"))["deals"][-1]
    assert (last["reason"], last["profit"]) == ("DEAL_REASON_SL", 370)


async def test_symbols_prices_and_margin(client):
    assert "EURUSD" in await client.call("get_symbols", accountId="hedging")
    words = await client.call("get_symbol_specification", accountId="hedging", symbol="USDJPY")
    assert (words["digits"], words["contractSize"], words["minVolume"]) == (3, 100_000, Decimal("0.01"))
    assert words["tradeMode"] == "SYMBOL_TRADE_MODE_FULL"
    price = await client.call("get_symbol_price", accountId="hedging", symbol="EURUSD")
    assert (price["bid"], price["ask"]) == (Decimal("1.1"), Decimal("1.1002"))
    margin = await client.call(
        "calculate_margin", accountId="hedging", symbol="EURUSD", type="ORDER_TYPE_BUY", volume=1, openPrice=1.1
    )
    assert margin == {"margin": 1100}


async def test_candles_are_paged_backwards_and_come_ascending(client):
    wanted = {"accountId": "hedging", "symbol": "EURUSD", "timeframe": "1m"}
    page = await client.call("get_candles", **wanted)
    times = [one["time"] for one in page["candles"]]
    assert (page["count"], len(times)) == (1000, 1000)
    assert times == sorted(times)
    before = await client.call("get_candles", **wanted, startTime=times[0], limit=3)
    assert before["candles"][-1] == page["candles"][0]
    keys = {"time", "brokerTime", "open", "high", "low", "close", "tickVolume", "spread", "volume"}
    assert keys <= set(page["candles"][0])


async def test_ticks_go_forward_from_a_time(client):
    wanted = {"accountId": "hedging", "symbol": "EURUSD", "startTime": "2026-01-05T00:00:00.000Z"}
    page = await client.call("get_ticks", **wanted, limit=5)
    assert (page["count"], page["offset"], page["startTime"]) == (5, 0, "2026-01-05T00:00:00.000Z")
    later = await client.call("get_ticks", **wanted, offset=3, limit=2)
    assert later["ticks"] == page["ticks"][3:]
    none = await client.call("get_ticks", accountId="hedging", symbol="EURUSD", startTime="2090-01-01T00:00:00.000Z")
    assert (none["count"], none["ticks"]) == (0, [])
    assert none["note"]


async def test_the_server_tells_utc_and_the_time_of_its_broker(client):
    times = await client.call("get_server_time", accountId="hedging")
    assert times["serverTime"].endswith("Z")
    assert len(times["brokerTime"]) == len("2026-01-01 00:00:00.000")


async def test_a_subscription_is_confirmed(client):
    assert (await client.call("subscribe_price", accountId="hedging", symbol="EURUSD"))["success"] is True


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"volume": 100}, "INSUFFICIENT_FUNDS"),
        ({"stopLoss": 1.2}, "INVALID_STOPS"),
        ({"takeProfit": 1.0}, "INVALID_STOPS"),
        ({"volume": 0.001}, "UNKNOWN_ERROR"),
        ({"symbol": "NOPE"}, "UNKNOWN_ERROR"),
        ({"accountId": "nobody"}, "UNKNOWN_ERROR"),
        ({"symbol": "XAUUSD"}, "MARKET_CLOSED"),
    ],
)
async def test_refusals_have_the_codes(venue, client, arguments, code):
    venue.close_market("XAUUSD")
    with pytest.raises(Failed) as failed:
        await client.buy(**arguments)
    assert set(failed.value.answer) == {"error", "code", "tool"}
    assert (failed.value.code, failed.value.answer["tool"]) == (code, "place_market_order")
    assert venue.book("hedging").positions == {}


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_it_runs_on_both_loops(anyio_backend):
    async with MetaApiVenue() as venue, connected(venue.url) as client:
        assert (await client.buy())["stringCode"] == "TRADE_RETCODE_DONE"
        await client.session.send_ping()
