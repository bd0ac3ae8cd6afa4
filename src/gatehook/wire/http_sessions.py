"""The sessions of a server at a URL: who is known, what is being answered, and how much of both there may be."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from typing import Final

import anyio
import attrs

from gatehook.kinds.errors import Throttled
from gatehook.wire.errors import error_json
from gatehook.wire.messages import BUSY
from gatehook.wire.messages import INTERNAL_ERROR
from gatehook.wire.messages import JsonText
from gatehook.wire.messages import RpcError
from gatehook.wire.messages import encoded
from gatehook.wire.messages import error_line
from gatehook.wire.messages import result_line
from gatehook.wire.server import WireServer
from gatehook.wire.server import result_text

#: Sessions at once; one more takes the place of the one that was silent the longest.
MOST_SESSIONS: Final = 64
#: Seconds after which a silent session is forgotten.
IDLE_SESSION: Final = 900.0
#: Requests being answered at once, of all sessions; one more is refused unbegun.
MOST_AT_ONCE: Final = 256
#: Seconds after which a request that was refused may be sent again.
_LATER: Final = 0.1


@attrs.frozen(eq=False)
class _Answering:
    scope: anyio.CancelScope
    reads: bool


@attrs.define(eq=False)
class Session:
    """One client: its server, and its requests that are being answered, by id."""

    server: WireServer
    last_heard: float
    answering: dict[object, _Answering] = attrs.field(factory=dict)

    def cancel(self, request_id: object) -> None:
        """Stop answering a request."""
        found = self.answering.get(request_id)
        if found is not None:
            found.scope.cancel()


class Sessions:
    """The sessions that there are. One without a name is shared by all clients that need none."""

    def __init__(self, serve: Callable[[], WireServer]) -> None:
        self._serve = serve
        self._named: OrderedDict[str, Session] = OrderedDict()
        self._count = 0
        self.unnamed = Session(serve(), anyio.current_time())
        self.closed = False

    def find(self, name: str) -> Session | None:
        """Return a session by its name, and note that it was heard of."""
        self._forget_silent()
        found = self._named.get(name)
        if found is not None:
            found.last_heard = anyio.current_time()
            self._named.move_to_end(name)
        return found

    def fresh(self) -> Session:
        """Return a session that nobody knows yet."""
        return Session(self._serve(), anyio.current_time())

    def keep(self, session: Session) -> str | None:
        """Give a session a name; ``None`` when there are too many, and all of them are being answered."""
        self._forget_silent()
        if len(self._named) >= MOST_SESSIONS:
            idle = next((name for name, one in self._named.items() if not one.answering), None)
            if idle is None:
                return None
            self.end(idle)
        name = secrets.token_urlsafe(24)
        self._named[name] = session
        return name

    def end(self, name: str) -> bool:
        """Forget a session: its streams end, what only reads is no longer answered; say whether there was one."""
        session = self._named.pop(name, None)
        if session is None:
            return False
        _stop_reading(session)
        session.server.close()
        return True

    def close(self) -> None:
        """End every session, and take no more requests; what trades or writes goes on to its end."""
        self.closed = True
        for name in tuple(self._named):
            self.end(name)
        _stop_reading(self.unnamed)
        self.unnamed.server.close()

    def _forget_silent(self) -> None:
        before = anyio.current_time() - IDLE_SESSION
        for name, session in tuple(self._named.items()):
            if session.last_heard >= before:
                return  # they are in the order in which they were heard of
            if not session.answering:
                self.end(name)

    async def answer(self, session: Session, key: object, request: dict[str, Any]) -> bytes:
        """Answer a request; ``key`` is what it can be cancelled by.

        Returns:
            the line that answers it, whatever happened.
        """
        request_id, method, params = request["id"], request["method"], request.get("params")
        if self.closed or self._count >= MOST_AT_ONCE:
            return _refused(request_id, method, stopping=self.closed)
        line = error_line(request_id, RpcError(INTERNAL_ERROR, "the request was cancelled"))
        reads = session.server.only_reads(method, params)
        self._count += 1
        with anyio.CancelScope() as scope:
            session.answering[key] = _Answering(scope, reads)
            try:
                line = await _line(session, request_id, method, params)
            finally:
                self._count -= 1
                del session.answering[key]
        return line


def _stop_reading(session: Session) -> None:
    for one in tuple(session.answering.values()):
        if one.reads:
            one.scope.cancel()


async def _line(session: Session, request_id: int | str, method: str, params: Any) -> bytes:
    try:
        return result_line(request_id, await session.server.answer(method, params))
    except RpcError as error:
        return error_line(request_id, error)
    except Exception as error:  # noqa: BLE001  whatever an answer fails of, the asker learns that it failed
        return error_line(request_id, RpcError(INTERNAL_ERROR, f"the answer failed: {type(error).__name__}"))


def _refused(request_id: int | str, method: str, *, stopping: bool) -> bytes:
    """Refuse a request; for a tool in a way that proves that it was not called."""
    why = "the server is stopping" if stopping else f"{MOST_AT_ONCE} requests are being answered"
    if method != "tools/call":
        return error_line(request_id, RpcError(BUSY, f"{why}; this one was not begun"))
    error = Throttled(f"{why}; the tool was not called", retry_after=_LATER)
    return result_line(request_id, JsonText(result_text(encoded(error_json(error)), failed=True)))
