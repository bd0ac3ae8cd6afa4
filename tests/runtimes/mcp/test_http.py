"""Streamable HTTP against a server that does what it is told, to the byte."""

from __future__ import annotations

import anyio
import pytest

from gatehook.catalog.manifest import Transport
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import AuthError
from gatehook.kinds.errors import CallRefused
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.runtimes.mcp import McpState
from tests.runtimes.mcp.conftest import running
from tests.runtimes.mcp.conftest import spec_of
from tests.runtimes.mcp.conftest import until
from tests.runtimes.mcp.http_server import Scripted
from tests.runtimes.mcp.http_server import half_open
from tests.runtimes.mcp.http_server import serving

pytestmark = pytest.mark.anyio


def over(port, *, path="/mcp", host="127.0.0.1", transport=Transport.STREAMABLE_HTTP, **more):
    return spec_of(url=f"http://{host}:{port}{path}", transport=transport, **more)


@pytest.fixture
def server():
    return Scripted()


async def test_an_old_server_is_found_out_and_called(server):
    async with serving(server.handle) as port, running(over(port, headers={"x-key": "k1"})) as session:
        assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)
        assert session.server["protocol"] == "2025-11-25"
        (call,) = server.asked("tools/call")
        assert call.headers["mcp-session-id"] == "session-1"
        assert call.headers["mcp-protocol-version"] == "2025-11-25"
        assert call.headers["x-key"] == "k1"
    assert [one.method for one in server.requests][-1] == "DELETE"


async def respond(server, status, body=b"", **headers):
    async def calls(request):
        await request.respond(status, body, **headers)

    server.calls = calls


@pytest.mark.parametrize(
    ("status", "headers", "error", "says"),
    [
        (500, {}, Ambiguous, "HTTP status 500"),
        (502, {"retry_after": "7"}, Ambiguous, "HTTP status 502"),
        (429, {"retry_after": "7"}, Ambiguous, "HTTP status 429"),
        (401, {}, Ambiguous, "HTTP status 401"),
        (307, {"location": "http://169.254.169.254/latest"}, Ambiguous, "not followed"),
        (302, {"location": "/other"}, Ambiguous, "not followed"),
        (200, {"content_type": "text/html"}, ToolAnswerInvalid, "neither JSON"),
        (202, {}, ToolAnswerInvalid, "neither JSON"),
    ],
)
async def test_what_a_status_says_is_in_the_error(server, status, headers, error, says):
    await respond(server, status, **headers)
    async with serving(server.handle) as port, running(over(port)) as session:
        with pytest.raises(error, match=says) as caught:
            await session.call("echo", {"text": "x"})
        if "retry_after" in headers:
            assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"jsonrpc":"2.0","id":1,"result":{"a":NaN}}', b"", b"\xff"])
async def test_a_response_that_is_no_message_fails_its_call_only(server, body):
    await respond(server, 200, body, content_type="application/json")
    async with serving(server.handle) as port, running(over(port)) as session:
        with pytest.raises((ToolAnswerInvalid, Ambiguous)):
            await session.call("echo", {"text": "x"})
        server.calls = None
        assert (await session.call("echo", {"text": "x"})).texts == ("x",)
        assert session.generation == 1


async def test_a_json_error_with_a_status_is_the_protocols(server):
    async def calls(request):
        body = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"bad"}}'
        await request.respond(400, body, content_type="application/json")

    server.calls = calls
    async with serving(server.handle) as port, running(over(port)) as session:
        with pytest.raises(CallRefused, match="-32602"):
            await session.call("echo", {"text": "x"})


async def test_a_redirect_on_the_same_host_is_followed(server):
    async def moved(request):
        if request.path == "/old":
            await request.respond(307, location="/mcp")
        else:
            await server.handle(request)

    async with serving(moved) as port, running(over(port, path="/old")) as session:
        assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)


@pytest.mark.parametrize("stated", [True, False])
async def test_a_result_over_the_cap_is_not_read(server, stated):
    async def calls(request):
        if stated:
            await request.respond(200, b"x" * 200_000, content_type="application/json")
        else:
            await request.open_stream(b"data: " + b"x" * 200_000 + b"\n\n")

    server.calls = calls
    async with serving(server.handle) as port, running(over(port, limits={"max_result": 100_000})) as session:
        with pytest.raises(Ambiguous, match="over the cap of 100000"):
            await session.call("echo", {"text": "x"})
        server.calls = None
        assert (await session.call("echo", {"text": "x"})).texts == ("x",)


async def test_a_server_that_forgot_the_session_is_met_anew_at_once(server):
    async with serving(server.handle) as port, running(over(port, limits={"backoff": 60.0})) as session:
        server.known.clear()
        with pytest.raises(Ambiguous, match="no longer knows the session"):
            await session.call("echo", {"text": "x"})
        await session.wait_connected(2)
        assert session.generation == 2
        assert (await session.call("echo", {"text": "x"})).texts == ("x",)


