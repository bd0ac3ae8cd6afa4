"""``gatehook dev fake-venue metaapi``: the stand-in as a process, and its controls."""

from __future__ import annotations

import json
import subprocess
import sys

import anyio
import httpx2
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from gatehook.testing.metaapi import MetaApiVenue
from gatehook.testing.metaapi.control import Control
from gatehook.testing.metaapi.running import accounts_of
from tests.testing.metaapi_client import Failed
from tests.testing.metaapi_client import connected

pytestmark = pytest.mark.anyio

COMMAND = (sys.executable, "-m", "gatehook", "dev", "fake-venue", "metaapi")


async def test_the_process_says_where_it_is_and_serves():
    options = ("--mode", "strict", "--token", "t", "--accounts", "a,b:netting", "--control-port", "0", "--still")
    async with await anyio.open_process([*COMMAND, *options], stderr=None) as process:
        try:
            with anyio.fail_after(60):
                line = await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 10_000)
                urls = json.loads(line)
                assert urls["accounts"] == ["a", "b"]
                async with connected(urls["url"]) as client, httpx2.AsyncClient() as http:
                    assert [one["id"] for one in await client.call("list_accounts")] == ["a", "b"]
                    await client.buy(accountId="a")
                    state = (await http.get(urls["control"])).json()
                    assert [one["tool"] for one in state["requests"]] == ["place_market_order"]
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--accounts", "a,a"], 2, "twice"),
        (["--accounts", ""], 2, "account"),
        (["--mode", "kind"], 2, "--mode"),
        (["--port", "70000"], 2, "--port"),
    ],
)
def test_bad_words_are_explained(options, code, said):
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_taken_port_is_explained():
    async with MetaApiVenue() as venue:
        done = await anyio.run_process([*COMMAND, "--port", str(venue.port)], check=False)
    assert done.returncode != 0
    assert b"cannot listen" in done.stderr


def test_it_imports_neither_pytest_nor_the_sdk_nor_a_web_framework():
    heavy = {"pytest", "mcp", "starlette", "uvicorn", "pydantic", "httpx2", "gatehook.host"}
    program = f"import sys, gatehook.testing.metaapi.control; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_accounts_are_read():
    [one, two] = accounts_of("x, y:netting")
    assert (one.id, one.netting, two.id, two.netting) == ("x", False, "y", True)


@pytest.fixture
async def venue():
    async with MetaApiVenue() as venue:
        yield venue


@pytest.fixture
async def control(venue):
    async with Control(venue) as control, httpx2.AsyncClient() as http:

        async def do(what, **options):
            answer = await http.post(control.url, json={"do": what, **options})
            return answer.status_code, answer.json()

        yield do


async def test_controls_move_the_market_and_bring_faults_about(venue, control):
    async with connected(venue.url) as client:
        assert await control("set_price", symbol="EURUSD", bid="1.2", ask="1.2001") == (
            200,
            {"ok": True, "result": None},
        )
        await control("fail", fault="partial", times=1, fraction="0.25")
        assert (await client.buy())["stringCode"] == "TRADE_RETCODE_DONE_PARTIAL"
        await control("close_market", symbol="EURUSD")
        with pytest.raises(Failed, match="closed"):
            await client.buy()
        await control("close_market", symbol="EURUSD", closed=False)
        await control("account", account="hedging", connection="DISCONNECTED_FROM_BROKER")
        with pytest.raises(Failed, match="DISCONNECTED"):
            await client.buy()
        await control("account", account="hedging", connection="CONNECTED")
        _, answer = await control("stranger", account="hedging", symbol="EURUSD", volume="1", price="1.1")
        assert [one["id"] for one in await client.call("get_orders", accountId="hedging")] == [answer["result"]]


async def test_controls_answer_while_the_venue_is_frozen_or_dead(venue, control):
    await control("freeze")
    await control("thaw")
    await control("freeze", seconds=0.01)
    async with connected(venue.url) as client:
        await client.buy()
    await control("die", seconds=0.01)
    with anyio.fail_after(20):
        while True:
            try:
                async with connected(venue.url) as client:
                    assert len(await client.call("get_positions", accountId="hedging")) == 1
                    break
            except httpx2.ConnectError:
                continue
    await control("die")
    await control("restart")
    async with connected(venue.url) as client:
        await client.call("list_accounts")


@pytest.mark.parametrize(
    ("what", "options"),
    [
        ("nothing", {}),
        ("fail", {"fault": "nothing"}),
        ("fail", {"fault": "error", "speed": 1}),
        ("set_price", {"symbol": "NOPE", "bid": "1", "ask": "2"}),
        ("set_price", {"symbol": "EURUSD", "bid": "2", "ask": "1"}),
        ("set_price", {"symbol": "EURUSD"}),
        ("account", {"account": "hedging", "balance": 1}),
        ("change_tool", {"name": "nothing"}),
        ("stranger", {"account": "hedging", "symbol": "EURUSD", "volume": "1", "price": "1.2"}),
    ],
)
async def test_controls_that_make_no_sense_are_refused(control, what, options):
    status, answer = await control(what, **options)
    assert (status, answer["ok"]) == (400, False)


async def test_there_is_only_control(venue):
    async with Control(venue) as control, httpx2.AsyncClient() as http:
        assert (await http.get(control.url.replace("control", "else"))).status_code == 404
        assert (await http.post(control.url, content=b"{")).status_code == 400
