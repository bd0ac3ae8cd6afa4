"""The old HTTP+SSE transport: one stream of events from the server, and a POST for each message to it."""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import urljoin

import anyio
import httpx2
from mcp.shared.dispatcher import CallOptions

from gatehook.runtimes.mcp.dispatcher import Dispatcher
from gatehook.runtimes.mcp.dispatcher import RequestId
from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import NotUsable
from gatehook.runtimes.mcp.frames import Event
from gatehook.runtimes.mcp.frames import Events
from gatehook.runtimes.mcp.frames import LongFrame
from gatehook.runtimes.mcp.http import answered
from gatehook.runtimes.mcp.http import is_error
from gatehook.runtimes.mcp.http import refusal
from gatehook.runtimes.mcp.http import whole_body
from gatehook.runtimes.mcp.spec import McpLimits
from gatehook.runtimes.mcp.waiting import Waiting

_BODY: Final = 65_536
_STREAM: Final = {"accept": "text/event-stream", "cache-control": "no-store"}
_MESSAGE: Final = {"content-type": "application/json"}


class SseDispatcher(Dispatcher):
    """The calls over a stream of events."""

    kind = "sse"

    def __init__(self, client: httpx2.AsyncClient, url: str, limits: McpLimits, logger: logging.Logger) -> None:
        super().__init__(limits, logger)
        self._client = client
        self._url = url
        self._endpoint = ""
        self._opened = anyio.Event()

    async def transmit(
        self, data: bytes, waiting: Waiting | None, request_id: RequestId | None, opts: CallOptions
    ) -> None:
        """POST the message; its answer comes on the stream."""
        with anyio.CancelScope() as scope:
            if waiting is not None:
                waiting.scope = scope
            await self._opened.wait()
            await self._post(data, waiting, opts)

    async def _post(self, data: bytes, waiting: Waiting | None, opts: CallOptions) -> None:
        headers = {**_MESSAGE, **opts.get("headers", {})}
        async with answered(
            self._client, "POST", self._endpoint, headers=headers, content=data, waiting=waiting
        ) as response:
            if is_error(response):
                raise refusal(response, has_session=True)
            await whole_body(response, _BODY)

    async def receive(self) -> None:
        """Read the stream until it ends."""
        async with answered(self._client, "GET", self._url, headers=_STREAM) as response:
            if is_error(response):
                raise refusal(response, has_session=False)
            if not response.headers.get("content-type", "").lower().startswith("text/event-stream"):
                raise ConnectionDown("what answers there is no stream of events", sent=False)
            events = Events(self.limits.max_result)
            async for data in response.aiter_bytes():
                for event in events.feed(data):
                    self._take_event(event)

    def _take_event(self, event: Event) -> None:
        self.last_heard = anyio.current_time()
        if isinstance(event.data, LongFrame):
            self.take_long(event.data)
        elif event.name == "endpoint":
            self._endpoint = self._same_origin(event.data.decode("utf-8", errors="replace"))
            self._opened.set()
        elif event.name == "message" and event.data:
            self.take(event.data)

    def _same_origin(self, path: str) -> str:
        try:
            here, there = httpx2.URL(self._url), httpx2.URL(urljoin(self._url, path))
        except (httpx2.InvalidURL, ValueError):
            raise NotUsable("the server names no address to send messages to") from None
        if (here.scheme, here.host, here.port) != (there.scheme, there.host, there.port):
            raise NotUsable("the server wants its messages sent to another host")
        return str(there)
