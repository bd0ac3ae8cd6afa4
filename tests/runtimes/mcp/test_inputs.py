"""Tools that ask for input while they work: refused, declined or answered, as the entry's configuration says."""

from __future__ import annotations

import logging
import sys
from contextlib import asynccontextmanager

import anyio
import pytest

from gatehook.catalog.manifest import Transport
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import ToolFailed
from gatehook.runtimes.mcp import InputPolicy
from tests.runtimes.mcp.conftest import SERVERS
from tests.runtimes.mcp.conftest import running
from tests.runtimes.mcp.conftest import spec_of
from tests.runtimes.mcp.http_server import serving

pytestmark = pytest.mark.anyio

ASKING = str(SERVERS / "asking.py")


@asynccontextmanager
async def asking(policy, port, **limits):
    """A session with the SDK's server of the version without a handshake."""
    command = [sys.executable, ASKING, "streamable", str(port)]
    process = await anyio.open_process(command, stdin=None, stdout=None, stderr=None)
    spec = spec_of(
        url=f"http://127.0.0.1:{port}/mcp",
        transport=Transport.STREAMABLE_HTTP,
        inputs=policy,
        limits={"start_timeout": 30, "backoff_cap": 0.1, **limits},
    )
    try:
        async with running(spec, wait=False) as session:
            await session.wait_connected(60)
            assert session.server["protocol"] == "2026-07-28"
            yield session
    finally:
        process.kill()
        await process.wait()


async def test_by_default_nothing_is_answered(free_tcp_port):
    async with asking(InputPolicy.REFUSE, free_tcp_port) as session:
        for tool in ("filled", "sampled", "address"):
            with pytest.raises(ToolFailed, match=r"asks for input .*'size'.*nobody answers.*not proven"):
                await session.call(tool, {})
        assert (await session.call("patient", {})).json() == {"rounds": 3}  # it asks for time, not for an answer


async def test_declined_the_server_hears_no_and_gets_its_state_back(free_tcp_port, caplog):
    caplog.set_level(logging.INFO)
    async with asking(InputPolicy.DECLINE, free_tcp_port) as session:
        for tool in ("filled", "address"):
            answer = (await session.call(tool, {})).json()
            assert answer == {"action": "decline", "content": None, "echoed": True}
        with pytest.raises(ToolFailed, match="sampling/createMessage"):
            await session.call("sampled", {})
    assert caplog.text.count("declined") == 2


async def test_defaults_fill_a_form_where_they_suffice(free_tcp_port, caplog):
    caplog.set_level(logging.INFO)
    async with asking(InputPolicy.DEFAULTS, free_tcp_port, max_rounds=3) as session:
        assert (await session.call("filled", {})).json() == {"action": "accept", "content": {"size": 3}, "echoed": True}
        assert (await session.call("unfilled", {})).json()["action"] == "decline"
        assert (await session.call("address", {})).json()["action"] == "decline"
        with pytest.raises(ToolFailed, match="more than 3 times"):
            await session.call("endless", {})
    assert "answered with the defaults" in caplog.text


@pytest.mark.parametrize(
    ("policy", "action", "content"),
    [(InputPolicy.DECLINE, "decline", None), (InputPolicy.DEFAULTS, "accept", {"size": 3})],
)
async def test_a_server_with_a_handshake_asks_by_a_request(policy, action, content):
    spec = spec_of(sys.executable, ASKING, "stdio", "0", inputs=policy, limits={"start_timeout": 60})
    async with running(spec, wait=False) as session:
        await session.wait_connected(60)
        assert session.server["protocol"] == "2025-11-25"
        assert (await session.call("filled", {})).json() == {"action": action, "content": content}


class Endless:
    """A modern server whose tool asks again and again, quickly; counts what it was asked."""

    def __init__(self):
        self.calls = []

    async def handle(self, request):
        method = request.message["method"]
        if method == "server/discover":
            capabilities = {"capabilities": {"tools": {}}, "supportedVersions": ["2026-07-28"]}
            await request.answer({"resultType": "complete", "ttlMs": 0, "cacheScope": "private", **capabilities})
        elif method == "tools/list":
            tool = {"name": "echo", "inputSchema": {"type": "object"}}
            await request.answer({"resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": [tool]})
        elif method == "tools/call":
            self.calls.append(request.message)
            await request.answer({"resultType": "input_required", "requestState": f"s{len(self.calls)}"})
        else:
            await request.respond(404)


async def test_all_rounds_are_within_the_deadline_of_the_call():
    server = Endless()
    async with serving(server.handle) as port:
        spec = spec_of(
            url=f"http://127.0.0.1:{port}/mcp", transport=Transport.STREAMABLE_HTTP, limits={"max_rounds": 1_000_000}
        )
        async with running(spec) as session:
            with anyio.fail_after(10), pytest.raises(Ambiguous, match="no answer within"):
                await session.call("echo", {}, timeout=0.3)
    assert len({one["id"] for one in server.calls}) == len(server.calls) > 1
    states = [one["params"].get("requestState") for one in server.calls]
    assert states == [None, *(f"s{at}" for at in range(1, len(states)))]
