"""The connection: one a request, so that it is plain whether a byte left; and what the venue's answers prove."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from typing import Final

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from gatehook import Ambiguous
from gatehook import NotConnected
from gatehook import PluginContext
from gatehook import Rejected
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import InvalidStops
from gatehook.kinds.errors import MarketClosed
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.errors import PostOnlyWouldTake
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import ReduceOnlyRejected

MS: Final = 1_000_000  # the wire's times are milliseconds
LONGEST: Final = 1 << 22
LOST: Final = (OSError, anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)
#: The venue's codes that prove a refusal. Every other one proves nothing.
PROVEN: Final[dict[str, type[Rejected]]] = {
    "banned": RateLimited,
    "clock-skew": Rejected,
    "expired-request": Rejected,
    "insufficient-funds": InsufficientFunds,
    "invalid": Rejected,
    "invalid-stops": InvalidStops,
    "market-closed": MarketClosed,
    "rate-limited": RateLimited,
    "reduce-only": ReduceOnlyRejected,
    "too-late": OrderNotCancellable,
    "unknown-order": OrderNotCancellable,
    "unknown-position": Rejected,
    "would-take": PostOnlyWouldTake,
}


class Wire:
    """Asks the venue. ``skew`` is how far the venue's clock is ahead of ours, in ms; ``news`` the newest event seen."""

    def __init__(self, context: PluginContext) -> None:
        self._clock = context.clock
        self._port: int = context.config["port"]
        self._token = context.config["token"]
        self.skew = 0
        self.news = 0

    def now(self) -> int:
        """Return the venue's time in ms, as far as we know it."""
        return self._clock.wall() // MS + self.skew

    async def connect(self) -> SocketStream:
        """Open a connection.

        Raises:
            NotConnected: when there is none; nothing was sent.
        """
        try:
            return await anyio.connect_tcp("127.0.0.1", self._port)
        except OSError as error:
            raise NotConnected("the venue does not answer") from error

    async def exchange(self, stream: SocketStream, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request, and return its answer."""
        request |= {"time": self.now(), "token": self._token.reveal()}
        async with stream:
            await stream.send(json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await BufferedByteReceiveStream(stream).receive_until(b"\n", LONGEST))
        self.news = max(self.news, answer["news"])
        return answer

    async def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Ask for something that changes nothing.

        Raises:
            NotConnected: when there is no answer.
            RateLimited: when the venue wants to be asked later.
        """
        stream = await self.connect()
        try:
            answer = await self.exchange(stream, {"do": do, **request})
        except (*LOST, ValueError) as error:
            raise NotConnected("the venue did not answer") from error
        refuse(answer)
        return answer

    async def rows(self, do: str, **request: Any) -> tuple[list[dict[str, Any]], bool, int]:
        """Return a whole listing, whether the venue says that nothing is missing, and its time in ms."""
        rows, start = [], 0
        while True:
            answer = await self.ask(do, **request, **{"from": start})
            rows += answer["rows"]
            if answer["more"] is None:
                return rows, not answer["synchronizing"], answer["now"]
            start = answer["more"]

    async def follow(self, after: int) -> AsyncIterator[dict[str, Any]]:
        """Yield what happens behind a position.

        Raises:
            CursorExpired: when the venue has forgotten it.
            NotConnected: when the connection is lost.
        """
        async with await self.connect() as stream:
            await stream.send(json.dumps({"do": "follow", "after": after}).encode() + b"\n")
            lines = BufferedByteReceiveStream(stream)
            while True:
                try:
                    news = json.loads(await lines.receive_until(b"\n", LONGEST))
                except LOST as error:
                    raise NotConnected("the venue closed the stream") from error
                if news.get("error") == "cursor-expired":
                    raise CursorExpired("the venue does not keep events for so long")
                yield news


def refuse(answer: dict[str, Any]) -> None:
    """Raise what an answer says that is no success.

    Raises:
        Rejected: for a code that proves a refusal.
        Ambiguous: for any other.
    """
    code = answer.get("error")
    if code is None:
        return
    kind = PROVEN.get(code)
    if kind is None:
        raise Ambiguous(f"the venue answered {code}, which proves nothing", venue_code=code)
    wait = answer.get("retry_after")
    if code == "banned":
        wait = max((answer["until"] - answer["now"]) / 1000, 0)
    raise kind(f"the venue refused: {code}", venue_code=code, retry_after=wait)
