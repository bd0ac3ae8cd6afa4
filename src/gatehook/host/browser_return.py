"""Where the browser of a person comes back to: one small page on loopback, for as long as the person is waited for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

import anyio
import anyio.abc

from gatehook.runtimes.mcp.auth import CALLBACK
from gatehook.runtimes.mcp.auth import Ask

_LARGEST: Final = 16_384
_READ_SECONDS: Final = 10.0
_PAGE: Final = b"<!doctype html><title>Gatehook</title><p>Gatehook has the answer. You can close this page."


@asynccontextmanager
async def returning(port: int, show: Callable[[str], None]) -> AsyncIterator[Ask]:
    """Listen on loopback; gives what shows a person an address and waits until the browser comes back from it.

    Raises:
        OSError: the port is taken.
    """
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    waiting = _Waiting()

    async def ask(address: str) -> Mapping[str, str]:
        waiting.state = dict(parse_qsl(urlsplit(address).query)).get("state", "")
        show(address)
        await waiting.came.wait()
        return waiting.answer

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, waiting.serve)
        yield ask
        tasks.cancel_scope.cancel()


class _Waiting:
    """What is waited for. A request that does not bring the state of this very question is none of ours."""

    def __init__(self) -> None:
        self.state = ""
        self.answer: Mapping[str, str] = {}
        self.came = anyio.Event()

    async def serve(self, stream: anyio.abc.SocketStream) -> None:
        async with stream:
            with anyio.move_on_after(_READ_SECONDS):
                try:
                    await self._answer(stream)
                except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                    return  # a browser that went away is waited for again

    async def _answer(self, stream: anyio.abc.SocketStream) -> None:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _LARGEST:
            head += await stream.receive()
        words = head.split(b"\r\n", 1)[0].decode("ascii", errors="replace").split(" ")
        found = urlsplit(words[1]) if len(words) == 3 and words[0] == "GET" else urlsplit("")  # noqa: PLR2004  a line
        query = dict(parse_qsl(found.query))
        ours = found.path == CALLBACK and bool(self.state) and query.get("state") == self.state
        status, body = (b"200 OK", _PAGE) if ours else (b"404 Not Found", b"")
        await stream.send(
            b"HTTP/1.1 " + status + b"\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n"
            b"cache-control: no-store\r\ncontent-length: " + str(len(body)).encode() + b"\r\n\r\n" + body
        )
        if ours:
            self.answer = query
            self.came.set()
