"""A small HTTP server with a script: each request is handed to a function that writes the response it likes."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import anyio
import attrs

INFO = {"name": "scripted", "version": "1"}
TOOLS = [
    {"name": "echo", "description": "", "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}}
]


@attrs.define
class Request:
    method: str
    path: str
    headers: dict
    body: bytes
    stream: object

    @property
    def message(self):
        return json.loads(self.body) if self.body else {}

    async def respond(self, status=200, body=b"", **headers):
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n"
        head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        await self.stream.send(head.encode() + b"\r\n" + body)

    async def answer(self, result, **headers):
        reply = {"jsonrpc": "2.0", "id": self.message["id"], "result": result}
        await self.respond(200, json.dumps(reply).encode(), content_type="application/json", **headers)

    async def open_stream(self, text=b"", **headers):
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n"
        head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        await self.stream.send(head.encode() + b"\r\n" + text)


class Scripted:
    """A legacy streamable server; ``calls`` says what a ``tools/call`` gets, ``deletes`` what the end of a session."""

    def __init__(self):
        self.requests = []
        self.sessions = 0
        self.known = set()
        self.calls = None
        self.deletes = None
        self.modern = False

    async def handle(self, request):
        self.requests.append(request)
        if request.method == "DELETE":
            await (self.deletes(request) if self.deletes else request.respond(200))
        elif request.method == "GET":
            await request.respond(405)
        else:
            await self._posted(request)

    async def _posted(self, request):
        method = request.message.get("method")
        if method == "initialize":
            self.sessions += 1
            name = f"session-{self.sessions}"
            self.known.add(name)
            version = request.message["params"]["protocolVersion"]
            result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": INFO}
            await request.answer(result, mcp_session_id=name)
        elif method == "server/discover":
            await request.respond(400)
        elif request.headers.get("mcp-session-id") not in self.known:
            await request.respond(404)
        elif method == "tools/list":
            await request.answer({"tools": TOOLS})
        elif method == "ping":
            await request.answer({})
        elif method == "tools/call" and self.calls is not None:
            await self.calls(request)
        elif method == "tools/call":
            text = request.message["params"]["arguments"].get("text", "")
            await request.answer({"content": [{"type": "text", "text": text}]})
        else:
            await request.respond(202)

    def asked(self, method):
        return [one for one in self.requests if one.message.get("method") == method]


@asynccontextmanager
async def serving(handle, port=0):
    """Serve on loopback; gives the port."""

    async def one_connection(stream):
        buffer = b""
        try:
            async with stream:
                while True:
                    while b"\r\n\r\n" not in buffer:
                        buffer += await stream.receive()
                    head, _, buffer = buffer.partition(b"\r\n\r\n")
                    first, *lines = head.decode().split("\r\n")
                    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                    size = int(headers.get("content-length", 0))
                    while len(buffer) < size:
                        buffer += await stream.receive()
                    method, path, _ = first.split(" ")
                    await handle(Request(method, path, headers, buffer[:size], stream))
                    buffer = buffer[size:]
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port, reuse_port=True)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, one_connection)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def half_open(port):
    """A proxy on loopback that forwards until its event is set, and then says nothing and closes nothing."""
    dead = anyio.Event()

    async def forward(source, target):
        try:
            while True:
                data = await source.receive()
                if dead.is_set():
                    await anyio.sleep_forever()
                await target.send(data)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def one_connection(client):
        async with client:
            if dead.is_set():
                await anyio.sleep_forever()
            async with await anyio.connect_tcp("127.0.0.1", port) as server, anyio.create_task_group() as tasks:
                tasks.start_soon(forward, client, server)
                await forward(server, client)
                tasks.cancel_scope.cancel()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, one_connection)
        yield listener.extra(anyio.abc.SocketAttribute.local_port), dead
        tasks.cancel_scope.cancel()
