"""Each defect of the real server, in a faithful stand-in, and its absence in a strict one."""

from __future__ import annotations

from decimal import Decimal

import anyio
import httpx2
import pytest
from mcp import MCPError

from gatehook.testing.metaapi import MetaApiVenue
from tests.testing.metaapi_client import Failed
from tests.testing.metaapi_client import connected

pytestmark = pytest.mark.anyio

ORDER = {"accountId": "hedging", "symbol": "EURUSD", "volume": 1}
ORDER_TOOLS = {
    "place_market_order": {"side": "buy"},
    "place_limit_order": {"side": "buy", "openPrice": 1.05},
    "create_stop_buy_order": {"openPrice": 1.15},
    "create_stop_sell_order": {"openPrice": 1.05},
}


@pytest.fixture
async def faithful():
    async with MetaApiVenue(mode="faithful") as venue:
        yield venue


@pytest.fixture
async def strict():
    async with MetaApiVenue(mode="strict") as venue:
        yield venue


async def test_a_market_order_without_a_side_sells(faithful):
    async with connected(faithful.url) as client:
        await client.call("place_market_order", **ORDER)
        [position] = await client.call("get_positions", accountId="hedging")
        assert position["type"] == "POSITION_TYPE_SELL"


async def test_a_strict_server_refuses_it(strict):
    async with connected(strict.url) as client:
        with pytest.raises(MCPError, match="side"):
            await client.call("place_market_order", **ORDER)
        [request] = strict.requests
        assert not request.executed


async def test_unknown_arguments_are_taken(faithful):
    async with connected(faithful.url) as client:
        await client.buy(reduceOnly=True)
        assert faithful.requests[0].arguments["reduceOnly"] is True


async def test_a_strict_server_refuses_them(strict):
    async with connected(strict.url) as client:
        with pytest.raises(MCPError, match="reduceOnly"):
            await client.buy(reduceOnly=True)


async def test_the_accounts_of_the_url_filter_the_list_only(faithful):
    async with connected(faithful.url_of("netting")) as client:
        assert [one["id"] for one in await client.call("list_accounts")] == ["netting"]
        await client.buy()
        assert len(faithful.book("hedging").positions) == 1


async def test_the_older_name_of_the_filter_counts_too(faithful):
    async with connected(faithful.url + "?allowed_accounts=netting") as client:
        assert [one["id"] for one in await client.call("list_accounts")] == ["netting"]


async def test_a_strict_server_enforces_them(strict):
    async with connected(strict.url_of("netting")) as client:
        with pytest.raises(Failed) as failed:
            await client.buy()
        assert failed.value.code == "ACCOUNT_NOT_ALLOWED"
        assert strict.book("hedging").positions == {}


async def test_a_long_client_id_is_cut_silently(faithful):
    async with connected(faithful.url) as client:
        receipt = await client.buy(clientId="a" * 26 + "b")
        assert receipt["clientOrderId"] == "a" * 26
        [position] = await client.call("get_positions", accountId="hedging")
        assert position["clientId"] == "a" * 26


async def test_the_same_client_id_twice_is_two_orders(faithful):
    async with connected(faithful.url) as client:
        await client.buy(clientId="once")
        await client.buy(clientId="once")
        assert len(faithful.book("hedging").positions) == 2


async def test_a_strict_server_refuses_a_long_client_id(strict):
    async with connected(strict.url) as client:
        with pytest.raises(Failed, match="26"):
            await client.buy(clientId="a" * 27)
        assert strict.book("hedging").positions == {}


@pytest.mark.parametrize("tool", ORDER_TOOLS)
async def test_four_tools_read_a_client_id_that_they_do_not_declare(faithful, strict, tool):
    for venue in (faithful, strict):
        async with connected(venue.url) as client:
            [declared] = [one for one in (await client.session.list_tools()).tools if one.name == tool]
            assert "clientId" not in declared.input_schema["properties"]
            await client.call(tool, **ORDER, **ORDER_TOOLS[tool], clientId="mine")
            book = venue.book("hedging")
            [held] = [*book.positions.values(), *book.orders.values()]
            assert held.wish.client_id == "mine"


async def test_a_comment_and_a_client_id_share_26_characters(faithful, strict):
    for venue in (faithful, strict):
        async with connected(venue.url) as client:
            await client.buy(clientId="a" * 20, comment="b" * 6)
            with pytest.raises(Failed, match="26"):
                await client.buy(clientId="a" * 20, comment="b" * 7)
            assert len(venue.book("hedging").positions) == 1


