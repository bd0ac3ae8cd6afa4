"""``gatehook plugins serve --http``, asked by whoever finds the port: who gets in, what is bounded, how it ends."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest

from gatehook.wire.http_sessions import MOST_SESSIONS
from tests.wire.processes import DIES_WITH_US

SERVE = (sys.executable, "-m", "gatehook", "plugins", "serve", "simulated", "--http", "0")
DEADLINE = 30
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


class Server:
    def __init__(self, folder, *options, token=None):
        command = [*SERVE, "--data-dir", str(folder / "data"), *options]
        self.data = folder / "data"
        self.process = subprocess.Popen([*DIES_WITH_US, *command], stderr=subprocess.PIPE, text=True, cwd=folder)
        self.said = [self.process.stderr.readline().rstrip()]
        self.port = int(self.said[0].rpartition(":")[2].partition("/")[0])
        if token is None:
            self.said.append(self.process.stderr.readline().rstrip())
            token = self.said[1].removeprefix("Authorization: Bearer ")
        self.token = token

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
            self.process.stderr.close()

    def connect(self):
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE))

    def send(self, connection, body=PING, method="POST", path="/mcp", **headers):
        """Send a request with all that a good one has; a header that is ``None`` is left out."""
        given = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name: value for name, value in given.items() if value is not None}
        connection.request(method, path, body, sent)

    def ask(self, body=PING, method="POST", path="/mcp", **headers):
        with self.connect() as connection:
            self.send(connection, body, method, path, **headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None, answer

    def session(self):
        status, _, answer = self.ask(HELLO)
        assert status == 200
        return answer.headers["mcp-session-id"]

    def tool(self, name, arguments, **headers):
        params = {"name": f"gatehook.{name}", "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params}
        status, answer, _ = self.ask(message, **headers)
        assert status == 200, answer
        return answer["result"]["structuredContent"]

    def stream(self, **headers):
        """Open a stream whose first item is minutes away."""
        wanted = [{"instrument_id": "EURUSD.SIMULATED", "channel": "candles", "timeframe": "1m"}]
        return self.tool("market_data.stream.open", {"subscriptions": wanted}, **headers)["result"]["stream"]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        try:
            return self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.said += self.process.stderr.read().splitlines()
            self.process.stderr.close()
            self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("served")) as server:
        yield server
        assert server.stop() == 0
    assert sum(server.token in line for line in server.said) == 1
    assert server.said == server.said[:2]


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer x", "Basic {}", "{}", "Bearer {}x", "Bearer é"])
def test_nobody_gets_in_without_the_token(server, given):
    given = given if given is None else given.format(server.token).encode("latin-1")
    status, answer, reply = server.ask(authorization=given)
    assert (status, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert server.token not in json.dumps(answer)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:80"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1@evil.example"},
        {"host": "[::1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://localhost.evil.example"},
        {"origin": "http://127.0.0.1@evil.example"},
    ],
)
def test_a_page_of_another_site_gets_nothing_even_with_the_token(server, headers):
    assert server.ask(**headers)[0] == 403


@pytest.mark.parametrize("headers", [{"host": "localhost:1"}, {"host": "[::1]:9"}, {"origin": "http://localhost:5173"}])
def test_this_machine_may_ask(server, headers):
    assert server.ask(**headers)[0] == 200


def test_a_header_that_is_checked_is_said_once(server):
    with server.connect() as connection:
        connection.putrequest("POST", "/mcp")
        for name, value in (("authorization", "Bearer x"), ("authorization", f"Bearer {server.token}")):
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 400


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ({"path": "/"}, 404),
        ({"path": "/mcp/x"}, 404),
        ({"method": "GET"}, 405),
        ({"method": "PUT"}, 405),
        ({"method": "DELETE"}, 400),
        ({"method": "DELETE", "mcp_session_id": "nobody"}, 404),
        ({"mcp_session_id": "nobody"}, 404),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": None}, 415),
        ({"accept": "text/event-stream"}, 406),
        ({"content_type": "application/json; charset=utf-8", "accept": "text/event-stream, application/json"}, 200),
    ],
)
def test_what_is_no_post_of_json_is_refused_by_its_status(server, what, status):
    found, _, answer = server.ask(**what)
    assert found == status
    assert (answer.headers["allow"] == "POST, DELETE") is (status == 405)


def test_a_version_that_is_not_spoken_is_refused_with_those_that_are(server):
    status, answer, _ = server.ask(mcp_protocol_version="1999-01-01")
    assert (status, answer["error"]["code"]) == (400, -32022)
    assert "2025-11-25" in answer["error"]["data"]["supported"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff{}", -32700),
        (b'{"id":NaN}', -32700),
        (b"[" * 100_000, -32700),
        (b"7", -32600),
        (b"[]", -32600),
        ([PING, PING], -32600),
        ({}, -32600),
        ({"id": 1}, -32600),
        ({**PING, "id": None}, -32600),
        ({**PING, "id": [1]}, -32600),
        ({**PING, "method": 3}, -32600),
    ],
)
def test_a_body_that_is_no_message_is_a_bad_request(server, body, code):
    status, answer, _ = server.ask(body)
    assert (status, answer["error"]["code"]) == (400, code)


def test_a_body_that_says_it_is_too_large_is_not_waited_for(server):
    with server.connect() as connection:
        connection.putrequest("POST", "/mcp")
        headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
        for name, value in {**headers, "content-length": str(10**12)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_an_endless_body_is_cut_off(server):
    with server.connect() as connection:
        connection.putrequest("POST", "/mcp")
        headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
        for name, value in {**headers, "transfer-encoding": "chunked"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        try:
            for _ in range(64):
                connection.send(chunk)
        except OSError:
            return  # it hung up
        assert connection.getresponse().status == 413


def test_a_session_ends_when_its_client_says_so(server):
    name = server.session()
    stream = server.stream(mcp_session_id=name)
    assert server.tool("market_data.stream.next", {"stream": stream, "wait": 0}, mcp_session_id=name)["result"]
    assert server.ask(method="DELETE", mcp_session_id=name)[0] == 200
    assert server.ask(mcp_session_id=name)[0] == 404
    assert server.ask(method="DELETE", mcp_session_id=name)[0] == 404


def test_one_session_too_many_takes_the_place_of_the_one_silent_longest(server):
    first, second = server.session(), server.session()
    assert server.ask(mcp_session_id=first)[0] == 200
    others = [server.session() for _ in range(MOST_SESSIONS - 1)]
    assert [server.ask(mcp_session_id=one)[0] for one in (first, second, *others)] == [200, 404] + [200] * len(others)


def test_a_session_sees_no_stream_of_another(server):
    mine, theirs = server.session(), server.session()
    stream = server.stream(mcp_session_id=mine)
    answer = server.tool("market_data.stream.next", {"stream": stream, "wait": 0}, mcp_session_id=theirs)
    assert answer["code"] == "unknown_stream"


def test_who_hangs_up_while_waiting_is_let_go_and_the_stream_can_be_read(server):
    name = server.session()
    stream = server.stream(mcp_session_id=name)
    params = {"name": "gatehook.market_data.stream.next", "arguments": {"stream": stream, "wait": 30}}
    with server.connect() as connection:
        server.send(connection, {**PING, "method": "tools/call", "params": params}, mcp_session_id=name)
    end = time.monotonic() + DEADLINE
    while "result" not in server.tool("market_data.stream.next", {"stream": stream, "wait": 0}, mcp_session_id=name):
        assert time.monotonic() < end, "the stream still has its old reader"


@pytest.mark.parametrize("start", [b"POST /mcp HT", b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000])
def test_half_a_request_and_what_is_none_leave_the_server_as_it_was(server, start):
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as raw:
        raw.sendall(start)
    assert server.ask()[0] == 200


def test_it_stops_in_time_whoever_is_connected_and_lets_the_plugin_go(tmp_path):
    with Server(tmp_path) as server:
        stopped_while_connected(server)


def stopped_while_connected(server):
    stream = server.stream()
    params = {"name": "gatehook.market_data.stream.next", "arguments": {"stream": stream, "wait": 30}}
    with (
        server.connect() as waiting,
        server.connect() as idle,
        socket.create_connection(("127.0.0.1", server.port)) as half,
    ):
        half.sendall(b"POST /mcp HTTP/1.1\r\ncontent-le")
        server.send(idle)
        assert idle.getresponse().read()
        server.send(waiting, {**PING, "method": "tools/call", "params": params})
        assert server.ask()[0] == 200
        assert server.stop() == 0
        assert waiting.getresponse().status == 200
    assert b"gateway.stopped" in b"".join(one.read_bytes() for one in server.data.rglob("audit*") if one.is_file())


def test_a_token_of_its_own_is_not_printed(tmp_path):
    path = tmp_path / "token"
    path.write_text("a-token-that-somebody-chose\n")
    path.chmod(0o600)
    with Server(tmp_path, "--token-file", str(path), token="a-token-that-somebody-chose") as server:
        assert server.ask()[0] == 200
        assert server.stop(signal.SIGINT) == 0
    assert len(server.said) == 1


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("a-token-that-somebody-chose", 0o644, "chmod 600"),
        ("short", 0o600, "at least 16"),
        ("two words in here, too many", 0o600, "without spaces"),
        ("ungewöhnlich-aber-lang-genug", 0o600, "cannot be read"),
        (None, 0, "cannot be read"),
    ],
)
def test_a_token_that_protects_nothing_is_refused(tmp_path, text, mode, why):
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    done = subprocess.run(
        [*SERVE, "--token-file", str(path)], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 2
    assert why in " ".join(done.stderr.split())
