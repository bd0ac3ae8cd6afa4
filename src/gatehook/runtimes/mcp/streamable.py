"""Streamable HTTP: a POST for each message, whose response is the answer or a stream of events that ends in it."""

from __future__ import annotations

import logging
from typing import Final

import anyio
import httpx2
from mcp.shared.dispatcher import CallOptions
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from gatehook.runtimes.mcp.dispatcher import Dispatcher
from gatehook.runtimes.mcp.dispatcher import RequestId
from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import TooLarge
from gatehook.runtimes.mcp.faults import UnreadableAnswer
from gatehook.runtimes.mcp.frames import Events
from gatehook.runtimes.mcp.frames import LongFrame
from gatehook.runtimes.mcp.http import answered
from gatehook.runtimes.mcp.http import is_error
from gatehook.runtimes.mcp.http import refusal
from gatehook.runtimes.mcp.http import whole_body
from gatehook.runtimes.mcp.messages import Unreadable
from gatehook.runtimes.mcp.messages import decode
from gatehook.runtimes.mcp.messages import encode
from gatehook.runtimes.mcp.spec import McpLimits
from gatehook.runtimes.mcp.waiting import Waiting

SESSION: Final = "mcp-session-id"
VERSION: Final = "mcp-protocol-version"
_LAST_EVENT: Final = "last-event-id"
_MESSAGE: Final = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
_STREAM: Final = {"accept": "text/event-stream"}
_RESUMPTIONS: Final = 2
_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_LONGEST_ID: Final = 1024
_NO_STREAM: Final = frozenset({400, 404, 405, 501})


