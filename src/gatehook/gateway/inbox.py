"""Events of the bus that wait for the memory: in their order, bounded, kept while the memory does not work."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
from itertools import islice
from typing import Final

import anyio

from gatehook.diagnostics import Diagnostic
from gatehook.events import FeedEvent
from gatehook.gateway.outage import Outage
from gatehook.gateway.slot import FAILURES
from gatehook.gateway.slot import memory_of_slot
from gatehook.gateway.slot import why
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost

#: So many events wait at most; those that come then are lost, which is reported.
LIMIT: Final = 10_000
_BATCH: Final = 200
#: Seconds between attempts while the memory does not work.
_RETRY: Final = 5.0

#: Writes events into the memory of an entry, all of them or with one of ``FAILURES``; again does no harm.
Write = Callable[[str, MemoryHandle, Sequence[FeedEvent]], Awaitable[None]]


class Inbox:
    """Takes events and has them written. While nothing fills the slot, nobody remembers, and none are kept."""

    def __init__(
        self,
        host: PluginHost,
        *,
        takes: Callable[[FeedEvent], bool],
        write: Write,
        failed: Callable[[str], Diagnostic],
        lost: Callable[[], Diagnostic],
    ) -> None:
        """``takes`` is asked in the publisher's own call. ``failed`` says that writing fails, ``lost`` that events are
        lost.
        """
        self._host = host
        self._takes = takes
        self._write = write
        self._failed = failed
        self._lost = lost
        self._outage = Outage(host.report)
        self._overflow = Outage(host.report)
        self._waiting: deque[FeedEvent] = deque()
        self._more = anyio.Event()
        self._turn = anyio.Lock()
        host.bus.on_control(self._notice)

    def _notice(self, event: FeedEvent) -> None:
        if not self._takes(event):
            return
        if len(self._waiting) >= LIMIT:
            self._overflow.goes_on(self._lost())
            return
        self._waiting.append(event)
        self._more.set()

    async def run(self) -> None:
        """Have written what comes until cancelled."""
        while True:
            self._more = anyio.Event()
            if await self.catch_up():
                await self._more.wait()
            else:
                await anyio.sleep(_RETRY)

    async def catch_up(self) -> bool:
        """Have everything written that waits; ``False`` when that does not work, which is reported."""
        async with self._turn:
            while self._waiting:
                filled = memory_of_slot(self._host, caller="gateway")
                if filled is None:
                    self._waiting.clear()
                    break
                batch = list(islice(self._waiting, _BATCH))
                try:
                    await self._write(*filled, batch)
                except FAILURES as error:
                    if self._host.slot("memory") == filled[0]:
                        self._outage.goes_on(self._failed(why(error)))
                        return False
                    continue
                for _ in batch:
                    self._waiting.popleft()
            self._outage.over()
            self._overflow.over()
            return True
