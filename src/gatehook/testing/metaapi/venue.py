"""The stand-in server: listens, keeps sessions, and does what its controls say."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextlib import suppress
from decimal import Decimal
from http import HTTPStatus
from itertools import count
from types import TracebackType
from typing import Any
from typing import Final
from typing import Literal
from typing import Self
from urllib.parse import urlencode

import anyio
import attrs
from anyio.abc import ByteStream
from anyio.abc import TaskGroup

from gatehook.kinds.amounts import exact
from gatehook.testing.metaapi.book import Book
from gatehook.testing.metaapi.book import Wish
from gatehook.testing.metaapi.calls import Calls
from gatehook.testing.metaapi.definitions import DEFINITIONS
from gatehook.testing.metaapi.faults import Fault
from gatehook.testing.metaapi.faults import Faults
from gatehook.testing.metaapi.faults import Trouble
from gatehook.testing.metaapi.http import GONE
from gatehook.testing.metaapi.http import HttpConnection
from gatehook.testing.metaapi.http import HttpRequest
from gatehook.testing.metaapi.listening import Listening
from gatehook.testing.metaapi.session import Session
from gatehook.testing.metaapi.settings import ACCOUNTS
from gatehook.testing.metaapi.settings import AccountSettings
from gatehook.testing.metaapi.texts import read
from gatehook.testing.metaapi.texts import write
from gatehook.testing.metaapi.world import Request
from gatehook.testing.metaapi.world import World

_TICK: Final = 0.25
Mode = Literal["strict", "faithful"]
Number = Decimal | str | int

_ON_THE_WIRE: Final = frozenset({Fault.FLOOD, Fault.MALFORMED})
_IN_A_CALL: Final = frozenset(Fault) - _ON_THE_WIRE


class MetaApiVenue:
    """A MetaApi MCP server that stands in for the real one; an async context manager.

    ``omitted_stops`` says what becomes of a stop loss or take profit that a change does not name.

    Attributes:
        world: accounts, market and requests; another server can go on with it.
        first_call_delay: seconds that an account's first call of a session takes.
        initialize_delay: seconds that the handshake takes.
    """

    def __init__(
        self,
        *,
        mode: Mode = "strict",
        port: int = 0,
        token: str | None = None,
        accounts: Iterable[AccountSettings] = ACCOUNTS,
        seed: int = 1,
        drifting: bool = False,
        omitted_stops: Literal["keep", "remove"] = "keep",
        world: World | None = None,
    ) -> None:
        self.mode: Final[Mode] = mode
        self.world: Final = world or World(seed=seed, accounts=accounts, drifting=drifting)
        self.first_call_delay = 0.0
        self.initialize_delay = 0.0
        self._token = token
        self._drifting = drifting
        self._faults = Faults()
        self._tools = dict(DEFINITIONS)
        self._sessions: dict[str, Session] = {}
        self._groups: dict[str, TaskGroup] = {}
        self._numbers = count(1)
        self._thawed: anyio.Event | None = None
        self._listening = Listening(self._serve, port)
        self._calls = Calls(
            self.world, mode == "faithful", omitted_stops == "remove", self._befalls, lambda: self.first_call_delay
        )

    async def __aenter__(self) -> Self:
        """Listen."""
        await self._listening.__aenter__()
        if self._drifting:
            self._listening.later(_TICK, self._drift)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Close everything."""
        return await self._listening.__aexit__(kind, error, trace)

    @property
    def port(self) -> int:
        """The port; the same after a restart."""
        return self._listening.port

    @property
    def url(self) -> str:
        """Where a client connects, the token in the query as the real server wants it."""
        return self.url_of()

    def url_of(self, *accounts: str) -> str:
        """Return the URL of a connection that names its accounts."""
        query = {} if self._token is None else {"token": self._token}
        query |= {"accounts": ",".join(accounts)} if accounts else {}
        return f"http://127.0.0.1:{self.port}/sse" + (f"?{urlencode(query)}" if query else "")

    @property
    def requests(self) -> list[Request]:
        """Every trading request that has arrived, in their order."""
        return self.world.requests

    async def arrived(self, count: int = 1, seconds: float = 5) -> None:
        """Return when so many trading requests have arrived, counted from the beginning.

        Raises:
            TimeoutError: when they do not.
        """
        with anyio.fail_after(seconds):
            await self.world.arrived(count)

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    def book(self, account: str) -> Book:
        """Return what an account holds; ``state``, ``connection`` and ``synchronizing`` may be set.

        Raises:
            KeyError: for an account that there is not.
        """
        self.world.act()
        return self.world.books[account]

    def set_price(self, symbol: str, bid: Number, ask: Number, size: Number | None = None) -> None:
        """Set a market, and let it fill what it reaches; ``size`` is how many lots each side offers.

        Raises:
            KeyError: for a symbol that there is not.
            ValueError: for an ask below the bid.
        """
        self.world.set_price(symbol, exact(bid), exact(ask), None if size is None else exact(size))

    def close_market(self, symbol: str, *, closed: bool = True) -> None:
        """Close the market of a symbol, or open it again.

        Raises:
            KeyError: for a symbol that there is not.
        """
        name = self.world.market.symbols[symbol].name
        if closed:
            self.world.market.closed.add(name)
        else:
            self.world.market.closed.discard(name)

    def stranger(self, account: str, symbol: str, volume: Number, price: Number, sign: int = 1) -> str:
        """Let somebody else rest a limit order (sign -1 sells); return its number.

        Raises:
            TradeRefused: where it could not rest.
        """
        kind = "ORDER_TYPE_BUY_LIMIT" if sign > 0 else "ORDER_TYPE_SELL_LIMIT"
        receipt = self.world.engine(account).resting(kind, symbol, exact(volume), exact(price), Wish())
        assert receipt.order_id is not None
        return receipt.order_id

    def fail(self, fault: Fault, **options: Any) -> None:
        """Let something go wrong: ``tool``, ``times``, ``code``, ``seconds``, ``fraction``, ``size``."""
        self._faults.add(Trouble(fault, **options))

    def failing(self, fault: Fault, **options: Any) -> AbstractContextManager[None]:
        """Let something go wrong for as long as the block lasts."""
        return self._faults.during(Trouble(fault, **options))

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._faults.clear()

    def change_tool(
        self,
        name: str,
        *,
        description: str | None = None,
        input_schema: Mapping[str, Any] | None = None,
        hide: bool = False,
    ) -> None:
        """Change what ``tools/list`` says of a tool, and tell every session that the list has changed.

        Raises:
            KeyError: for a tool that there is not.
        """
        tool = DEFINITIONS[name]
        if hide:
            self._tools.pop(name, None)
        else:
            self._tools[name] = attrs.evolve(
                tool,
                description=tool.description if description is None else description,
                input_schema=tool.input_schema if input_schema is None else input_schema,
            )
        for session in self._sessions.values():
            session.notify("notifications/tools/list_changed")

    def flood(self, count: int) -> None:
        """Send every session so many notifications at once."""
        for session in self._sessions.values():
            for number in range(count):
                session.notify("notifications/message", {"level": "info", "data": f"notice {number}"})

    def cut_streams(self) -> None:
        """End every session."""
        for group in self._groups.values():
            group.cancel_scope.cancel()

    def freeze(self) -> None:
        """Read and write nothing any more, and close nothing either."""
        if self._thawed is None:
            self._thawed = anyio.Event()

    def thaw(self) -> None:
        """Go on after ``freeze``."""
        if self._thawed is not None:
            self._thawed.set()
            self._thawed = None

    async def die(self) -> None:
        """Close every socket, the listening one too, in the middle of whatever happens."""
        await self._listening.close()

    async def restart(self) -> None:
        """Die, and listen again on the same port; the accounts are as they were."""
        await self._listening.close()
        self.thaw()
        await self._listening.open()

    async def _drift(self) -> None:
        """Let the market act though nobody calls."""
        while True:
            self.world.act()
            await anyio.sleep(_TICK)

    def _befalls(self, tool: str, trades: bool) -> Mapping[Fault, Trouble]:
        return self._faults.take(tool, trades=trades, of=_IN_A_CALL)

    def _on_the_wire(self, name: str) -> Mapping[Fault, Trouble]:
        return self._faults.take(name, trades=False, of=_ON_THE_WIRE)

    async def _gate(self) -> None:
        while self._thawed is not None:
            await self._thawed.wait()

    async def _serve(self, stream: ByteStream) -> None:
        connection = HttpConnection(stream, self._gate)
        while True:
            request = await connection.request()
            if (request.method, request.path) == ("GET", "/sse"):
                await self._stream(connection, request)
                return
            status, body = self._other(request)
            await connection.respond(status, body)

    def _other(self, request: HttpRequest) -> tuple[HTTPStatus, bytes]:
        if (request.method, request.path) == ("GET", "/health"):
            return HTTPStatus.OK, write({"status": "ok", "sessions": len(self._sessions)}).encode()
        if request.method != "POST" or not request.path.startswith("/message/"):
            return HTTPStatus.NOT_FOUND, b'{"error": "not found"}'
        session = self._sessions.get(request.path.removeprefix("/message/"))
        if session is None:
            return HTTPStatus.NOT_FOUND, b'{"error": "session not found"}'
        try:
            session.take(read(request.body))
        except ValueError:
            return HTTPStatus.BAD_REQUEST, b'{"error": "no JSON"}'
        return HTTPStatus.ACCEPTED, b"Accepted"

    async def _stream(self, connection: HttpConnection, request: HttpRequest) -> None:
        if self._token is not None and request.query.get("token") != self._token:
            await connection.respond(HTTPStatus.UNAUTHORIZED, b'{"error": "the token is not valid"}')
            return
        number = f"{next(self._numbers):08d}"
        named = request.query.get("accounts") or request.query.get("allowed_accounts")
        allowed = None if named is None else frozenset(named.split(","))
        async with anyio.create_task_group() as tasks:
            session = Session(number, allowed, tasks, self._calls, self._list_tools, self._on_the_wire, self._slowness)
            self._sessions[number], self._groups[number] = session, tasks
            tasks.start_soon(_until_gone, connection, tasks)
            try:
                with suppress(*GONE):
                    await self._write_frames(connection, session)
            finally:
                del self._sessions[number], self._groups[number]
                session.close()
                tasks.cancel_scope.cancel()

    async def _write_frames(self, connection: HttpConnection, session: Session) -> None:
        await connection.begin_stream()
        await connection.write_event("endpoint", f"/message/{session.id}")
        async for frame in session.frames:
            await connection.write_event("message", frame)

    def _list_tools(self) -> list[Mapping[str, Any]]:
        return [self._tools[name].to_json() for name in DEFINITIONS if name in self._tools]

    def _slowness(self) -> float:
        return self.initialize_delay


async def _until_gone(connection: HttpConnection, tasks: TaskGroup) -> None:
    await connection.gone()
    tasks.cancel_scope.cancel()