class StreamableDispatcher(Dispatcher):
    """The calls over POSTs. Each runs in the task of its caller."""

    kind = "streamable-http"

    def __init__(self, client: httpx2.AsyncClient, url: str, limits: McpLimits, logger: logging.Logger) -> None:
        super().__init__(limits, logger)
        self._client = client
        self._url = url
        self._session: str | None = None
        self._version: str | None = None
        self._listening = anyio.Event()

    @property
    def is_modern(self) -> bool:
        """Whether the server speaks a version without sessions, where closing a stream cancels its request."""
        return self._version in MODERN_PROTOCOL_VERSIONS

    def cancels_by_message(self) -> bool:
        """Only before the versions without sessions."""
        return not self.is_modern

    async def transmit(
        self, data: bytes, waiting: Waiting | None, request_id: RequestId | None, opts: CallOptions
    ) -> None:
        """POST the message, and take what comes until it is answered."""
        stated = opts.get("headers", {})
        # A version is only known once a result came that was asked for with it; the SDK states it from then on.
        self._version = stated.get(VERSION, self._version)
        headers = {**self._headers(_MESSAGE), **stated}
        starts = b'"method":"initialize"' in data[:100]
        if starts:
            headers.pop(VERSION, None)
        with anyio.CancelScope() as scope:
            if waiting is not None:
                waiting.scope = scope
            last_event, pause = await self._post(data, headers, waiting, request_id, is_start=starts)
            if waiting is not None:
                await self._resume(waiting, last_event, pause)
        if waiting is not None and not waiting.done.is_set():
            raise ConnectionDown("the response ended without an answer", sent=True, dead=False)
        if b'"method":"notifications/initialized"' in data[:100]:
            self._listening.set()

    def _headers(self, base: dict[str, str]) -> dict[str, str]:
        headers = dict(base)
        if self._session is not None:
            headers[SESSION] = self._session
        if self._version is not None:
            headers[VERSION] = self._version
        return headers

    async def _post(
        self,
        data: bytes,
        headers: dict[str, str],
        waiting: Waiting | None,
        request_id: RequestId | None,
        *,
        is_start: bool,
    ) -> tuple[str | None, float]:
        async with answered(
            self._client, "POST", self._url, headers=headers, content=data, waiting=waiting
        ) as response:
            self.last_heard = anyio.current_time()
            if is_error(response):
                await self._refused(response, waiting, request_id)
                return None, 0.0
            if is_start:
                self._session = _session_of(response)
            if waiting is None:
                return None, 0.0
            kind = response.headers.get("content-type", "").lower()
            if kind.startswith("text/event-stream"):
                return await self._read_events(response, waiting, request_id)
            if kind.startswith("application/json"):
                await self._read_json(response, request_id)
            else:
                waiting.fail(UnreadableAnswer("it is neither JSON nor a stream of events"))
            return None, 0.0

    async def _read_json(self, response: httpx2.Response, request_id: RequestId | None) -> None:
        try:
            data = await whole_body(response, self.limits.max_result)
        except TooLarge as error:
            self.fail(request_id, error)
            return
        self.take(data, request_id)

    async def _refused(self, response: httpx2.Response, waiting: Waiting | None, request_id: RequestId | None) -> None:
        """A status of an error may carry the JSON-RPC error that says more."""
        error = refusal(response, has_session=self._session is not None)
        if (
            waiting is not None
            and not error.dead
            and response.headers.get("content-type", "").startswith("application/json")
        ):
            message = await self._json_error(response)
            if message is not None:
                self.take(encode({"jsonrpc": "2.0", "id": request_id, "error": message}))
                return
        raise error

    async def _json_error(self, response: httpx2.Response) -> dict[str, object] | None:
        try:
            error = decode(await whole_body(response, self.limits.max_result)).get("error")
        except (TooLarge, Unreadable):
            return None
        if not isinstance(error, dict) or type(error.get("code")) is not int:
            return None
        known = {name: error[name] for name in ("code", "message") if name in error}
        data = error.get("data")
        supported = data.get("supported") if isinstance(data, dict) else None
        return {**known, "data": {"supported": supported}} if isinstance(supported, list) else known

    async def _read_events(
        self, response: httpx2.Response, waiting: Waiting | None, request_id: RequestId | None
    ) -> tuple[str | None, float]:
        """Take events until the request is answered; return the last event's id and the pause before resuming."""
        last_event, pause = None, _PAUSE
        events = Events(self.limits.max_result)
        try:
            async for data in response.aiter_bytes():
                for event in events.feed(data):
                    last_event = event.event_id or last_event
                    pause = pause if event.retry is None else min(event.retry / 1000, _LONGEST_PAUSE)
                    self._take_event(event.data, request_id)
                if waiting is not None and waiting.done.is_set():
                    return None, 0.0
                await anyio.lowlevel.checkpoint()
        except httpx2.TransportError:
            pass  # as if the stream had ended: the caller resumes it, or says that there is no answer
        return last_event, pause

    def _take_event(self, data: bytes | LongFrame, request_id: RequestId | None) -> None:
        self.last_heard = anyio.current_time()
        if isinstance(data, LongFrame):
            if request_id is None or not self.fail(request_id, TooLarge(data.size, self.limits.max_result)):
                self.take_long(data)
        elif data:
            self.take(data, request_id)

    async def _resume(self, waiting: Waiting, last_event: str | None, pause: float) -> None:
        """Ask for the rest of a stream that ended before the answer, where the server numbers its events."""
        for _ in range(_RESUMPTIONS):
            if last_event is None or waiting.done.is_set() or self.is_modern:
                return
            await anyio.sleep(pause)
            headers = {**self._headers(_STREAM), _LAST_EVENT: last_event}
            async with answered(self._client, "GET", self._url, headers=headers) as response:
                if is_error(response):
                    return
                last_event, pause = await self._read_events(response, waiting, None)

    async def receive(self) -> None:
        """Keep the stream open on which a server with sessions says things by itself; it says first when it is gone."""
        await self._listening.wait()
        if self._session is None or self.is_modern:
            await anyio.sleep_forever()
        while True:
            pause = await self._listen()
            await anyio.sleep(pause)

    async def _listen(self) -> float:
        try:
            async with answered(self._client, "GET", self._url, headers=self._headers(_STREAM)) as response:
                if response.status_code in _NO_STREAM and response.status_code != 404:  # noqa: PLR2004  a lost session
                    await anyio.sleep_forever()
                if is_error(response):
                    raise refusal(response, has_session=True)
                return (await self._read_events(response, None, None))[1]
        except ConnectionDown as error:
            if error.dead:
                raise
            return _PAUSE

    async def end_session(self) -> None:
        """Tell the server that the session is over; a server that does not answer is not waited for."""
        forgotten = self.down is not None and self.down.lost_session
        if self._session is None or self.is_modern or self.is_frozen or forgotten:
            return
        with anyio.move_on_after(self.limits.grace, shield=True):
            try:
                async with answered(self._client, "DELETE", self._url, headers=self._headers({})):
                    return
            except ConnectionDown:
                return  # it is over then


def _session_of(response: httpx2.Response) -> str | None:
    session = response.headers.get(SESSION)
    if session is None or (len(session) <= _LONGEST_ID and session.isascii() and session.isprintable()):
        return session
    raise ConnectionDown("the server gives the session a name that is none", sent=True)
