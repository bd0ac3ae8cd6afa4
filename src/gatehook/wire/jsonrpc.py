"""One side of a JSON-RPC 2.0 connection over lines of a byte stream: requests both ways, notifications, cancellation.

Whatever the other side sends, the connection lives until a stream ends: what is no message, answers nothing that was
asked, or comes too late, is dropped and counted. Whatever the other side does not read is bounded.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any
from typing import Final
from typing import Protocol

import anyio
import anyio.lowlevel
import attrs
from anyio.abc import TaskGroup

from gatehook.wire.deadlines import Deadlines
from gatehook.wire.frames import Lines
from gatehook.wire.frames import TooLarge
from gatehook.wire.messages import BUSY
from gatehook.wire.messages import INTERNAL_ERROR
from gatehook.wire.messages import INVALID_REQUEST
from gatehook.wire.messages import METHOD_NOT_FOUND
from gatehook.wire.messages import Garbage
from gatehook.wire.messages import Id
from gatehook.wire.messages import RpcError
from gatehook.wire.messages import error_line
from gatehook.wire.messages import error_of
from gatehook.wire.messages import id_of
from gatehook.wire.messages import notification_line
from gatehook.wire.messages import parsed
from gatehook.wire.messages import request_line
from gatehook.wire.messages import result_line
from gatehook.wire.outbox import Outbox
from gatehook.wire.outbox import Writing

#: Messages that wait to be written: more come only of a flood that is refused, to a side that does not read.
_MOST_WAITING: Final = 4096
#: Messages that are taken before other tasks get their turn.
_MANY: Final = 64


class Reading(Protocol):
    """Where bytes come from: a stream of anyio, a child."""

    async def receive(self, max_bytes: int = 65_536, /) -> bytes:
        """Return at least a byte; raise ``EndOfStream``, or return none, at the end."""


#: Answers a request: method and params to the result.
Handler = Callable[[str, Any], Awaitable[Any]]
#: Hears a notification: method and params.
Listener = Callable[[str, Any], None]
#: Hears of progress: how far, of how much, and words.
Progress = Callable[[float, float | None, str | None], None]


class ConnectionLost(Exception):
    """The connection ended before the answer. ``left`` is false where nothing of the request was written."""

    def __init__(self, what: str, *, left: bool) -> None:
        super().__init__(what)
        self.left = left


class NoAnswer(Exception):
    """The deadline passed. ``left`` is false where nothing of the request was written; it was taken back then."""

    def __init__(self, what: str, *, left: bool) -> None:
        super().__init__(what)
        self.left = left


@attrs.frozen(kw_only=True)
class Limits:
    """What a connection holds at most.

    Attributes:
        frame: bytes of a line from the other side.
        outbox: bytes that wait to be written before senders wait too.
        asking: requests of ours without an answer; more wait.
        answering: requests of the other side being answered; more are refused as busy.
    """

    frame: int = 8 * 1024 * 1024
    outbox: int = 1024 * 1024
    asking: int = 256
    answering: int = 256


@attrs.define
class Counts:
    """What was dropped so far."""

    garbage: int = 0
    too_large: int = 0
    late: int = 0
    unasked: int = 0
    doubled: int = 0
    refused: int = 0


@attrs.define(eq=False)
class _Asked:
    """A request of ours: its place among the frames, until when it waits, and its answer."""

    deadline: float
    progress: Progress | None
    frame: int = -1
    is_answered: bool = False
    done: anyio.Event = attrs.field(factory=anyio.Event)
    result: Any = None
    error: Exception | None = None

    def answer(self, result: Any = None, *, error: Exception | None = None) -> None:
        """Give it its answer."""
        self.result, self.error, self.is_answered = result, error, True
        self.done.set()

    def expire(self) -> None:
        """Let its caller see that there is none in time."""
        self.deadline = math.inf
        self.done.set()


async def _refuse_all(method: str, _: Any) -> Any:
    raise RpcError(METHOD_NOT_FOUND, f"no such method: {method}")


def _ignore(_: str, __: Any) -> None:
    """Hear nothing."""


class Peer:
    """One side of a connection. ``run`` owns every task and ends with the connection; who opened the streams closes
    them.
    """

    def __init__(
        self,
        reading: Reading,
        writing: Writing,
        *,
        answer: Handler = _refuse_all,
        hear: Listener = _ignore,
        limits: Limits | None = None,
        replies_to_garbage: bool = False,
    ) -> None:
        """Prepare. ``replies_to_garbage`` is for servers: whoever asked learns that the line was no JSON."""
        self._reading = reading
        self._answer = answer
        self._hear = hear
        self._limits = limits or Limits()
        self._replies_to_garbage = replies_to_garbage
        self._asked: dict[int, _Asked] = {}
        self._answering: dict[Id, anyio.CancelScope] = {}
        self._outbox = Outbox(
            writing,
            self._limits.outbox,
            crowded=lambda: len(self._asked) + len(self._answering) > 1,
            broken=lambda: self.close("the other side no longer reads"),
        )
        self._deadlines = Deadlines(self._asked.values)
        self._last_id = 0
        self._turns = anyio.Semaphore(self._limits.asking, fast_acquire=True)
        self._scope: anyio.CancelScope | None = None
        self.counts = Counts()
        self.over = ""

    def answer_with(self, answer: Handler) -> None:
        """Answer the other side's requests so from now on: for what needs the connection to be made."""
        self._answer = answer

    async def run(self) -> None:
        """Read, write and answer until a stream ends or ``close`` is called; then every request still open fails."""
        try:
            async with anyio.create_task_group() as tasks:
                self._scope = tasks.cancel_scope
                if self.over:
                    return
                tasks.start_soon(self._outbox.run)
                tasks.start_soon(self._deadlines.run)
                await self._read(tasks)
                self.close(self.over or "the other side closed the connection")
        finally:
            self.close(self.over or "the connection was let go")

    def close(self, why: str) -> None:
        """End the connection: requests still open fail with ``why``, those being answered are cancelled."""
        if not self.over:
            self.over = why
            for asked in self._asked.values():
                asked.answer(error=ConnectionLost(why, left=self._outbox.has_left(asked.frame)))
            self._asked.clear()
            self._outbox.let_go()
        if self._scope is not None:
            self._scope.cancel()

    # --- asking

    async def request(self, method: str, params: Any, *, timeout: float, progress: Progress | None = None) -> Any:
        """Ask, and return the result. ``timeout`` is in seconds.

        A caller that is cancelled cancels the request at the other side.

        Raises:
            RpcError: the other side's error answer.
            NoAnswer, ConnectionLost: there is none; ``left`` says whether the request left.
            TypeError, ValueError: for params that JSON cannot say.
        """
        request_id = self._last_id = self._last_id + 1
        if progress is not None:
            params = {**params, "_meta": {**params.get("_meta", {}), "progressToken": request_id}}
        line = request_line(request_id, method, params)
        asked = _Asked(time.monotonic() + timeout, progress)
        if await self._has_turn(timeout):
            try:
                await self._exchange(request_id, asked, line)
            finally:
                self._turns.release()
        if asked.error is not None:
            raise asked.error
        if not asked.is_answered:
            raise NoAnswer(f"no answer to {method} within {timeout:g} s", left=self._outbox.has_left(asked.frame))
        return asked.result

    async def _has_turn(self, timeout: float) -> bool:
        try:
            self._turns.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(timeout):
                await self._turns.acquire()
                return True
            return False
        return True

    async def _exchange(self, request_id: int, asked: _Asked, line: bytes) -> None:
        if self._outbox.is_full:
            with anyio.move_on_after(asked.deadline - time.monotonic()):
                await self._room()
        if self.over:
            asked.answer(error=ConnectionLost(self.over, left=False))
            return
        if self._outbox.is_full:
            return
        self._asked[request_id] = asked
        asked.frame = self._outbox.put(line)
        self._deadlines.expect(asked.deadline)
        try:
            await asked.done.wait()
        finally:
            if self._asked.pop(request_id, None) is not None:
                self._give_up(request_id, asked)

    async def _room(self) -> None:
        while self._outbox.is_full and not self.over:
            await self._outbox.room()

    def _give_up(self, request_id: int, asked: _Asked) -> None:
        """Take a request back where it has not left, else tell the other side that nobody waits."""
        if not self._outbox.take_back(asked.frame) and not self.over:
            cancelled = {"requestId": request_id, "reason": "given up"}
            self._outbox.put(notification_line("notifications/cancelled", cancelled))

    def notify(self, method: str, params: Any) -> None:
        """Tell the other side something; there is no answer. Nothing is told on a connection that is over."""
        if not self.over:
            self._outbox.put(notification_line(method, params))

    # --- reading

    async def _read(self, tasks: TaskGroup) -> None:
        lines, taken = Lines(self._limits.frame), 0
        try:
            while chunk := await self._reading.receive(262_144):
                for line in (*lines.feed(chunk), b""):
                    if line:
                        self._take(line, tasks)
                    taken += 1
                    if taken >= _MANY:  # the pipe of a side that never stops is never empty: others get their turn
                        taken = 0
                        await anyio.lowlevel.checkpoint()
        except anyio.EndOfStream:
            return
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    def _take(self, line: bytes | TooLarge, tasks: TaskGroup) -> None:
        if isinstance(line, TooLarge):
            self._over_the_cap(line)
            return
        try:
            messages = parsed(line)
        except Garbage as garbage:
            self._not_understood(garbage)
            return
        for message in messages:
            if "method" in message:
                self._asked_or_told(message, tasks)
            else:
                self._answered(message)

    def _over_the_cap(self, line: TooLarge) -> None:
        self.counts.too_large += 1
        asked = self._asked.pop(line.request_id, None) if line.request_id is not None else None
        if asked is not None:
            what = f"the answer was longer than {self._limits.frame} bytes"
            asked.answer(error=ConnectionLost(what, left=True))

    def _not_understood(self, garbage: Garbage) -> None:
        self.counts.garbage += 1
        asked = self._asked.pop(garbage.request_id, None) if type(garbage.request_id) is int else None
        if asked is not None:
            asked.answer(error=ConnectionLost(f"the answer cannot be read: {garbage}", left=True))
        elif self._replies_to_garbage:
            self._reply(error_line(garbage.request_id, RpcError(garbage.code, str(garbage))))

    def _answered(self, message: dict[str, Any]) -> None:
        request_id = id_of(message)
        asked = self._asked.pop(request_id, None) if type(request_id) is int else None
        if asked is None:
            late = type(request_id) is int and 0 < request_id <= self._last_id
            self.counts.late += late
            self.counts.unasked += not late
            return
        if "error" in message:
            asked.answer(error=error_of(message["error"]))
        elif "result" in message:
            asked.answer(message["result"])
        else:
            asked.answer(error=ConnectionLost("the answer has neither result nor error", left=True))

    def _asked_or_told(self, message: dict[str, Any], tasks: TaskGroup) -> None:
        method, params = message["method"], message.get("params")
        if not isinstance(method, str):
            self._not_understood(Garbage("no method", request_id=id_of(message), code=INVALID_REQUEST))
        elif "id" not in message:
            self._told(method, params)
        elif (request_id := id_of(message)) is None:
            self._not_understood(Garbage("an id is text or a whole number", code=INVALID_REQUEST))
        elif request_id in self._answering:
            self.counts.doubled += 1
        elif len(self._answering) >= self._limits.answering:
            self.counts.refused += 1
            self._reply(error_line(request_id, RpcError(BUSY, "too many requests at once; this one was not begun")))
        else:
            self._answering[request_id] = anyio.CancelScope()
            tasks.start_soon(self._respond, request_id, method, params)

    def _told(self, method: str, params: Any) -> None:
        if not isinstance(params, dict):
            params = {}
        if method == "notifications/cancelled":
            request_id = params.get("requestId")
            scope = self._answering.get(request_id) if type(request_id) in (int, str) else None
            if scope is not None:
                scope.cancel()
        elif method == "notifications/progress":
            self._progressed(params)
        else:
            self._hear(method, params)

    def _progressed(self, params: dict[str, Any]) -> None:
        token, message = params.get("progressToken"), params.get("message")
        asked = self._asked.get(token) if type(token) is int else None
        progress = _finite(params.get("progress"))
        if asked is not None and asked.progress is not None and progress is not None:
            asked.progress(progress, _finite(params.get("total")), message if isinstance(message, str) else None)

    # --- answering

    async def _respond(self, request_id: Id, method: str, params: Any) -> None:
        with self._answering[request_id]:
            try:
                line = result_line(request_id, await self._answer(method, params))
            except RpcError as error:
                line = error_line(request_id, error)
            except Exception as error:  # noqa: BLE001  whatever an answer fails of, the asker learns that it failed
                line = error_line(request_id, RpcError(INTERNAL_ERROR, f"the answer failed: {type(error).__name__}"))
            if self._outbox.is_full:
                await self._room()
            self._reply(line)
        del self._answering[request_id]

    def _reply(self, line: bytes) -> None:
        if len(self._outbox) > _MOST_WAITING:
            self.close("the other side asks and does not read")
        elif not self.over:
            self._outbox.put(line)


def _finite(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and math.isfinite(value) else None
