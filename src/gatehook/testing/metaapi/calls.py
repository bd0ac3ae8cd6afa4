"""How a call is carried out: what is checked before, what goes wrong on the way, and how its answer looks."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import anyio
import attrs

from gatehook.kinds.times import SECOND
from gatehook.testing.metaapi.book import Book
from gatehook.testing.metaapi.book import TradeRefused
from gatehook.testing.metaapi.definitions import DEFINITIONS
from gatehook.testing.metaapi.faults import Fault
from gatehook.testing.metaapi.faults import Trouble
from gatehook.testing.metaapi.reading import ERROR_CODES
from gatehook.testing.metaapi.reading import Arguments
from gatehook.testing.metaapi.reading import ToolError
from gatehook.testing.metaapi.reading import problems_of
from gatehook.testing.metaapi.spoiling import spoil
from gatehook.testing.metaapi.terminal import Terminal
from gatehook.testing.metaapi.terminal import list_accounts
from gatehook.testing.metaapi.texts import write
from gatehook.testing.metaapi.world import Request
from gatehook.testing.metaapi.world import World

if TYPE_CHECKING:
    from gatehook.testing.metaapi.session import Session

#: What a strict server says of arguments that do not fit: the protocol's own error.
INVALID_PARAMS: Final = -32602
_BROKEN: Final = frozenset({"deploy_account", "undeploy_account", "redeploy_account"})
_READ_ANYWAY: Final[Mapping[str, frozenset[str]]] = dict.fromkeys(
    ("place_market_order", "place_limit_order", "create_stop_buy_order", "create_stop_sell_order"),
    frozenset({"clientId"}),
)


class ProtocolError(Exception):
    """A call that gets an error of JSON-RPC for its answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class NoAnswer(Exception):
    """A call that is never answered; ``cut`` ends its session as well."""

    def __init__(self, *, cut: bool = False) -> None:
        super().__init__()
        self.cut = cut


@attrs.frozen
class Answer:
    """The one text block of a tool's result."""

    text: str
    is_error: bool = False