async def test_a_stream_that_breaks_off_is_resumed_where_its_events_have_ids(server):
    async def calls(request):
        await request.open_stream(b"id: e1\nretry: 10\ndata:\n\n")
        await request.stream.aclose()

    answers = []

    async def handle(request):
        if request.method == "GET" and "last-event-id" in request.headers:
            answers.append(request.headers["last-event-id"])
            number = server.asked("tools/call")[0].message["id"]
            reply = b'{"jsonrpc":"2.0","id":%d,"result":{"content":[{"type":"text","text":"late"}]}}' % number
            await request.open_stream(b"data: " + reply + b"\n\n")
            await request.stream.aclose()
        else:
            await server.handle(request)

    server.calls = calls
    async with serving(handle) as port, running(over(port)) as session:
        assert (await session.call("echo", {"text": "x"})).texts == ("late",)
    assert answers == ["e1"]


async def test_a_stream_that_breaks_off_for_good_leaves_the_call_ambiguous(server):
    async def calls(request):
        await request.open_stream(b'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n')
        await request.stream.aclose()

    server.calls = calls
    async with serving(server.handle) as port, running(over(port)) as session:
        with pytest.raises(Ambiguous, match="ended without an answer"):
            await session.call("echo", {"text": "x"})
        assert session.generation == 1


async def test_one_stuck_call_holds_up_no_other_and_the_end_is_bounded(server):
    async def stuck(request):
        if request.message.get("params", {}).get("arguments") == {"text": "stuck"} or request.method == "DELETE":
            await anyio.sleep_forever()
        text = {"type": "text", "text": "on"}
        await request.answer({"content": [text]})

    server.calls = server.deletes = stuck
    async with serving(server.handle) as port:
        async with running(over(port)) as session:
            with pytest.raises(Ambiguous, match="no answer within"):
                await session.call("echo", {"text": "stuck"}, timeout=0.1)
            assert (await session.call("echo", {"text": "x"})).texts == ("on",)
            began = anyio.current_time()
        assert anyio.current_time() - began < 3
        await anyio.wait_all_tasks_blocked()
        assert server.asked("notifications/cancelled")


async def test_refused_then_there(server, free_tcp_port):
    async with running(over(free_tcp_port), wait=False) as session:
        await until(session, McpState.BACKOFF)
        with pytest.raises(NotConnected, match="nothing was sent"):
            await session.call("echo", {"text": "x"})
        with pytest.raises(NotConnected, match="no connection"):
            await session.wait_connected(0.05)
        async with serving(server.handle, free_tcp_port):
            await session.wait_connected(5)
            assert (await session.call("echo", {"text": "x"})).texts == ("x",)
        with pytest.raises((NotConnected, Ambiguous)):
            await session.call("echo", {"text": "x"})


async def test_refused_credentials_are_told_as_such(server):
    async def handle(request):
        await request.respond(401)

    async with serving(handle) as port, running(over(port), wait=False) as session:
        with pytest.raises(AuthError, match="401"):
            await session.wait_connected(0.2)


async def test_a_server_that_asks_to_wait_is_not_asked_before(server):
    async def handle(request):
        await request.respond(503, retry_after="30")

    async with serving(handle) as port, running(over(port), wait=False) as session:
        await until(session, McpState.BACKOFF)
        assert session.status.retry_in >= 30.0


async def test_a_half_open_line_is_found_out_by_pings(server):
    limits = {"ping_every": 0.1, "ping_timeout": 0.1, "start_timeout": 0.3}
    async with (
        serving(server.handle) as port,
        half_open(port) as (between, dead),
        running(over(between, limits=limits)) as session,
    ):
        assert (await session.call("echo", {"text": "x"})).texts == ("x",)
        dead.set()
        with pytest.raises(Ambiguous):
            await session.call("echo", {"text": "x"}, timeout=10)
        with pytest.raises(NotConnected):
            await session.call("echo", {"text": "x"}, timeout=0.5)


@pytest.mark.parametrize(
    "endpoint", ["http://169.254.169.254/x", "https://127.0.0.1/x", "//other.example/x", "http://[::1"]
)
async def test_an_sse_server_may_not_send_messages_elsewhere(endpoint):
    async def handle(request):
        await request.open_stream(f"event: endpoint\ndata: {endpoint}\n\n".encode())
        await anyio.sleep_forever()

    async with serving(handle) as port, running(over(port, path="/sse", transport=Transport.SSE), wait=False) as one:
        await until(one, McpState.FAILED)
        with pytest.raises(Denied, match=r"the server (wants|names)"):
            await one.call("echo", {})
