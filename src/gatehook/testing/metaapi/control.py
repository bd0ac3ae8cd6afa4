"""The controls of a running stand-in, as JSON over HTTP on a port of their own: it answers while the venue cannot."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any
from typing import Final
from typing import Self

import attrs
from anyio.abc import ByteStream
from anyio.lowlevel import checkpoint

from gatehook.testing.metaapi.book import TradeRefused
from gatehook.testing.metaapi.faults import Fault
from gatehook.testing.metaapi.http import HttpConnection
from gatehook.testing.metaapi.http import HttpRequest
from gatehook.testing.metaapi.listening import Listening
from gatehook.testing.metaapi.texts import read
from gatehook.testing.metaapi.texts import write
from gatehook.testing.metaapi.venue import MetaApiVenue


class Control:
    """``POST /control`` with ``{"do": …}`` and the arguments of the control; ``GET /control`` tells what happened."""

    def __init__(self, venue: MetaApiVenue, port: int = 0) -> None:
        self._venue = venue
        self._listening = Listening(self._serve, port)
        self._ways: Final[Mapping[str, Callable[..., Awaitable[Any]]]] = {
            "set_price": _at_once(venue.set_price),
            "close_market": _at_once(venue.close_market),
            "fail": self._fail,
            "heal": _at_once(venue.heal),
            "stranger": _at_once(venue.stranger),
            "change_tool": _at_once(venue.change_tool),
            "cut_streams": _at_once(venue.cut_streams),
            "flood": _at_once(venue.flood),
            "freeze": self._freeze,
            "thaw": _at_once(venue.thaw),
            "die": self._die,
            "restart": venue.restart,
            "account": self._account,
            "slow": self._slow,
        }

    async def __aenter__(self) -> Self:
        """Listen."""
        await self._listening.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Close."""
        return await self._listening.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Where the controls are."""
        return f"http://127.0.0.1:{self._listening.port}/control"

    async def _serve(self, stream: ByteStream) -> None:
        connection = HttpConnection(stream, checkpoint)
        while True:
            status, answer = await self._answer(await connection.request())
            await connection.respond(status, write(answer).encode())

    async def _answer(self, request: HttpRequest) -> tuple[HTTPStatus, Any]:
        if (request.method, request.path) == ("GET", "/control"):
            return HTTPStatus.OK, self._state()
        if (request.method, request.path) != ("POST", "/control"):
            return HTTPStatus.NOT_FOUND, {"error": "there is only /control"}
        try:
            return HTTPStatus.OK, {"ok": True, "result": await self._do(read(request.body))}
        except (KeyError, TypeError, ValueError, TradeRefused) as error:
            return HTTPStatus.BAD_REQUEST, {"ok": False, "error": f"{type(error).__name__}: {error}"}

    async def _do(self, command: Any) -> Any:
        if not isinstance(command, dict) or command.get("do") not in self._ways:
            raise ValueError(f'"do" is one of {", ".join(self._ways)}')
        options = {name: value for name, value in command.items() if name != "do"}
        return await self._ways[command["do"]](**options)

    def _state(self) -> Mapping[str, Any]:
        venue = self._venue
        return {
            "url": venue.url,
            "mode": venue.mode,
            "sessions": venue.sessions,
            "requests": [attrs.asdict(one) for one in venue.requests],
        }

    async def _fail(self, fault: str, **options: Any) -> None:
        self._venue.fail(Fault(fault), **options)

    async def _freeze(self, seconds: float | None = None) -> None:
        self._venue.freeze()
        if seconds is not None:
            self._listening.later(float(seconds), _at_once(self._venue.thaw))

    async def _die(self, seconds: float | None = None) -> None:
        await self._venue.die()
        if seconds is not None:
            self._listening.later(float(seconds), self._venue.restart)

    async def _account(self, account: str, **changes: Any) -> None:
        book = self._venue.book(account)
        for name, value in changes.items():
            if name not in ("state", "connection", "synchronizing"):
                raise ValueError(f"{name} of an account cannot be set")
            setattr(book, name, value)

    async def _slow(self, first_call: float = 0, initialize: float = 0) -> None:
        self._venue.first_call_delay, self._venue.initialize_delay = float(first_call), float(initialize)


def _at_once(control: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return a control that does not wait as one that may."""

    async def do(**options: Any) -> Any:
        await checkpoint()
        return control(**options)

    return do
