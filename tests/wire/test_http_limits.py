"""What a server at a URL holds at once: sessions, requests, bodies; and what goes on when its client is gone."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import anyio
import pytest

from gatehook.kinds.kind import Kind
from gatehook.wire import http as http_app
from gatehook.wire import http_sessions
from gatehook.wire.codec import WireCodec
from gatehook.wire.http import HttpApp
from gatehook.wire.server import About
from gatehook.wire.server import WireServer
from gatehook.wire.serving import Served

pytestmark = pytest.mark.anyio
READS, WRITES = "gatehook.memory.stats", "gatehook.memory.flush"


class Slow:
    """Answers when the test says so."""

    def __init__(self):
        self.go = anyio.Event()
        self.begun = 0
        self.done = []
        self.changed = anyio.Event()

    async def stats(self, namespace=None):
        await self._wait("stats")

    async def flush(self, **given):
        await self._wait("flush")

    async def _wait(self, what):
        self.begun += 1
        self._tell()
        try:
            await self.go.wait()
            self.done.append(what)
        except BaseException:
            self.done.append(f"no {what}")
            raise
        finally:
            self._tell()

    def _tell(self):
        changed, self.changed = self.changed, anyio.Event()
        changed.set()

    async def until(self, holds):
        with anyio.fail_after(30):
            while not holds():
                await self.changed.wait()


class Client:
    def __init__(self, app):
        self.app = app
        self.gone = anyio.Event()

    async def ask(self, message, session=None, *, parts=None, method="POST"):
        """Send a request; returns status, headers and the JSON of the answer."""
        sent = []
        given = parts if parts is not None else [json.dumps(message).encode()]

        async def receive():
            if given:
                return {"type": "http.request", "body": given.pop(0), "more_body": bool(given)}
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def send(event):
            sent.append(event)

        headers = {"host": "127.0.0.1", "authorization": "Bearer token", "content-type": "application/json"}
        headers |= {"mcp-session-id": session} if session else {}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.app({"type": "http", "path": "/mcp", "method": method, "headers": raw}, receive, send)
        start, end = sent
        body = end["body"]
        return start["status"], dict(start["headers"]), json.loads(body) if body else None

    async def session(self):
        status, headers, _ = await self.ask(message("initialize", {"protocolVersion": "2025-11-25"}))
        return headers[b"mcp-session-id"].decode() if status == 200 else status

    async def call(self, tool, session=None, number=1):
        status, _, answer = await self.ask(message("tools/call", {"name": tool}, number), session)
        assert status == 200
        return answer.get("result", answer.get("error"))


def message(method, params, number=1):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


@asynccontextmanager
async def running():
    slow = Slow()
    async with anyio.create_task_group() as tasks:

        def serve():
            return WireServer(Served({Kind.MEMORY: slow}, tasks, WireCodec()), About(name="slow", version="1"))

        app = HttpApp(serve, token="token")
        yield app, slow, tasks
        slow.go.set()


async def test_one_request_too_many_is_refused_in_a_way_that_proves_that_it_was_not_begun(monkeypatch):
    monkeypatch.setattr(http_sessions, "MOST_AT_ONCE", 3)
    async with running() as (app, slow, tasks):
        client = Client(app)
        for number in range(3):
            tasks.start_soon(client.call, WRITES, None, number)
        await slow.until(lambda: slow.begun == 3)
        refused = await client.call(WRITES)
        assert refused["isError"]
        assert refused["structuredContent"].items() >= {"code": "throttled", "category": "denied"}.items()
        status, _, answer = await client.ask(message("tools/list", {}))
        assert (status, answer["error"]["code"]) == (200, -32000)
        assert slow.begun == 3
        slow.go.set()
        await slow.until(lambda: len(slow.done) == 3)
        assert not (await client.call(WRITES))["isError"]


async def test_clients_without_a_session_may_count_their_requests_alike():
    async with running() as (app, slow, tasks):
        for _ in range(2):
            tasks.start_soon(Client(app).call, READS)
        await slow.until(lambda: slow.begun == 2)


async def test_a_request_under_an_id_that_is_being_answered_is_a_bad_request():
    async with running() as (app, slow, tasks):
        client = Client(app)
        name = await client.session()
        tasks.start_soon(client.call, READS, name)
        await slow.until(lambda: slow.begun == 1)
        assert (await client.ask(message("ping", {}), name))[0] == 400


async def test_what_only_reads_ends_with_its_client_and_what_writes_does_not():
    async with running() as (app, slow, tasks):
        client = Client(app)
        tasks.start_soon(client.call, READS)
        tasks.start_soon(client.call, WRITES)
        await slow.until(lambda: slow.begun == 2)
        client.gone.set()
        await slow.until(lambda: slow.done == ["no stats"])
        slow.go.set()
        await slow.until(lambda: slow.done == ["no stats", "flush"])


async def test_a_client_cancels_its_own_request():
    async with running() as (app, slow, tasks):
        client = Client(app)
        mine, other = await client.session(), await client.session()
        tasks.start_soon(client.call, WRITES, mine, 7)
        await slow.until(lambda: slow.begun == 1)
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
        assert (await client.ask(cancelled, other))[0] == 202
        assert slow.done == []
        assert (await client.ask(cancelled, mine))[0] == 202
        await slow.until(lambda: slow.done == ["no flush"])


async def test_no_session_is_ended_while_it_is_answered(monkeypatch):
    monkeypatch.setattr(http_sessions, "MOST_SESSIONS", 2)
    async with running() as (app, slow, tasks):
        client = Client(app)
        busy, idle = await client.session(), await client.session()
        tasks.start_soon(client.call, READS, busy)
        await slow.until(lambda: slow.begun == 1)
        newer = await client.session()
        assert (await client.ask(message("ping", {}, 9), busy))[0] == 200
        assert (await client.ask(message("ping", {}, 9), idle))[0] == 404
        tasks.start_soon(client.call, READS, newer)
        await slow.until(lambda: slow.begun == 2)
        assert await client.session() == 503


async def test_a_silent_session_is_forgotten_and_a_busy_one_is_not(monkeypatch):
    async with running() as (app, slow, tasks):
        client = Client(app)
        silent, busy = await client.session(), await client.session()
        tasks.start_soon(client.call, READS, busy)
        await slow.until(lambda: slow.begun == 1)
        monkeypatch.setattr(http_sessions, "IDLE_SESSION", -1)
        assert (await client.ask(message("ping", {}), silent))[0] == 404
        assert (await client.ask(message("ping", {}, 9), busy))[0] == 200


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(http_app, "BODY_TIME", 0.01)
    async with running() as (app, _, _):
        client = Client(app)
        assert (await client.ask(None, parts=[]))[0] == 408


async def test_a_client_that_goes_in_the_middle_of_its_body_begins_nothing():
    async with running() as (app, slow, _):
        client = Client(app)
        client.gone.set()
        assert (await client.ask(None, parts=[]))[0] == 400
        assert slow.begun == 0


async def test_a_server_that_stops_lets_questions_go_finishes_what_writes_and_begins_nothing():
    async with running() as (app, slow, tasks):
        client = Client(app)
        tasks.start_soon(client.call, READS)
        tasks.start_soon(client.call, WRITES, await client.session())
        await slow.until(lambda: slow.begun == 2)
        app.close()
        await slow.until(lambda: slow.done == ["no stats"])
        assert (await client.call(WRITES))["structuredContent"]["code"] == "throttled"
        slow.go.set()
        await slow.until(lambda: slow.done == ["no stats", "flush"])
