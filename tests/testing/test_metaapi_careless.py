"""Whatever a client sends, the stand-in answers or ignores it, and goes on."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from random import Random

import anyio
import anyio.lowlevel
import httpx2
import pytest

from gatehook.testing.metaapi import MetaApiVenue
from gatehook.testing.metaapi.definitions import DEFINITIONS
from tests.testing.metaapi_client import Failed
from tests.testing.metaapi_client import connected

pytestmark = pytest.mark.anyio

JUNK = (None, True, -1, 0, 1e300, 10**30, "", "buy", "x" * 1000, "1e999999", "NaN", [], [1], {}, {"distance": 5})
TIMES = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-13-01", "now")
GIVEN = {
    "accountId": "hedging",
    "symbol": "EURUSD",
    "side": "buy",
    "volume": 0.1,
    "openPrice": 1.05,
    "positionId": "1",
    "orderId": "1",
    "ticket": "1",
    "timeframe": "1h",
    "type": "ORDER_TYPE_BUY",
    "actionType": "ORDER_TYPE_SELL",
    "trailingStopLoss": {"distance": {"distance": 100, "units": "RELATIVE_POINTS"}},
}


@pytest.fixture
async def venue():
    async with MetaApiVenue(mode="faithful") as venue:
        yield venue


def careless(random: Random, tool: str):
    """Return the arguments of a call, about a third of them junk."""
    for name in DEFINITIONS[tool].input_schema["properties"]:
        fate = random.random()
        if fate < 0.3:
            yield name, random.choice(JUNK + TIMES if name.endswith("Time") else JUNK)
        elif fate < 0.8 and name in GIVEN:
            yield name, GIVEN[name]


@pytest.mark.parametrize("seed", range(int(os.environ.get("GATEHOOK_METAAPI_SEEDS", "2"))))
async def test_careless_arguments_are_answered(venue, seed):
    random = Random(seed)
    async with connected(venue.url) as client:
        for tool in DEFINITIONS:
            for _ in range(8):
                with suppress(Failed):
                    await client.text(tool, **dict(careless(random, tool)))
        venue.set_price("EURUSD", "1.2", "1.2002")
        assert len(await client.call("get_positions", accountId="hedging")) == len(venue.book("hedging").positions)


@pytest.mark.parametrize("tool", DEFINITIONS)
async def test_every_tool_answers_what_its_schema_asks_for(tool):
    given = {name: GIVEN[name] for name in DEFINITIONS[tool].input_schema.get("required", ())}
    if DEFINITIONS[tool].name == "create_stop_buy_order":
        given["openPrice"] = 1.15
    absent = {"modify_position", "close_position", "cancel_order", "modify_order", "get_position", "get_order"}
    async with MetaApiVenue(mode="strict") as venue, connected(venue.url) as client:
        try:
            json.loads(await client.text(tool, **given))
        except Failed:
            assert tool in absent
        else:
            assert tool not in absent


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"method": 5, "id": 1}',
        b'{"method": "tools/call", "id": [1], "params": 7}',
        b'{"method": "tools/call", "id": {"a": 1}, "params": {"name": [], "arguments": "x"}}',
        b'{"method": "notifications/cancelled", "params": {"requestId": {}}}',
        b'{"method": "initialize", "id": 1, "params": {"protocolVersion": []}}',
        b'{"result": {}, "id": 1}',
    ],
)
async def test_messages_that_are_none_end_nothing(venue, body):
    async with connected(venue.url) as client, httpx2.AsyncClient() as http:
        await client.call("list_accounts")
        [session] = list(venue._sessions)
        answer = await http.post(f"http://127.0.0.1:{venue.port}/message/{session}", content=body)
        assert answer.status_code == 202
        assert await client.call("get_symbols", accountId="hedging")


async def test_text_that_is_no_json_is_refused(venue):
    async with connected(venue.url), httpx2.AsyncClient() as http:
        [session] = list(venue._sessions)
        for body in (b"", b"{", b'{"a": NaN}', b"\xff"):
            answer = await http.post(f"http://127.0.0.1:{venue.port}/message/{session}", content=body)
            assert answer.status_code == 400


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_session_leaves_nothing_behind(anyio_backend, no_leaks):
    async with MetaApiVenue() as venue:
        stream = await anyio.connect_tcp("127.0.0.1", venue.port)
        async with stream:
            await stream.send(b"GET /sse HTTP/1.1\r\n\r\n")
            await stream.receive()
            assert venue.sessions
        await venue.die()
        assert not venue.sessions
        await venue.restart()


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_clients_that_leave_in_the_middle_end_nothing_else(anyio_backend, venue):
    venue.first_call_delay = 0.01
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    params = {"name": "get_symbols", "arguments": {"accountId": "hedging"}}
    async with httpx2.AsyncClient() as http:
        for number in range(10):
            stream = await anyio.connect_tcp("127.0.0.1", venue.port)
            async with stream:
                await stream.send(b"GET /sse HTTP/1.1\r\n\r\n")
                await stream.receive()
                [session] = list(venue._sessions)
                for _ in range(5):
                    await http.post(f"http://127.0.0.1:{venue.port}/message/{session}", json=call | {"params": params})
                venue.flood(100 * number)
            with anyio.fail_after(20):
                while venue.sessions:
                    await anyio.lowlevel.checkpoint()
    async with connected(venue.url) as client:
        assert await client.call("get_symbols", accountId="hedging")
