"""The wire over streamable HTTP: an ASGI application that answers each POST with one JSON document.

It is bound to the loopback interface and asks for a token, since whoever reaches it reaches the plugin's provider.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final
from urllib.parse import urlsplit

import anyio
import attrs

from gatehook.wire.http_sessions import Session
from gatehook.wire.http_sessions import Sessions
from gatehook.wire.messages import INVALID_REQUEST
from gatehook.wire.messages import Garbage
from gatehook.wire.messages import RpcError
from gatehook.wire.messages import error_line
from gatehook.wire.messages import id_of
from gatehook.wire.messages import parsed
from gatehook.wire.protocol import HANDSHAKE_VERSIONS
from gatehook.wire.protocol import STATELESS_VERSION
from gatehook.wire.server import WireServer
from gatehook.wire.server import unsupported_version

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

PATH: Final = "/mcp"
#: Bytes of a request's body.
LARGEST: Final = 8 * 1024 * 1024
#: Seconds for a request's body to arrive.
BODY_TIME: Final = 30.0
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_VERSIONS: Final = frozenset({*HANDSHAKE_VERSIONS, STATELESS_VERSION})
#: Headers that must not be said twice: a check must not see another one than a proxy did.
_ONCE: Final = frozenset({"host", "origin", "authorization", "content-type", "mcp-session-id", "mcp-protocol-version"})
_WORDS: Final = {
    400: "bad request",
    401: "no token",
    403: "not from here",
    404: "not found",
    405: "POST or DELETE only",
    406: "the answer is application/json",
    408: "the body did not come in time",
    413: "the body is too large",
    415: "the body is application/json",
    503: "too many sessions",
}
_MORE: Final = {
    401: {"www-authenticate": "Bearer"},
    405: {"allow": "POST, DELETE"},
    408: {"connection": "close"},
    413: {"connection": "close"},
    503: {"retry-after": "1"},
}


@attrs.frozen
class _Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)


class _Refused(Exception):
    """The request gets this status, and a JSON-RPC error without an id."""

    def __init__(self, status: int, error: RpcError | None = None) -> None:
        super().__init__(_WORDS[status])
        self.answer = _Answer(
            status, error_line(None, error or RpcError(INVALID_REQUEST, _WORDS[status])), _MORE.get(status, {})
        )


class HttpApp:
    """Serves sessions; ``serve`` makes the server of each. One that is not named is that of stateless clients."""

    def __init__(self, serve: Callable[[], WireServer], *, token: str) -> None:
        self._token = token.encode()
        self._sessions = Sessions(serve)

    def close(self) -> None:
        """Let go of every client: streams end, questions that wait are answered, and no request is begun any more."""
        self._sessions.close()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        try:
            headers = _headers(scope["headers"])
            self._admit(scope["path"], headers)
            answer = await self._answer(scope["method"], headers, receive)
        except _Refused as refused:
            answer = refused.answer
        sent = {"content-type": "application/json", "content-length": str(len(answer.body)), **answer.headers}
        start = {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    def _admit(self, path: str, headers: Mapping[str, str]) -> None:
        if path != PATH:
            raise _Refused(404)
        origin = headers.get("origin")
        if _host(f"//{headers.get('host', '')}") not in _LOCAL or (origin is not None and _host(origin) not in _LOCAL):
            raise _Refused(403)
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # Compared in any case: how long it takes says nothing.
        fits = hmac.compare_digest(given.strip().encode(), self._token)
        if not fits or scheme.lower() != "bearer":
            raise _Refused(401)

    async def _answer(self, method: str, headers: Mapping[str, str], receive: Receive) -> _Answer:
        name = headers.get("mcp-session-id")
        if method == "DELETE":
            return self._ended(name)
        if method != "POST":
            raise _Refused(405)
        _check_types(headers)
        message = _message(await _body(headers, receive))
        if message.get("method") == "initialize":
            return await self._begun(message, receive)
        session = self._sessions.unnamed if name is None else self._sessions.find(name)
        if session is None:
            raise _Refused(404)
        if "method" not in message or "id" not in message:
            _told(session, message)
            return _Answer(202)
        return _Answer(200, await self._reply(session, message, receive, named=name is not None))

    def _ended(self, name: str | None) -> _Answer:
        if name is None:
            raise _Refused(400)
        if not self._sessions.end(name):
            raise _Refused(404)
        return _Answer(200)

    async def _begun(self, message: dict[str, Any], receive: Receive) -> _Answer:
        session = self._sessions.fresh()
        line = await self._reply(session, message, receive, named=True)
        if not session.server.greeted:
            return _Answer(200, line)
        name = self._sessions.keep(session)
        if name is None:
            raise _Refused(503)
        return _Answer(200, line, {"mcp-session-id": name})

    async def _reply(self, session: Session, message: dict[str, Any], receive: Receive, *, named: bool) -> bytes:
        request_id = id_of(message)
        key: object = request_id if named else object()  # clients without a session count their ids alike
        if request_id is None or not isinstance(message["method"], str) or key in session.answering:
            raise _Refused(400)
        async with anyio.create_task_group() as tasks:
            if session.server.only_reads(message["method"], message.get("params")):
                tasks.start_soon(_cancel_when_gone, receive, session, key)
            line = await self._sessions.answer(session, key, message)
            tasks.cancel_scope.cancel()
        return line


async def _cancel_when_gone(receive: Receive, session: Session, key: object) -> None:
    """Stop answering a question when nobody waits any more; what trades or writes is left to its end."""
    while (await receive())["type"] != "http.disconnect":
        pass
    session.cancel(key)


def _headers(given: list[tuple[bytes, bytes]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for raw, value in given:
        name = raw.decode("latin-1").lower()
        if name in found and name in _ONCE:
            raise _Refused(400)
        found[name] = value.decode("latin-1")
    return found


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _check_types(headers: Mapping[str, str]) -> None:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refused(415)
    accepted = {one.partition(";")[0].strip().lower() for one in headers.get("accept", "*/*").split(",")}
    if not accepted & {"application/json", "application/*", "*/*"}:
        raise _Refused(406)
    version = headers.get("mcp-protocol-version")
    if version is not None and version not in _VERSIONS:
        raise _Refused(400, unsupported_version())


async def _body(headers: Mapping[str, str], receive: Receive) -> bytes:
    said = headers.get("content-length", "0")
    if not said.isdecimal() or int(said) > LARGEST:
        raise _Refused(413 if said.isdecimal() else 400)
    try:
        with anyio.fail_after(BODY_TIME):
            return await _received(receive)
    except TimeoutError:
        raise _Refused(408) from None


async def _received(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        part = await receive()
        if part["type"] == "http.disconnect":
            raise _Refused(400)
        parts.append(part.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            raise _Refused(413)
        if not part.get("more_body"):
            return b"".join(parts)


def _message(body: bytes) -> dict[str, Any]:
    try:
        found = parsed(body)
    except Garbage as garbage:
        raise _Refused(400, RpcError(garbage.code, str(garbage))) from None
    if len(found) != 1:
        raise _Refused(400, RpcError(INVALID_REQUEST, "one message a request"))
    if not found[0].keys() & {"method", "result", "error"}:
        raise _Refused(400, RpcError(INVALID_REQUEST, "no message of JSON-RPC"))
    return found[0]


def _told(session: Session, message: dict[str, Any]) -> None:
    params = message.get("params")
    if message.get("method") == "notifications/cancelled" and isinstance(params, dict):
        found = params.get("requestId")
        if isinstance(found, int | str):
            session.cancel(found)
