"""The wire over streamable HTTP: an ASGI application that answers each POST with one JSON document.

It is bound to the loopback interface and asks for a token, since whoever reaches it reaches the plugin's provider.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final

import anyio
import attrs

from gatehook.wire.messages import INTERNAL_ERROR
from gatehook.wire.messages import INVALID_REQUEST
from gatehook.wire.messages import Garbage
from gatehook.wire.messages import Id
from gatehook.wire.messages import RpcError
from gatehook.wire.messages import error_line
from gatehook.wire.messages import id_of
from gatehook.wire.messages import parsed
from gatehook.wire.messages import result_line
from gatehook.wire.server import WireServer

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

PATH: Final = "/mcp"
_LARGEST: Final = 8 * 1024 * 1024
_MOST_SESSIONS: Final = 64
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_WORDS: Final = {
    400: "bad request",
    401: "no token",
    403: "not from here",
    404: "not found",
    405: "POST only",
    413: "too large",
}


@attrs.frozen(eq=False)
class _Session:
    server: WireServer
    answering: dict[Id, anyio.CancelScope] = attrs.field(factory=dict)


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(_WORDS[status])
        self.status = status


class HttpApp:
    """Serves sessions; ``serve`` makes the server of each. One that is not named is that of stateless clients."""

    def __init__(self, serve: Callable[[], WireServer], *, token: str) -> None:
        self._serve = serve
        self._token = token
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._stateless = _Session(serve())

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._admit(scope, headers)
            status, body, more = await self._answer(scope["method"], headers, receive)
        except _Refused as refused:
            status, body, more = refused.status, error_line(None, RpcError(INVALID_REQUEST, str(refused))), {}
        sent = {"content-type": "application/json", "content-length": str(len(body)), **more}
        start = {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _admit(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        if scope["path"] != PATH:
            raise _Refused(404)
        origin = headers.get("origin", "http://localhost").partition("://")[2]
        if not {_host(headers.get("host", "")), _host(origin)} <= _LOCAL:
            raise _Refused(403)
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise _Refused(401)

    async def _answer(
        self, method: str, headers: Mapping[str, str], receive: Receive
    ) -> tuple[int, bytes, Mapping[str, str]]:
        name = headers.get("mcp-session-id")
        if name is not None and name not in self._sessions:
            raise _Refused(404)
        if method == "DELETE" and name is not None:
            del self._sessions[name]
            return 200, b"", {}
        if method != "POST":
            raise _Refused(405)
        message = _message(await _body(receive))
        if message.get("method") == "initialize":
            name = secrets.token_urlsafe(24)
            self._begin(name)
            return 200, await _reply(self._sessions[name], message), {"mcp-session-id": name}
        session = self._stateless if name is None else self._sessions[name]
        if name is not None:
            self._sessions.move_to_end(name)
        if "id" not in message or "method" not in message:
            _told(session, message)
            return 202, b"", {}
        return 200, await _reply(session, message), {}

    def _begin(self, name: str) -> None:
        self._sessions[name] = _Session(self._serve())
        if len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)


def _host(authority: str) -> str:
    return authority if authority.endswith("]") else authority.rpartition(":")[0] or authority


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        part = await receive()
        if part["type"] == "http.disconnect":
            raise _Refused(400)
        parts.append(part.get("body", b""))
        size += len(parts[-1])
        if size > _LARGEST:
            raise _Refused(413)
        if not part.get("more_body"):
            return b"".join(parts)


def _message(body: bytes) -> dict[str, Any]:
    try:
        found = parsed(body)
    except Garbage:
        raise _Refused(400) from None
    if len(found) != 1:
        raise _Refused(400)
    return found[0]


def _told(session: _Session, message: dict[str, Any]) -> None:
    params = message.get("params")
    if message.get("method") == "notifications/cancelled" and isinstance(params, dict):
        found = params.get("requestId")
        scope = session.answering.get(found) if isinstance(found, int | str) else None
        if scope is not None:
            scope.cancel()


async def _reply(session: _Session, message: dict[str, Any]) -> bytes:
    request_id, method = id_of(message), message.get("method")
    if request_id is None or not isinstance(method, str) or request_id in session.answering:
        raise _Refused(400)
    line = error_line(request_id, RpcError(INTERNAL_ERROR, "the request was cancelled"))
    with anyio.CancelScope() as scope:
        session.answering[request_id] = scope
        try:
            line = result_line(request_id, await session.server.answer(method, message.get("params")))
        except RpcError as error:
            line = error_line(request_id, error)
        except Exception as error:  # noqa: BLE001  whatever an answer fails of, the asker learns that it failed
            line = error_line(request_id, RpcError(INTERNAL_ERROR, f"the answer failed: {type(error).__name__}"))
        finally:
            del session.answering[request_id]
    return line
