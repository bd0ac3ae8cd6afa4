"""``McpSession``: one server, one owner task, one object for its users over every reconnect."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import anyio
import anyio.to_thread
import attrs
from anyio.abc import TaskStatus

from gatehook.context import McpResult
from gatehook.context import ToolDefinition
from gatehook.kinds.errors import AuthError
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.runtimes.child_records import ChildRecords
from gatehook.runtimes.mcp.arguments import Arguments
from gatehook.runtimes.mcp.calling import Progress
from gatehook.runtimes.mcp.calling import Words
from gatehook.runtimes.mcp.calling import call_tool
from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import NotUsable
from gatehook.runtimes.mcp.faults import TooLarge
from gatehook.runtimes.mcp.faults import Unanswered
from gatehook.runtimes.mcp.faults import UnreadableAnswer
from gatehook.runtimes.mcp.listing import BadToolList
from gatehook.runtimes.mcp.pins import ToolDifference
from gatehook.runtimes.mcp.pins import ToolPin
from gatehook.runtimes.mcp.spec import McpSpec
from gatehook.runtimes.mcp.states import McpState
from gatehook.runtimes.mcp.states import McpStatus
from gatehook.runtimes.stderr_lines import one_line

if TYPE_CHECKING:
    from gatehook.runtimes.mcp.connection import Connection

_STEADY: Final = 10.0
_LISTEN_AGAIN: Final = 1.0
_REFUSED: Final = frozenset({McpState.SUSPENDED, McpState.FAILED, McpState.CLOSED})


def _nothing(*_: Any) -> None:
    """Tell nobody."""


class McpSession:
    """A supervised session. ``run`` is its one task; ``call`` may be used from any other.

    Args:
        spec: where the server is, and the bounds.
        entry_id: for messages and the records of children.
        logger: the entry's logger; the server's stderr goes there.
        redact: takes secrets out of text, before it is logged or shown.
        data_dir: where records of child processes are kept; ``None`` keeps none.
        pin: the tools that were consented to; ``None`` takes what the server has at the first connection.
        on_first_tools: is told the pin that the first connection made, where there was none.
        on_status: is told each change of state.
        on_suspended: is told what is different, when the server's tools are no longer those of the pin.
    """

    def __init__(
        self,
        spec: McpSpec,
        *,
        entry_id: str,
        logger: logging.Logger,
        redact: Callable[[str], str] = str,
        data_dir: Path | None = None,
        pin: ToolPin | None = None,
        on_first_tools: Callable[[ToolPin], None] = _nothing,
        on_status: Callable[[McpStatus], None] = _nothing,
        on_suspended: Callable[[ToolDifference], None] = _nothing,
    ) -> None:
        self._spec = spec
        self._entry_id = entry_id
        self._logger = logger
        self._redact = redact
        self._words = Words(entry_id, redact)
        self._records = ChildRecords(data_dir / "children") if data_dir is not None else None
        self._pin = pin
        self._on_first_tools = on_first_tools
        self._on_status = on_status
        self._on_suspended = on_suspended
        self._status = McpStatus()
        self._changed = anyio.Event()
        self._held: Connection | None = None
        self._connection: Connection | None = None
        self._tools: Mapping[str, ToolDefinition] = {}
        self._tokens: dict[str, Any] = {}
        self._server: Mapping[str, str] = {}
        self._arguments = Arguments({}, entry_id)
        self._undeclared: dict[str, set[str]] = {}
        self._difference = ToolDifference()
        self._error: ProviderError | None = None
        self._slots = anyio.Semaphore(spec.limits.max_in_flight)
        self._failures = 0
        self._told = ""

    # What is known.

    @property
    def tools(self) -> Mapping[str, ToolDefinition]:
        """The tools of this connection, or of the last one."""
        return self._tools

    @property
    def server(self) -> Mapping[str, str]:
        """``name``, ``version`` and ``protocol`` of the server."""
        return self._server

    @property
    def generation(self) -> int:
        """Which connection this is: 0 before the first."""
        return self._status.connections

    @property
    def status(self) -> McpStatus:
        """The state, its reason, and what was counted."""
        return self._status

    @property
    def difference(self) -> ToolDifference:
        """Why it is suspended: how the server's tools differ from the pin; empty otherwise."""
        return self._difference

    # What a host does.

    def allow_undeclared(self, tool: str, *arguments: str) -> None:
        """Let a tool have arguments that its schema does not declare."""
        self._undeclared.setdefault(tool, set()).update(arguments)

    def accept(self, pin: ToolPin) -> None:
        """Take another pin, because a person consented to it; a session that is suspended looks again at once."""
        self._pin = pin
        if self._held is not None:
            self._judge(self._held)

    async def wait_connected(self, timeout: float) -> None:
        """Wait until calls can be made.

        Raises:
            NotConnected, AuthError: not within ``timeout`` seconds; the message says why.
            Denied: it is suspended, or has failed for good.
        """
        with anyio.move_on_after(timeout):
            while not self._is_up():
                if self._status.state in _REFUSED:
                    raise self._refusal()
                await self._changed.wait()
            return
        raise self._error or NotConnected(f"{self._entry_id}: no connection within {timeout:g} s: {self._why()}")

    def _is_up(self) -> bool:
        return self._connection is not None and not self._connection.dispatcher.lost.is_set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Connect, stay connected, connect anew; until the task is cancelled. Nothing of it is left then."""
        task_status.started()
        try:
            # Importing the SDK takes a second, which the loop shall not stand still for.
            await anyio.to_thread.run_sync(import_module, "gatehook.runtimes.mcp.connection")
            while True:
                again_at_once = await self._live_once()
                if self._status.state is McpState.FAILED:
                    await anyio.sleep_forever()
                if not again_at_once:
                    await anyio.sleep(self._status.retry_in)
        finally:
            self._unpublish()
            self._set(McpState.CLOSED, "it was stopped")

    # What its users do.

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        timeout: float | None = None,
        progress: Progress | None = None,
    ) -> McpResult:
        """Call a tool (``gatehook.context.McpTools.call``); ``progress`` is told what the server reports.

        Raises:
            Denied, NotConnected, AuthError, Ambiguous, CallRefused, ToolAnswerInvalid, ToolFailed: see there.
        """
        seconds = self._spec.limits.call_timeout if timeout is None else timeout
        deadline = anyio.current_time() + seconds
        if not await self._slot(seconds):
            raise NotConnected(f"{self._words.of(tool)}: {self._spec.limits.max_in_flight} calls are ahead of it")
        try:
            connection = self._connection
            if connection is None:
                raise self._no_connection(tool)
            made = self._arguments.ready(tool, arguments, self._undeclared.get(tool, ()))
            return await call_tool(connection, tool, made, deadline - anyio.current_time(), progress, self._words)
        finally:
            self._slots.release()

    def _no_connection(self, tool: str) -> ProviderError:
        if self._status.state in _REFUSED:
            return self._refusal()
        kind = AuthError if self._status.state is McpState.UNAUTHORIZED else NotConnected
        return kind(f"{self._words.of(tool)}: {self._why()}; nothing was sent")

    async def _slot(self, seconds: float) -> bool:
        try:
            self._slots.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(seconds):
                await self._slots.acquire()
                return True
            return False
        return True

    # The owner task.

    async def _live_once(self) -> bool:
        """Live through one connection; ``True`` when the next is to be made at once."""
        from gatehook.runtimes.mcp.connection import Surroundings
        from gatehook.runtimes.mcp.connection import connected

        self._set(McpState.CONNECTING, self._status.reason)
        around = Surroundings(
            entry_id=self._entry_id,
            logger=self._logger,
            redact=self._redact,
            records=self._records,
            tokens=self._tokens,
        )
        since = anyio.current_time()
        try:
            async with connected(self._spec, around) as connection:
                since = anyio.current_time()
                await self._hold(connection)
            down = connection.dispatcher.down
        except Exception as error:  # noqa: BLE001  whatever a connection dies of, the session outlives it
            down = self._sorted(error)
        finally:
            self._unpublish()
        steady = self.generation > 0 and anyio.current_time() - since >= _STEADY
        return self._lost(down, steady=steady)

    async def _hold(self, connection: Connection) -> None:
        """Publish the connection, and watch it until it is of no more use."""
        self._failures = 0
        self._server = connection.server
        self._status = attrs.evolve(self._status, connections=self._status.connections + 1)
        self._held = connection
        self._judge(connection)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._ping, connection)
            tasks.start_soon(self._listen, connection)
            tasks.start_soon(self._follow_tools, connection)
            await connection.dispatcher.lost.wait()
            self._unpublish()
            tasks.cancel_scope.cancel()

    def _judge(self, connection: Connection) -> None:
        """Let calls through, when the tools are those that were consented to."""
        self._tools, self._arguments = connection.tools, Arguments(connection.tools, self._entry_id)
        if self._pin is None:
            self._pin = ToolPin.of(connection.tools.values())
            self._on_first_tools(self._pin)
        self._difference = self._pin.difference(connection.tools.values())
        if self._difference:
            self._connection = None
            self._set(McpState.SUSPENDED, f"the server's tools have changed ({one_line(str(self._difference))})")
            self._on_suspended(self._difference)
            return
        self._connection = connection
        self._error = None
        self._set(McpState.READY, "")

    async def _follow_tools(self, connection: Connection) -> None:
        dispatcher = connection.dispatcher
        while True:
            await dispatcher.tools_changed.wait()
            dispatcher.tools_changed = anyio.Event()
            try:
                connection.tools = await connection.list_tools()
            except Exception as error:  # noqa: BLE001  a list that cannot be read ends the connection, with its reason
                dispatcher.end(self._sorted(error))
                return
            self._judge(connection)

    async def _listen(self, connection: Connection) -> None:
        """Hear of changes where that is asked for; the end of it is the first sign of a dead server, and no proof."""
        while await connection.listen():
            if not await connection.ping(self._spec.limits.ping_timeout):
                connection.dispatcher.end(ConnectionDown("the server ended its stream and does not answer", sent=True))
                return
            connection.dispatcher.tools_changed.set()  # what changed meanwhile was not heard
            await anyio.sleep(_LISTEN_AGAIN)

    async def _ping(self, connection: Connection) -> None:
        limits, dispatcher, misses = self._spec.limits, connection.dispatcher, 0
        while misses < limits.ping_misses:
            idle_until = dispatcher.last_heard + limits.ping_every
            if misses == 0 and idle_until > anyio.current_time():
                await anyio.sleep(idle_until - anyio.current_time())
                continue
            heard = dispatcher.last_heard
            answered = await connection.ping(limits.ping_timeout)
            misses = 0 if answered or dispatcher.last_heard > heard else misses + 1
            dispatcher.last_heard = max(dispatcher.last_heard, anyio.current_time()) if not misses else heard
        dispatcher.is_frozen = True
        dispatcher.end(ConnectionDown(f"the server did not answer {misses} pings", sent=True))

    def _sorted(self, error: BaseException) -> ConnectionDown:
        """Return what a connection ended of, as one fault; for good where trying again will not help."""
        leaf = _leaf(error)
        if isinstance(leaf, NotUsable):
            self._failures = -1
            return ConnectionDown(str(leaf), sent=False)
        if isinstance(leaf, ConnectionDown):
            return leaf
        if isinstance(leaf, BadToolList | Unanswered | UnreadableAnswer | TooLarge):
            return ConnectionDown(str(leaf), sent=True)
        message = getattr(leaf, "message", "")
        return ConnectionDown(f"{type(leaf).__name__}: {message if isinstance(message, str) else ''}", sent=True)

    def _lost(self, down: ConnectionDown | None, *, steady: bool) -> bool:
        down = down or ConnectionDown("the connection was closed", sent=True)
        reason = self._words.foreign(down.reason)
        if self._failures < 0:
            self._failures = 0
            self._error = Denied(f"{self._entry_id}: {reason}")
            self._set(McpState.FAILED, reason)
            return False
        first = self._failures == 0
        self._failures = 1 if steady else self._failures + 1
        kind = AuthError if down.refused else NotConnected
        self._error = kind(f"{self._entry_id}: {reason}", retry_after=down.retry_after)
        wait = self._wait(down.retry_after)
        at_once = down.lost_session and first
        self._set(
            McpState.UNAUTHORIZED if down.refused else McpState.BACKOFF, reason, retry_in=0.0 if at_once else wait
        )
        if first or reason != self._told:  # a server that is away for a night is one line
            self._logger.warning("not connected to %s: %s", self._spec.shown, reason)
        self._told = reason
        return at_once

    def _wait(self, retry_after: float | None) -> float:
        """Draw the pause from the whole range below its bound: sessions that fell together do not rise together."""
        limits = self._spec.limits
        bound = min(limits.backoff_cap, limits.backoff * 2.0 ** min(self._failures - 1, 30))
        return max(random.uniform(0, bound), retry_after or 0.0)  # noqa: S311  spreads load, guards nothing

    # Words.

    def _unpublish(self) -> None:
        self._connection = self._held = None

    def _set(self, state: McpState, reason: str, *, retry_in: float = 0.0) -> None:
        self._status = attrs.evolve(self._status, state=state, reason=reason, retry_in=retry_in)
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
        self._on_status(self._status)

    def _refusal(self) -> ProviderError:
        if self._status.state is McpState.SUSPENDED:
            return Denied(f"{self._entry_id} is suspended: {self._status.reason}; nothing was sent")
        return Denied(f"{self._entry_id}: {self._status.reason}; nothing was sent")

    def _why(self) -> str:
        state = self._status
        return f"not connected ({state.state}{': ' + state.reason if state.reason else ''})"


def _leaf(error: BaseException) -> BaseException:
    """Return the exception inside groups, the most telling one of several."""
    while isinstance(error, BaseExceptionGroup):
        told = [one for one in error.exceptions if isinstance(one, NotUsable | BadToolList)]
        error = told[0] if told else error.exceptions[0]
    return error
