"""A broker and HTTP as a plugin's process has them: through the gateway's desk, over the entry's client."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from gatehook.host.http import HttpClients
from gatehook.kinds.orders import OrderStatus
from gatehook.secrets import MASK
from gatehook.testing import ControlledPrices
from gatehook.wire import host_http
from gatehook.wire.host_requests import HostRequests
from gatehook.wire.messages import RpcError
from tests.paper.rig import ACCOUNTS
from tests.wire.serving import ServedPlugin
from tests.wire.serving import stdio_session

pytestmark = pytest.mark.anyio
TRADER = Path(__file__).parent / "trader"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@asynccontextmanager
async def trading(plugin_host, **config):
    """Run paper, and beside it a plugin in a process of its own that trades there."""
    served = ServedPlugin(TRADER, partial(stdio_session, TRADER))
    prices = ControlledPrices(bid="1.10000", ask="1.10010")
    entries = {
        "paper": {"config": {"prices": "prices", "accounts": ACCOUNTS}},
        "trader": {"config": {"broker": "paper"}},
    }
    plugins = [(ControlledPrices.MANIFEST, prices), (served.manifest, served.plugin)]
    given = {"plugins": {"deny": ["simulated", "replay", "sqlite_fts"], "entries": entries}, **config}
    async with plugin_host(builtin=True, plugins=plugins, config=given) as host:
        await prices.followed()
        yield host


async def said(host, what):
    found = await host.market_data("trader", caller="test").list_instruments(query=what)
    return [one.native_symbol for one in found]


async def test_a_plugin_in_another_process_trades_through_the_desk(plugin_host):
    async with trading(plugin_host) as host:
        assert await said(host, "trade") == [
            "paper/main EURUSD.PRICES True",
            "filled paper/main",
            "filled",
            "accepted canceled",
            "1",
            "0",
            "['one', 'two', 'close']",
        ]
        known = await host.desk.journal.order("one")
        assert known.order.status is OrderStatus.FILLED


async def test_the_desk_knows_it_as_a_caller_like_any(plugin_host):
    rule = {"caller": "trader", "decision": "deny"}
    async with trading(plugin_host, permissions=[rule]) as host:
        kind, _ = await said(host, "refused")
        assert kind == "PermissionDenied"
        assert await host.desk.journal.order("three") is None


async def refused(requests, **params):
    with pytest.raises(RpcError) as error:
        await requests.answer("gatehook/http", params)
    return error.value.data["code"]


@asynccontextmanager
async def site(answer):
    """Serve one answer after the other at a loopback port; yields the URL and what was asked."""
    asked = []

    async def handle(stream):
        async with stream:
            head = b""
            while b"\r\n\r\n" not in head:
                head += await stream.receive()
            asked.append(head)
            await stream.send(answer)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        yield f"http://127.0.0.1:{port}/", asked
        tasks.cancel_scope.cancel()


@pytest.fixture
async def requests():
    async with HttpClients().new() as client:
        yield HostRequests(SimpleNamespace(http=client), lambda: None)


async def test_a_request_goes_over_the_entrys_client(requests):
    found = b"HTTP/1.1 302 Found\r\nlocation: /on\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"
    found += b"content-length: 2\r\n\r\n\xc3\xa9"
    async with site(found) as (url, asked):
        params = {"method": "POST", "url": url, "headers": {"x-key": "k"}, "text": "é"}
        answer = await requests.answer("gatehook/http", params)
    assert (answer["status"], answer["text"]) == (302, "é")
    assert [value for name, value in answer["headers"] if name == "set-cookie"] == ["a=1", "b=2"]
    assert b"x-key: k" in asked[0].lower()


async def test_a_body_that_is_no_text_is_base64(requests):
    async with site(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\x00") as (url, _):
        assert (await requests.answer("gatehook/http", {"method": "GET", "url": url}))["base64"] == "/wA="


async def test_what_may_have_left_is_ambiguous_and_what_did_not_says_so(requests):
    async with site(b"") as (url, _):
        assert await refused(requests, method="GET", url=url) == "ambiguous"
    assert await refused(requests, method="GET", url=url) == "not_connected"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # httpcore2 leaves its generator to trio's collector
async def test_an_answer_that_is_too_long_is_not_given(requests, monkeypatch):
    monkeypatch.setattr(host_http, "LARGEST", 10)
    async with site(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + b"x" * 11) as (url, _):
        assert await refused(requests, method="GET", url=url) == "ambiguous"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"method": "GET", "url": "http://127.0.0.1/", "headers": {"authorization": f"Bearer {MASK}"}}, "denied"),
        ({"method": "GET", "url": f"http://127.0.0.1/?token={MASK}"}, "denied"),
        ({"method": "GET", "url": "http://[half"}, "not_connected"),
        ({"method": "GET", "url": "file:///etc/passwd"}, "invalid_arguments"),
        ({"method": "TRACE", "url": "http://127.0.0.1/"}, "invalid_arguments"),
        ({"method": "GET"}, "invalid_arguments"),
        ({"method": "POST", "url": "http://127.0.0.1/", "text": "a", "base64": "YQ=="}, "invalid_arguments"),
        ({"method": "POST", "url": "http://127.0.0.1/", "base64": "?"}, "invalid_arguments"),
        ({"method": "GET", "url": "http://127.0.0.1/", "proxy": "x"}, "invalid_arguments"),
    ],
)
async def test_what_is_no_request_is_not_sent(requests, params, code):
    assert await refused(requests, **params) == code


async def test_a_server_that_does_not_answer_is_given_up(requests):
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        assert await refused(requests, method="GET", url=f"http://127.0.0.1:{port}/", timeout=0.1) == "ambiguous"