@attrs.frozen
class Calls:
    """Carries calls out."""

    world: World
    faithful: bool
    omitted_removes: bool
    faults: Callable[[str, bool], Mapping[Fault, Trouble]]
    first_call_delay: Callable[[], float]

    async def call(self, session: Session, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Do what a call asks, and return what it answers.

        Raises:
            ProtocolError: for an unknown tool, and by a strict server for arguments that do not fit.
            NoAnswer: where a fault takes the answer away.
        """
        tool = DEFINITIONS.get(name)
        if tool is None:
            raise ProtocolError(INVALID_PARAMS, f"there is no tool {name}")
        request = self._noted(session, name, arguments) if tool.trades else None
        troubles = self.faults(name, tool.trades)
        await self._before(troubles)
        if not self.faithful:
            _check(name, arguments)
        await self._connect(session, arguments)
        answer = self._answer(session, name, arguments, troubles)
        self._mark(request, executed=Fault.ERROR not in troubles, accepted=not answer.is_error)
        answer = await _after(answer, troubles)
        self._mark(request, answered=True)
        return answer

    def _noted(self, session: Session, name: str, arguments: Mapping[str, Any]) -> int:
        number = len(self.world.requests)
        self.world.note(Request(number, session.id, self.world.clock.now(), name, dict(arguments)))
        return number

    def _mark(self, request: int | None, **marks: Any) -> None:
        if request is not None:
            self.world.requests[request] = attrs.evolve(self.world.requests[request], **marks)

    async def _before(self, troubles: Mapping[Fault, Trouble]) -> None:
        if Fault.DELAY in troubles:
            await anyio.sleep(troubles[Fault.DELAY].seconds)
        if Fault.DROP_REQUEST in troubles or Fault.CUT_REQUEST in troubles:
            raise NoAnswer(cut=Fault.CUT_REQUEST in troubles)

    async def _connect(self, session: Session, arguments: Mapping[str, Any]) -> None:
        """Let the first call for an account of a session wait until the terminal is there."""
        account = str(arguments.get("accountId"))
        if account in self.world.books and account not in session.connected:
            await anyio.sleep(self.first_call_delay())
            session.connected.add(account)

    def _answer(
        self, session: Session, name: str, arguments: Mapping[str, Any], troubles: Mapping[Fault, Trouble]
    ) -> Answer:
        try:
            data = self._carry_out(session, name, arguments, troubles)
        except TradeRefused as refusal:
            return _failure(name, str(refusal), ERROR_CODES.get(refusal.code, "UNKNOWN_ERROR"))
        except ToolError as error:
            return _failure(name, str(error), error.code)
        except Exception as error:  # noqa: BLE001  like the real one's: whatever careless code raises is the answer
            return _failure(name, f"{type(error).__name__}: {error}", "UNKNOWN_ERROR")
        if Fault.LATE_ERROR in troubles:
            return _failure(name, "the server was told to fail late", troubles[Fault.LATE_ERROR].code)
        return Answer(spoil(data, troubles))

    def _carry_out(
        self, session: Session, name: str, arguments: Mapping[str, Any], troubles: Mapping[Fault, Trouble]
    ) -> Any:
        if Fault.ERROR in troubles:
            raise ToolError("the server was told to fail", troubles[Fault.ERROR].code)
        if name == "list_accounts":
            return list_accounts(self.world, session.allowed)
        if self.faithful and name in _BROKEN:
            raise ToolError("api is not defined")
        account = self._account(session, arguments, troubles)
        given = Arguments(arguments, self.faithful, self.omitted_removes)
        book = self.world.books[account]
        if name not in _BROKEN and (book.state, book.connection) != ("DEPLOYED", "CONNECTED"):
            raise ToolError(f"account {account} is {book.state}, {book.connection}")
        terminal = Terminal(self.world, self.world.engine(account), given)
        if Fault.OTHER_TOOL in troubles:
            return list_accounts(self.world, None) if name == "get_symbols" else terminal.get_symbols()
        with self._offering_less(terminal, troubles), self._waiting(troubles), _synchronizing(book, troubles):
            return getattr(terminal, name)()

    def _account(self, session: Session, arguments: Mapping[str, Any], troubles: Mapping[Fault, Trouble]) -> str:
        account = str(arguments.get("accountId"))
        if account not in self.world.books:
            raise ToolError(f"there is no account {account}")
        if not self.faithful and session.allowed is not None and account not in session.allowed:
            raise ToolError(f"this connection may not use account {account}", "ACCOUNT_NOT_ALLOWED")
        if Fault.OTHER_ACCOUNT in troubles:
            return next((one for one in self.world.books if one != account), account)
        return account

    @contextmanager
    def _offering_less(self, terminal: Terminal, troubles: Mapping[Fault, Trouble]) -> Iterator[None]:
        """Let the market have only a part of what the call wants."""
        given, market = terminal.given, self.world.market
        held = terminal.engine.book.positions.get(str(given.values.get("positionId")))
        symbol = held.symbol if held else str(given.values.get("symbol"))
        if Fault.PARTIAL not in troubles or symbol not in market.symbols:
            yield
            return
        before = dict(market.offered)
        volume = held.volume if held else given.number("volume")
        market.offered[symbol] = volume * troubles[Fault.PARTIAL].fraction
        try:
            yield
        finally:
            del market.offered[symbol]
            market.offered.update(before)

    @contextmanager
    def _waiting(self, troubles: Mapping[Fault, Trouble]) -> Iterator[None]:
        """Let the market take its time with an order."""
        if Fault.PLACED in troubles:
            self.world.market.execution = int(troubles[Fault.PLACED].seconds * SECOND)
        try:
            yield
        finally:
            self.world.market.execution = 0


@contextmanager
def _synchronizing(book: Book, troubles: Mapping[Fault, Trouble]) -> Iterator[None]:
    was, book.synchronizing = book.synchronizing, book.synchronizing or Fault.SYNCHRONIZING in troubles
    try:
        yield
    finally:
        book.synchronizing = was


def _check(name: str, arguments: Mapping[str, Any]) -> None:
    schema = DEFINITIONS[name].input_schema
    unknown = set(arguments) - set(schema["properties"]) - _READ_ANYWAY.get(name, frozenset())
    problems = [f"{word} is not an argument of {name}" for word in sorted(unknown)]
    problems += problems_of(schema, arguments)
    if problems:
        raise ProtocolError(INVALID_PARAMS, "; ".join(problems))


async def _after(answer: Answer, troubles: Mapping[Fault, Trouble]) -> Answer:
    if Fault.DELAY_REPLY in troubles:
        await anyio.sleep(troubles[Fault.DELAY_REPLY].seconds)
    if Fault.DROP_REPLY in troubles or Fault.CUT_REPLY in troubles:
        raise NoAnswer(cut=Fault.CUT_REPLY in troubles)
    return answer


def _failure(tool: str, message: str, code: str) -> Answer:
    return Answer(write({"error": message, "code": code, "tool": tool}, indent=2), is_error=True)
