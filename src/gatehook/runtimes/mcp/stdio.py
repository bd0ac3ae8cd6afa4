"""stdio: one JSON message a line. The frames are ours, so that no size and no byte of the server's ends the session."""

from __future__ import annotations

import logging
from collections import deque
from typing import Final

import anyio
import attrs
from mcp.shared.dispatcher import CallOptions

from gatehook.runtimes.children import CHUNK
from gatehook.runtimes.children import Child
from gatehook.runtimes.mcp.dispatcher import Dispatcher
from gatehook.runtimes.mcp.dispatcher import RequestId
from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.frames import Frames
from gatehook.runtimes.mcp.spec import McpLimits
from gatehook.runtimes.mcp.waiting import Waiting

#: After the end of stdout: how long the process gets until its exit code is known.
_EXIT_WAIT: Final = 0.5
#: So much is written at once; smaller messages are put together.
_BATCH: Final = 65_536


@attrs.define(eq=False)
class _Outgoing:
    """A message that waits to be written; of one that has ``begun`` some bytes are written."""

    rest: memoryview
    waiting: Waiting | None
    begun: bool = False

    def mark(self, *, sent: bool) -> None:
        """Tell the request whether it may have reached the server."""
        if self.waiting is not None:
            self.waiting.sent = sent


class StdioDispatcher(Dispatcher):
    """The calls over a child's stdin and stdout. Its owner stops the child."""

    kind = "stdio"
    transmits_at_once = True

    def __init__(self, child: Child, limits: McpLimits, logger: logging.Logger) -> None:
        super().__init__(limits, logger)
        self._child = child
        self._outgoing: deque[_Outgoing] = deque()
        self._unsent = 0
        self._more = anyio.Event()
        self._frames = Frames(limits.max_result)

    async def transmit(
        self, data: bytes, waiting: Waiting | None, request_id: RequestId | None, opts: CallOptions
    ) -> None:
        """Write the message now, or with the others of this turn of the loop: a write wakes the server each time."""
        if self._unsent and self._unsent + len(data) > self.limits.max_unsent:
            raise ConnectionDown("the server does not read what it is sent", sent=False, dead=False)
        self._outgoing.append(_Outgoing(memoryview(data + b"\n"), waiting))
        self._unsent += len(data) + 1
        if not self._more.is_set():
            self._write()
            if self._outgoing or self.waiting_for > 1:
                self._more.set()

    def give_up(self, request_id: RequestId, waiting: Waiting) -> bool:
        """Take the message out of the queue, if no byte of it left."""
        if waiting.sent:
            return False
        for one in [one for one in self._outgoing if one.waiting is waiting]:
            self._outgoing.remove(one)
            self._unsent -= len(one.rest)
        return True

    def _write(self) -> None:
        """Write what waits, until the pipe takes no more."""
        while self._outgoing:
            batch = self._batch()
            for one in batch:
                one.mark(sent=True)
            try:
                written = self._child.write_some(batch[0].rest if len(batch) == 1 else b"".join(x.rest for x in batch))
            except anyio.BrokenResourceError:
                error = ConnectionDown("the server no longer reads", sent=True)
                self.end(error)
                raise ConnectionDown(error.reason, sent=False) from None
            self._unsent -= written
            if not self._account(batch, written):
                return

    def _batch(self) -> list[_Outgoing]:
        batch, size = [], 0
        for one in self._outgoing:
            batch.append(one)
            size += len(one.rest)
            if size >= _BATCH:
                break
        return batch

    def _account(self, batch: list[_Outgoing], written: int) -> bool:
        """Take what was written off the queue; ``False`` when the pipe is full."""
        for one in batch:
            if written >= len(one.rest):
                written -= len(one.rest)
                self._outgoing.popleft()
                continue
            if not written and not one.begun:
                one.mark(sent=False)
            one.begun = one.begun or written > 0
            one.rest, written = one.rest[written:], 0
        return not self._outgoing or self._outgoing[0] not in batch

    async def _write_rest(self) -> None:
        while True:
            await self._more.wait()
            self._write()
            while self._outgoing:
                await self._child.wait_writable()
                self._write()
            self._more = anyio.Event()

    async def receive(self) -> None:
        """Read frames until stdout ends or the process does, and say how it ended."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._child.watch_stderr)
            tasks.start_soon(self._write_until_broken)
            tasks.start_soon(self._end_with_process)
            await self._read()
            self.end(await self._epitaph("the server closed its output"))
            tasks.cancel_scope.cancel()

    async def _write_until_broken(self) -> None:
        try:
            await self._write_rest()
        except ConnectionDown:
            return  # ``end`` was told; the reader says how the process ended

    async def _end_with_process(self) -> None:
        """Notice the end of the process itself: a child of it may hold the pipe open."""
        await self._child.wait()
        await anyio.sleep(_EXIT_WAIT / 5)  # what it wrote before it ended is read first
        self.end(await self._epitaph("the server ended"))

    async def _epitaph(self, what: str) -> ConnectionDown:
        with anyio.move_on_after(_EXIT_WAIT):
            await self._child.wait()
        code = self._child.exit_code
        how = "" if code is None else f" (exit code {code})" if code >= 0 else f" (killed by signal {-code})"
        tail = self._child.stderr_tail
        said = f"; its last words: {tail[-1]}" if tail else ""
        return ConnectionDown(f"{what}{how}{said}", sent=True)

    async def _read(self) -> None:
        while data := await self._child.receive(CHUNK):
            for frame in self._frames.feed(data):
                if isinstance(frame, bytes):
                    self.take(frame)
                else:
                    self.take_long(frame)
            # The pipe of a server that never stops is never empty: the others get their turn.
            await anyio.lowlevel.checkpoint()
