"""Faults on command: in calls, in answers, on the wire."""

from __future__ import annotations

import json
from decimal import Decimal

import anyio
import httpx2
import pytest
from mcp import MCPError

from gatehook.clocks import ReplayClock
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import from_rfc3339
from gatehook.testing.metaapi import Fault
from gatehook.testing.metaapi import MetaApiVenue
from gatehook.testing.metaapi import World
from tests.testing.metaapi_client import Failed
from tests.testing.metaapi_client import connected

pytestmark = pytest.mark.anyio

NOW = from_rfc3339("2026-03-02T12:00:00Z")


@pytest.fixture
async def venue():
    async with MetaApiVenue() as venue:
        yield venue


@pytest.fixture
async def client(venue):
    async with connected(venue.url) as client:
        yield client


@pytest.fixture
async def clock_venue():
    clock = ReplayClock(NOW)
    async with MetaApiVenue(world=World(clock=clock)) as venue:
        yield venue, clock


async def unanswered(client, seconds=0.2):
    with anyio.move_on_after(seconds) as scope:
        await client.buy()
    assert scope.cancelled_caught


async def test_a_dropped_reply_has_executed(venue, client):
    with venue.failing(Fault.DROP_REPLY):
        await unanswered(client)
    [request] = venue.requests
    assert (request.executed, request.accepted, request.answered) == (True, True, False)
    assert len(venue.book("hedging").positions) == 1


async def test_a_dropped_request_has_not(venue, client):
    with venue.failing(Fault.DROP_REQUEST):
        await unanswered(client)
    [request] = venue.requests
    assert (request.executed, request.answered) == (False, False)
    assert venue.book("hedging").positions == {}


@pytest.mark.parametrize(("fault", "positions"), [(Fault.CUT_REPLY, 1), (Fault.CUT_REQUEST, 0)])
async def test_a_cut_ends_the_session(venue, client, fault, positions):
    venue.fail(fault, times=1)
    with anyio.fail_after(20), pytest.raises(MCPError):
        await client.buy()
    assert len(venue.book("hedging").positions) == positions
    async with connected(venue.url) as again:
        await again.buy()


async def test_a_delay_is_before_and_a_late_reply_after(venue, client):
    with venue.failing(Fault.DELAY, seconds=60):
        await unanswered(client)
    assert venue.book("hedging").positions == {}
    with venue.failing(Fault.DELAY_REPLY, seconds=60):
        await unanswered(client)
    assert len(venue.book("hedging").positions) == 1


async def test_half_is_filled_of_an_order_and_of_a_close(venue, client):
    venue.fail(Fault.PARTIAL, times=1)
    receipt = await client.buy()
    assert receipt["stringCode"] == "TRADE_RETCODE_DONE_PARTIAL"
    venue.fail(Fault.PARTIAL, times=1, fraction="0.2", tool="close_position")
    closed = await client.call("close_position", accountId="hedging", positionId=receipt["positionId"])
    assert closed["stringCode"] == "TRADE_RETCODE_DONE_PARTIAL"
    [position] = venue.book("hedging").positions.values()
    assert position.volume == Decimal("0.4")


async def test_an_order_at_the_market_may_only_be_placed_at_first(clock_venue):
    venue, clock = clock_venue
    async with connected(venue.url) as client:
        venue.fail(Fault.PLACED, seconds=5, times=1)
        receipt = await client.buy(clientId="mine")
        assert (receipt["success"], receipt["stringCode"]) == (True, "TRADE_RETCODE_PLACED")
        assert "positionId" not in receipt
        [order] = await client.call("get_orders", accountId="hedging")
        assert (order["id"], order["type"], order["clientId"]) == (receipt["orderId"], "ORDER_TYPE_BUY", "mine")
        clock.advance(clock.now() + 6 * SECOND)
        [position] = await client.call("get_positions", accountId="hedging")
        assert position["id"] == receipt["orderId"]
        assert await client.call("get_orders", accountId="hedging") == []


@pytest.mark.parametrize(
    "code", ["MARKET_CLOSED", "TRADE_CONTEXT_BUSY", "INSUFFICIENT_FUNDS", "INVALID_STOPS", "UNKNOWN_ERROR"]
)
async def test_every_code_before_and_after(venue, client, code):
    for number, fault in enumerate((Fault.ERROR, Fault.LATE_ERROR)):
        venue.fail(fault, code=code, times=1)
        with pytest.raises(Failed) as failed:
            await client.buy()
        assert failed.value.code == code
        assert len(venue.book("hedging").positions) == number


async def test_synchronizing_is_incomplete_not_empty(venue, client):
    receipt = await client.buy()
    with venue.failing(Fault.SYNCHRONIZING):
        found = await client.call("get_history_orders_by_ticket", accountId="hedging", ticket=receipt["orderId"])
    assert (found["count"], found["orders"]) == (0, {"historyOrders": [], "synchronizing": True})
    venue.book("hedging").synchronizing = True
    assert await client.call("get_deals", accountId="hedging") == {"deals": [], "synchronizing": True}


