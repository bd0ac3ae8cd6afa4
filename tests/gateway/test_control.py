"""The control socket: who may speak, what is answered, and that nothing is left."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from gatehook.cli.client import Client
from gatehook.cli.failures import RemoteFailure
from gatehook.diagnostics import GatehookError
from gatehook.gateway.control import ControlServer
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Stream
from gatehook.gateway.protocol import MAX_REQUEST
from gatehook.gateway.protocol import SOCKET
from gatehook.gateway.protocol import socket_address
from gatehook.kinds.errors import AuthError
from gatehook.kinds.errors import Denied

pytestmark = pytest.mark.anyio


async def echo(params):
    return {"said": params.text("words")}


async def refuse(params):
    raise Denied("the price is off the tick")


async def unauthorised(params):
    raise AuthError("the venue refused the token")


async def break_down(params):
    raise ZeroDivisionError("a detail nobody outside needs")


async def never(params):
    await anyio.sleep_forever()


async def count(params):
    for number in range(params.integer("to", 3)):
        yield {"number": number}


METHODS = {
    "echo": Method(echo),
    "refuse": Method(refuse),
    "unauthorised": Method(unauthorised),
    "break": Method(break_down),
    "never": Method(never, timeout=0.05),
    "count": Stream(count),
}


@asynccontextmanager
async def served(data_dir):
    async with ControlServer(data_dir, METHODS).serving():
        yield Client(data_dir)


async def in_thread(function, *args):
    with anyio.fail_after(20):
        return await anyio.to_thread.run_sync(lambda: function(*args))


async def error_of(client, method, params=None):
    with pytest.raises((RemoteFailure, GatehookError)) as caught:
        await in_thread(client.call, method, params)
    return caught.value.error if isinstance(caught.value, RemoteFailure) else caught.value.diagnostics[0].to_json()


async def test_a_call_is_answered(tmp_path):
    async with served(tmp_path) as client:
        assert await in_thread(client.call, "echo", {"words": "ünïcode"}) == {"said": "ünïcode"}


async def test_a_stream_gives_its_items_and_ends(tmp_path):
    async with served(tmp_path) as client:
        items = await in_thread(lambda: list(client.stream("count", {"to": 4})))
    assert items == [{"number": number} for number in range(4)]


async def test_the_socket_is_the_owners_alone_and_goes_with_the_server(tmp_path):
    async with served(tmp_path):
        assert (tmp_path / SOCKET).stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / SOCKET).exists()


async def test_a_stale_socket_file_is_replaced(tmp_path):
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / SOCKET))
    stale.close()
    async with served(tmp_path) as client:
        assert await in_thread(client.is_running)


async def test_a_long_path_works_as_a_short_one_does(tmp_path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    async with served(deep) as client:
        assert await in_thread(client.call, "echo", {"words": "far"}) == {"said": "far"}
    assert not (deep / SOCKET).exists()


def test_an_address_leaves_no_descriptor_open(tmp_path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with socket_address(deep) as address:
        assert len(address) < 100
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_no_gateway_is_said_with_its_remedy(tmp_path):
    error = await error_of(Client(tmp_path), "echo")
    assert error["code"] == "cli.no-gateway"
    assert "gatehook run" in error["remedy"]


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("ech", {}, "gateway.bad-request"),
        ("echo", {}, "gateway.bad-request"),
        ("echo", {"words": 7}, "gateway.bad-request"),
        ("refuse", {}, "denied"),
        ("unauthorised", {}, "auth"),
        ("break", {}, "gateway.method-failed"),
        ("never", {}, "gateway.too-slow"),
    ],
)
async def test_every_failure_is_answered_with_a_code_and_a_remedy(tmp_path, method, params, code):
    async with served(tmp_path) as client:
        error = await error_of(client, method, params)
    assert error["code"] == code
    assert error["remedy"]
    assert "nobody outside" not in json.dumps(error)


async def test_a_connection_survives_a_request_that_is_no_json(tmp_path):
    async with served(tmp_path), await anyio.connect_unix(tmp_path / SOCKET) as connection:
        await connection.send(
            b"{not json}\n[]\n" + json.dumps({"id": 1, "method": "echo", "params": {"words": "x"}}).encode() + b"\n"
        )
        answers = b""
        with anyio.fail_after(10):
            while answers.count(b"\n") < 3:
                answers += await connection.receive()
    first, second, third = map(json.loads, answers.splitlines())
    assert first["error"]["code"] == second["error"]["code"] == "gateway.bad-request"
    assert third == {"id": 1, "result": {"said": "x"}}


async def test_a_line_without_end_is_cut_off_and_others_are_served(tmp_path):
    async with served(tmp_path) as client:
        async with await anyio.connect_unix(tmp_path / SOCKET) as connection:
            with anyio.fail_after(20):
                try:
                    for _ in range(MAX_REQUEST // 65536 + 8):
                        await connection.send(b"x" * 65536)
                except anyio.BrokenResourceError:
                    pass
        assert await in_thread(client.call, "echo", {"words": "still here"}) == {"said": "still here"}


async def test_a_watcher_that_goes_away_ends_its_stream(tmp_path):
    closed = anyio.Event()

    async def watch(params):
        try:
            yield {"first": True}
            await anyio.sleep_forever()
        finally:
            closed.set()

    async with ControlServer(tmp_path, {"watch": Stream(watch)}).serving():
        async with await anyio.connect_unix(tmp_path / SOCKET) as connection:
            await connection.send(b'{"id": 1, "method": "watch"}\n')
            await connection.receive()
        with anyio.fail_after(10):
            await closed.wait()


async def test_stopping_closes_connections_that_are_open(tmp_path):
    async with ControlServer(tmp_path, METHODS).serving():
        connection = await anyio.connect_unix(tmp_path / SOCKET)
    with anyio.fail_after(10), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
        await connection.receive()
    await connection.aclose()


async def test_a_client_that_goes_in_the_moment_of_stopping_disturbs_nothing(tmp_path):
    async with ControlServer(tmp_path, METHODS).serving():
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(tmp_path / SOCKET))
        client.sendall(b'{"method": "echo", "params": {"words": "x"}}\n')
        await in_thread(client.recv, 1024)
        await anyio.wait_all_tasks_blocked()
        client.close()  # the server's read becomes ready in the same turn of the loop in which it is cancelled
        await anyio.lowlevel.checkpoint()
