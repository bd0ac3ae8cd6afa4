"""As much of HTTP/1.1 as the stand-in needs, over a stream that can be frozen."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import anyio
import attrs
from anyio.abc import ByteStream
from anyio.streams.buffered import BufferedByteReceiveStream

_LONGEST_HEAD: Final = 64 * 1024
_LONGEST_BODY: Final = 4 * 1024 * 1024

#: What ends a conversation without being anybody's mistake.
GONE: Final = (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.IncompleteRead)


class BadRequest(Exception):
    """What came is no HTTP that this server takes."""


@attrs.frozen
class HttpRequest:
    """A request; of a query's parameters the last one counts."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict)


class HttpConnection:
    """One connection: requests are read and answers written, each only while ``gate`` lets it."""

    def __init__(self, stream: ByteStream, gate: Callable[[], Awaitable[None]]) -> None:
        self._stream = stream
        self._reader = BufferedByteReceiveStream(stream)
        self._gate = gate

    async def request(self) -> HttpRequest:
        """Read the next request.

        Raises:
            BadRequest: for what is none, or is too long.
        """
        try:
            head = await self._reader.receive_until(b"\r\n\r\n", _LONGEST_HEAD)
        except anyio.DelimiterNotFound:
            raise BadRequest("the head is too long") from None
        await self._gate()
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            raise BadRequest("that is no request")
        target = urlsplit(words[1])
        query = {name: values[-1] for name, values in parse_qs(target.query).items()}
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return HttpRequest(words[0], target.path, query, await self._body(headers), headers)

    async def respond(self, status: HTTPStatus, body: bytes, kind: str = "application/json") -> None:
        """Write an answer with its length."""
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        await self.write(head.encode() + body)

    async def begin_stream(self) -> None:
        """Begin an answer whose length nobody knows."""
        await self.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
            b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        )

    async def write_event(self, event: str, data: str) -> None:
        """Write one server-sent event as a chunk."""
        frame = f"event: {event}\ndata: {data}\n\n".encode()
        await self.write(b"%x\r\n%b\r\n" % (len(frame), frame))

    async def write(self, data: bytes) -> None:
        """Write bytes."""
        await self._gate()
        await self._stream.send(data)

    async def gone(self) -> None:
        """Return when the other side has closed the connection."""
        try:
            while True:
                await self._reader.receive()
        except GONE:
            return

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdigit() or int(length) > _LONGEST_BODY:
            raise BadRequest("a body comes with its length, and is not too long")
        return await self._reader.receive_exactly(int(length)) if int(length) else b""