async def test_answers_that_are_none(venue, client):
    wanted = {"accountId": "hedging", "symbol": "EURUSD"}
    venue.fail(Fault.NOT_JSON, times=1)
    with pytest.raises(json.JSONDecodeError):
        await client.call("get_symbol_price", **wanted)
    venue.fail(Fault.NAN, times=1)
    assert '"bid": NaN' in await client.text("get_symbol_price", **wanted)
    venue.fail(Fault.WRONG_TYPES, times=2)
    price = await client.call("get_symbol_price", **wanted)
    assert (price["bid"], price["symbol"]) == ("1.10000", 7)
    assert isinstance(await client.call("get_symbols", accountId="hedging"), dict)
    venue.fail(Fault.OTHER_TOOL, times=1)
    assert await client.call("get_symbol_price", **wanted) == await client.call("get_symbols", accountId="hedging")
    venue.fail(Fault.OTHER_ACCOUNT, times=1)
    information = await client.call("get_account_information", accountId="hedging")
    assert information["name"] == "A netting account"
    venue.fail(Fault.HUGE, times=1, size=500_000)
    assert len(await client.text("get_symbols", accountId="hedging")) == 500_000


async def test_a_malformed_frame_leaves_its_call_unanswered(venue, client):
    venue.fail(Fault.MALFORMED, tool="get_symbols", times=1)
    with anyio.move_on_after(0.2) as scope:
        await client.call("get_symbols", accountId="hedging")
    assert scope.cancelled_caught
    assert await client.call("get_symbols", accountId="hedging")


async def test_a_flood_comes_before_the_answer(venue, client):
    venue.fail(Fault.FLOOD, size=50, times=1)
    await client.call("get_symbols", accountId="hedging")
    assert client.notes == ["notifications/message"] * 50


async def test_faults_are_counted_named_and_healed(venue, client):
    venue.fail(Fault.ERROR, times=2, tool="get_symbols")
    await client.buy()
    for _ in range(2):
        with pytest.raises(Failed):
            await client.call("get_symbols", accountId="hedging")
    await client.call("get_symbols", accountId="hedging")
    venue.fail(Fault.ERROR)
    venue.heal()
    await client.buy()


async def test_a_changed_tool_is_told_and_listed(venue, client):
    venue.change_tool("close_position", description="another one", input_schema={"type": "object"})
    tools = {one.name: one for one in (await client.session.list_tools()).tools}
    assert tools["close_position"].description == "another one"
    assert client.notes == ["notifications/tools/list_changed"]
    venue.change_tool("close_position", hide=True)
    assert len((await client.session.list_tools()).tools) == 31


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_restart_keeps_the_accounts_and_the_port(anyio_backend, venue):
    port = venue.port
    async with connected(venue.url) as client:
        await client.buy(clientId="kept")
        await venue.die()
        with anyio.fail_after(20), pytest.raises(MCPError):
            await client.call("get_symbols", accountId="hedging")
    async with httpx2.AsyncClient() as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(f"http://127.0.0.1:{port}/health")
        await venue.restart()
        assert (await http.get(f"http://127.0.0.1:{port}/health")).json()["status"] == "ok"
    async with connected(venue.url) as client:
        [position] = await client.call("get_positions", accountId="hedging")
        assert position["clientId"] == "kept"


async def test_another_server_goes_on_with_the_world(venue):
    async with connected(venue.url) as client:
        await client.buy()
    async with MetaApiVenue(mode="faithful", world=venue.world) as other, connected(other.url) as client:
        assert len(await client.call("get_positions", accountId="hedging")) == 1
        assert len(other.requests) == 1


async def test_frozen_it_takes_connections_and_says_nothing(venue):
    venue.freeze()
    stream = await anyio.connect_tcp("127.0.0.1", venue.port)
    async with stream:
        await stream.send(b"GET /health HTTP/1.1\r\n\r\n")
        with anyio.move_on_after(0.2) as scope:
            await stream.receive()
        assert scope.cancelled_caught
        venue.thaw()
        with anyio.fail_after(20):
            assert b"200 OK" in await stream.receive()


async def test_cut_streams_end_and_new_ones_are_taken(venue, client):
    venue.cut_streams()
    with anyio.fail_after(20), pytest.raises(MCPError):
        await client.buy()
    async with connected(venue.url) as again:
        await again.buy()


async def test_a_slow_handshake(venue):
    venue.initialize_delay = 60
    with anyio.move_on_after(0.3) as scope:
        async with connected(venue.url):
            pytest.fail("it shook hands")
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"POST /message/1 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", b"404"),
        (b"GET /nothing HTTP/1.1\r\n\r\n", b"404"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /message/1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 70_000, b"400"),
    ],
)
async def test_what_is_no_request_is_refused(venue, text, status):
    stream = await anyio.connect_tcp("127.0.0.1", venue.port)
    async with stream:
        await stream.send(text)
        with anyio.fail_after(20):
            assert status in await stream.receive()
