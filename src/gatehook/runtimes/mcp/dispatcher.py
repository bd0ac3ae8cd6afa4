"""The calls of one connection: which request waits for which answer, and what to do with everything else that comes.

``Dispatcher`` stands under the SDK's ``ClientSession`` (it is the SDK's ``Dispatcher`` protocol). What differs between
stdio, SSE and streamable HTTP is how a message leaves: ``transmit``. What comes is given to ``take``.
"""

from __future__ import annotations

import logging
import time
from abc import ABC
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import ClassVar
from typing import Final

import anyio
import anyio.abc
from mcp import MCPError
from mcp.shared.dispatcher import CallOptions
from mcp.shared.dispatcher import OnNotify
from mcp.shared.dispatcher import OnNotifyIntercept
from mcp.shared.dispatcher import OnRequest
from mcp.shared.dispatcher import ProgressFnT
from mcp.shared.transport_context import TransportContext

from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import TooLarge
from gatehook.runtimes.mcp.faults import Unanswered
from gatehook.runtimes.mcp.faults import UnreadableAnswer
from gatehook.runtimes.mcp.frames import LongFrame
from gatehook.runtimes.mcp.inbound import InboundContext
from gatehook.runtimes.mcp.messages import Unreadable
from gatehook.runtimes.mcp.messages import answered_by
from gatehook.runtimes.mcp.messages import decode
from gatehook.runtimes.mcp.messages import encode
from gatehook.runtimes.mcp.spec import McpLimits
from gatehook.runtimes.mcp.waiting import Waiting
from gatehook.wire.deadlines import Deadlines

#: Requests of the server that are answered at once; more are dropped.
MAX_INBOUND: Final = 16
#: Reports of a call's progress that wait to be told; more are dropped.
MAX_REPORTS: Final = 64
_INTERNAL: Final = -32603
_LONGEST_ERROR: Final = 500

RequestId = int | str