@pytest.mark.parametrize("tool", ["deploy_account", "undeploy_account", "redeploy_account"])
async def test_deploying_always_fails(faithful, tool):
    async with connected(faithful.url) as client:
        with pytest.raises(Failed, match="api is not defined") as failed:
            await client.call(tool, accountId="hedging")
        assert failed.value.code == "UNKNOWN_ERROR"


async def test_a_strict_server_deploys(strict):
    async with connected(strict.url) as client:
        await client.call("undeploy_account", accountId="hedging")
        assert [one["state"] for one in await client.call("list_accounts")] == ["UNDEPLOYED", "DEPLOYED"]
        with pytest.raises(Failed, match="UNDEPLOYED"):
            await client.buy()
        await client.call("redeploy_account", accountId="hedging")
        await client.call("deploy_account", accountId="hedging")
        await client.buy()


async def test_a_subscription_never_notifies(faithful):
    async with connected(faithful.url) as client:
        await client.call("subscribe_price", accountId="hedging", symbol="EURUSD")
        faithful.set_price("EURUSD", "1.2", "1.2001")
        await client.call("get_symbol_price", accountId="hedging", symbol="EURUSD")
        assert client.notes == []


async def test_zero_does_not_take_a_stop_loss_away(faithful):
    async with connected(faithful.url) as client:
        number = (await client.buy(stopLoss=1.05))["positionId"]
        receipt = await client.call("modify_position", accountId="hedging", positionId=number, stopLoss=0)
        assert (receipt["success"], receipt["stringCode"]) == (True, "TRADE_RETCODE_NO_CHANGES")
        assert faithful.book("hedging").positions[number].wish.stop_loss is not None


async def test_in_a_strict_server_it_does(strict):
    async with connected(strict.url) as client:
        number = (await client.buy(stopLoss=1.05, takeProfit=1.2))["positionId"]
        await client.call("modify_position", accountId="hedging", positionId=number, stopLoss=0)
        wish = strict.book("hedging").positions[number].wish
        assert wish.stop_loss is None
        assert wish.take_profit is not None


async def test_success_is_said_of_a_part_and_of_nothing(faithful):
    faithful.set_price("EURUSD", "1.1", "1.1002", size="0.4")
    async with connected(faithful.url) as client:
        receipt = await client.buy()
        assert (receipt["success"], receipt["stringCode"]) == (True, "TRADE_RETCODE_DONE_PARTIAL")
        [position] = faithful.book("hedging").positions.values()
        assert position.volume == Decimal("0.4")


async def test_the_first_call_of_every_session_is_slow(faithful):
    faithful.first_call_delay = 60
    async with connected(faithful.url) as client:
        await client.call("list_accounts")
        with anyio.move_on_after(0.2):
            await client.call("get_symbols", accountId="hedging")
            pytest.fail("it answered")
    faithful.first_call_delay = 0
    async with connected(faithful.url) as client:
        await client.call("get_symbols", accountId="hedging")
        faithful.first_call_delay = 60
        await client.call("get_symbols", accountId="hedging")


async def test_dying_ends_a_call_at_once(faithful):
    faithful.first_call_delay = 60
    async with connected(faithful.url) as client, anyio.create_task_group() as tasks:

        async def die():
            await faithful.arrived()
            await faithful.die()

        tasks.start_soon(die)
        with anyio.fail_after(20), pytest.raises(MCPError):
            await client.buy()


async def test_the_token_is_in_the_query_of_the_url():
    async with MetaApiVenue(mode="faithful", token="s3cret/&") as venue, httpx2.AsyncClient() as http:
        assert "token=s3cret%2F%26" in venue.url
        async with connected(venue.url) as client:
            await client.call("list_accounts")
        assert (await http.get(f"http://127.0.0.1:{venue.port}/sse?token=wrong")).status_code == 401


@pytest.mark.parametrize("mode", ["strict", "faithful"])
@pytest.mark.parametrize("omitted", ["keep", "remove"])
async def test_protection_that_a_change_does_not_name_stays_or_goes(mode, omitted):
    async with MetaApiVenue(mode=mode, omitted_stops=omitted) as venue, connected(venue.url) as client:
        number = (await client.buy(stopLoss=1.05, takeProfit=1.2))["positionId"]
        await client.call("modify_position", accountId="hedging", positionId=number, stopLoss=1.06)
        wish = venue.book("hedging").positions[number].wish
        assert (wish.stop_loss, wish.take_profit is None) == (Decimal("1.06"), omitted == "remove")