class Dispatcher(ABC):
    """One connection's calls. ``run`` lives as long as the connection and is entered by ``ClientSession``."""

    kind: str
    #: ``transmit`` never waits: one timer is enough for the deadlines of all requests.
    transmits_at_once: ClassVar[bool] = False

    def __init__(self, limits: McpLimits, logger: logging.Logger) -> None:
        self.limits = limits
        self.logger = logger
        self.garbage = 0
        self.dropped = 0
        #: Set when the connection is of no more use; ``down`` says why.
        self.lost = anyio.Event()
        self.down: ConnectionDown | None = None
        #: It no longer answers: nothing polite is waited for.
        self.is_frozen = False
        self.last_heard = anyio.current_time()
        self._waiting: dict[RequestId, Waiting] = {}
        self._deadlines = Deadlines(self._waiting.values)
        self._next_id = 0
        self._inbound: dict[RequestId, InboundContext] = {}
        #: Set when the server says that its tools are others now; whoever reads them puts a new one in its place.
        self.tools_changed = anyio.Event()
        self._tasks: anyio.abc.TaskGroup | None = None
        self._on_request: OnRequest | None = None

    @property
    def waiting_for(self) -> int:
        """How many requests wait for their answers."""
        return len(self._waiting)

    # What a transport does.

    @abstractmethod
    async def transmit(
        self, data: bytes, waiting: Waiting | None, request_id: RequestId | None, opts: CallOptions
    ) -> None:
        """Let a message leave, and set ``waiting.sent`` before its first byte does.

        Raises:
            ConnectionDown: it did not, or nobody can say.
        """

    @abstractmethod
    async def receive(self) -> None:
        """Receive until the connection ends; return or raise then."""

    def give_up(self, request_id: RequestId, waiting: Waiting) -> bool:
        """Take back a message that waits to be sent; ``True`` when nothing of it left."""
        return not waiting.sent

    def cancels_by_message(self) -> bool:
        """Say whether the server is told of an abandoned request by a message."""
        return True

    # What the session calls.

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Send a request and return its result.

        Raises:
            MCPError: the server answered with an error.
            ConnectionDown, Unanswered, TooLarge, UnreadableAnswer: see there.
        """
        opts = opts or {}
        request_id = self._new_id(opts)
        waiting = self._waiting[request_id] = Waiting(opts.get("on_progress"))
        message = {
            "jsonrpc": "2.0",
            "id": request_id,
            "method": method,
            "params": self._params(params, request_id, opts),
        }
        timeout = opts.get("timeout")
        try:
            if timeout is not None and self.transmits_at_once:
                waiting.deadline = time.monotonic() + timeout
                self._deadlines.expect(waiting.deadline)
                await self._exchange(message, waiting, request_id, opts)
            else:
                with anyio.move_on_after(timeout):
                    await self._exchange(message, waiting, request_id, opts)
            if waiting.has_ended:
                return _result(waiting)
            raise Unanswered(timeout or 0.0, sent=not self.give_up(request_id, waiting))
        finally:
            self._waiting.pop(request_id, None)
            if not waiting.has_ended and waiting.sent and opts.get("cancel_on_abandon", True):
                self._abandon(request_id)

    async def _exchange(
        self, message: dict[str, Any], waiting: Waiting, request_id: RequestId, opts: CallOptions
    ) -> None:
        if self.down is not None:
            raise ConnectionDown(self.down.reason, sent=False)
        if message["params"] is None:
            del message["params"]
        await self.transmit(encode(message), waiting, request_id, opts)
        await waiting.done.wait()

    def _new_id(self, opts: CallOptions) -> RequestId:
        stated = opts.get("request_id")
        if stated is not None:
            if stated in self._waiting:
                raise ValueError(f"the request id {stated!r} is in use")
            return stated
        self._next_id += 1
        return self._next_id

    def _params(
        self, params: Mapping[str, Any] | None, request_id: RequestId, opts: CallOptions
    ) -> Mapping[str, Any] | None:
        if opts.get("on_progress") is None:
            return params
        params = params or {}
        return {**params, "_meta": {**params.get("_meta", {}), "progressToken": request_id}}

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Send a notification; a lost connection is no error here."""
        message = {"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})}
        await self._send_quietly(message, opts or {})

    async def _send_quietly(self, message: Mapping[str, Any], opts: CallOptions) -> None:
        if self.down is not None:
            return
        try:
            with anyio.move_on_after(self.limits.ping_timeout):
                await self.transmit(encode(message), None, None, opts)
        except ConnectionDown as error:
            if error.dead:
                self.end(error)

    def _abandon(self, request_id: RequestId) -> None:
        if self.cancels_by_message() and self._tasks is not None and self.down is None:
            self._tasks.start_soon(self.notify, "notifications/cancelled", {"requestId": request_id})

    async def run(
        self,
        on_request: OnRequest,
        on_notify: OnNotify,
        on_notify_intercept: OnNotifyIntercept | None = None,
        *,
        task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Receive until the connection ends."""
        self._on_request = on_request
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                tasks.start_soon(self._deadlines.run)
                task_status.started()
                await self._receive()
                tasks.cancel_scope.cancel()
        finally:
            self._tasks = None
            self.end(ConnectionDown("the connection was closed", sent=True))

    async def _receive(self) -> None:
        try:
            await self.receive()
        except ConnectionDown as error:
            self.end(error)
        else:
            self.end(ConnectionDown("the server closed the connection", sent=True))

    def end(self, error: ConnectionDown) -> None:
        """Fail everything that waits; the first reason stays."""
        if self.down is None:
            self.down = error
        for waiting in self._waiting.values():
            waiting.fail(ConnectionDown(self.down.reason, sent=waiting.sent, refused=self.down.refused))
        self.lost.set()

    # What comes.

    def take(self, data: bytes, answers: RequestId | None = None) -> None:
        """Take one message as bytes; what is none is counted, and its request fails if it can be told.

        ``answers``: the request in whose response it came.
        """
        self.last_heard = anyio.current_time()
        try:
            message = decode(data)
        except Unreadable as error:
            self.count_garbage(error.reason)
            request_id = error.request_id if answers is None else answers
            if request_id is not None:
                self.fail(request_id, UnreadableAnswer(error.reason))
            return
        method = message.get("method")
        if method is None:
            self._answered(message)
        elif not isinstance(method, str):
            self.count_garbage("its method is no text")
        elif "id" in message:
            self._asked(method, message)
        else:
            self._told(method, message.get("params"))

    def count_garbage(self, reason: str) -> None:
        """Count what is no message; its content is a stranger's, and is not logged."""
        self.garbage += 1
        if self.garbage & (self.garbage - 1) == 0:  # 1, 2, 4, 8 …: a flood of them is a few lines
            self.logger.warning("the server sent what is no message (%s); %d so far", reason, self.garbage)

    def fail(self, request_id: Any, error: Exception) -> bool:
        """Fail one request; ``False`` when none with this id waits."""
        waiting = self._waiting.get(_same(request_id))
        if waiting is None:
            return False
        waiting.fail(error)
        return True

    def take_long(self, frame: LongFrame) -> None:
        """Fail the request that a message over the cap answers; where that cannot be told, the connection."""
        error = TooLarge(frame.size, self.limits.max_result)
        request_id = answered_by(frame.head, frame.tail)
        if request_id is None or not self.fail(request_id, error):
            self.end(ConnectionDown(f"which call a message answers is not known, and {error}", sent=True))

    def _answered(self, message: dict[str, Any]) -> None:
        waiting = self._waiting.get(_same(message.get("id")))
        if waiting is None or waiting.done.is_set():
            return  # an answer to what was given up, or to what nobody asked
        result, error = message.get("result"), message.get("error")
        if isinstance(result, dict):
            waiting.answer = result
            waiting.done.set()
        elif isinstance(error, dict):
            waiting.fail(_mcp_error(error))
        else:
            waiting.fail(UnreadableAnswer("it has neither a result nor an error"))

    def _told(self, method: str, params: Any) -> None:
        params = params if isinstance(params, dict) else None
        if method == "notifications/progress" and params is not None:
            self._progressed(params)
            return
        if method == "notifications/cancelled" and params is not None:
            asked = self._inbound.get(_same(params.get("requestId")))
            if asked is not None:
                asked.cancel_requested.set()
        elif method == "notifications/tools/list_changed":
            self.tools_changed.set()
        # Others are of no use here. None is queued, so no flood of them fills the memory.

    def _progressed(self, params: Mapping[str, Any]) -> None:
        waiting = self._waiting.get(_same(params.get("progressToken")))
        progress, total = params.get("progress"), params.get("total")
        if waiting is None or waiting.progress is None or self._tasks is None or not isinstance(progress, _NUMBERS):
            return
        if len(waiting.reports) >= MAX_REPORTS:
            self.dropped += 1
            return
        message = params.get("message")
        amount = float(total) if isinstance(total, _NUMBERS) else None
        text = message[:_LONGEST_ERROR] if isinstance(message, str) else None
        waiting.reports.append((float(progress), amount, text))
        if len(waiting.reports) == 1:
            self._tasks.start_soon(self._report, waiting.progress, waiting.reports)

    async def _report(self, tell: ProgressFnT, reports: deque[tuple[float, float | None, str | None]]) -> None:
        while reports:
            await tell(*reports[0])
            reports.popleft()

    def _asked(self, method: str, message: dict[str, Any]) -> None:
        request_id = message["id"]
        if isinstance(request_id, bool) or not isinstance(request_id, int | str):
            self.count_garbage("its id is none")
            return
        if len(self._inbound) >= MAX_INBOUND or request_id in self._inbound or self._tasks is None:
            self.dropped += 1  # a flood is not answered: the answers would be the next flood
            return
        context = self._inbound[request_id] = self._context(request_id)
        params = message.get("params")
        self._tasks.start_soon(self._answer, context, method, params if isinstance(params, dict) else None)

    async def _answer(self, context: InboundContext, method: str, params: Mapping[str, Any] | None) -> None:
        assert self._on_request is not None
        try:
            reply: dict[str, Any] = {"result": await self._on_request(context, method, params)}
        except MCPError as error:
            reply = {"error": {"code": error.code, "message": error.message}}
        except Exception as error:  # noqa: BLE001  an answer is owed, whatever reading the request raised
            self.logger.warning("a request %s of the server could not be read (%s)", method[:50], type(error).__name__)
            reply = {"error": {"code": _INTERNAL, "message": "internal error"}}
        finally:
            self._inbound.pop(context.request_id or 0, None)
        await self._send_quietly({"jsonrpc": "2.0", "id": context.request_id, **reply}, {})

    def _context(self, request_id: RequestId | None) -> InboundContext:
        return InboundContext(TransportContext(kind=self.kind, can_send_request=False), request_id, self.notify)


_NUMBERS: Final = (int, float, Decimal)


def _same(request_id: Any) -> Any:
    """Return the id as it was sent: some servers write a number back as text. What is no id is no key."""
    if isinstance(request_id, str):
        return int(request_id) if request_id.isascii() and request_id.isdigit() else request_id
    return request_id if isinstance(request_id, int) else None


def _result(waiting: Waiting) -> dict[str, Any]:
    if waiting.error is not None:
        raise waiting.error
    assert waiting.answer is not None
    return waiting.answer


def _mcp_error(error: Mapping[str, Any]) -> Exception:
    code, message = error.get("code"), error.get("message")
    if isinstance(code, bool) or not isinstance(code, int):
        return UnreadableAnswer("its error has no code")
    return MCPError(code, message[:_LONGEST_ERROR] if isinstance(message, str) else "", error.get("data"))
