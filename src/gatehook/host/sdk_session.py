"""A session over the MCP SDK: every server at a URL, and every command whose plugin has an adapter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import anyio
from anyio.abc import TaskGroup
from anyio.abc import TaskStatus

from gatehook.host.entry import EntrySpec
from gatehook.host.mcp_auth import unauthorized
from gatehook.host.pinning import NeedsPerson
from gatehook.host.pinning import Pinning
from gatehook.host.sessions import EntrySession
from gatehook.host.sessions import unusable
from gatehook.runtimes.mcp import McpSession
from gatehook.runtimes.mcp import McpState
from gatehook.runtimes.mcp import McpStatus
from gatehook.runtimes.mcp import ToolPin


class SdkSession(EntrySession):
    """Owns an ``McpSession``: takes its tools' pin, follows its state, ends the entry where a person has to act."""

    def __init__(
        self, spec: EntrySpec, pinning: Pinning, told: Callable[[str], None], make: Callable[..., McpSession]
    ) -> None:
        """``make`` takes ``pin`` and the three listeners of ``McpSession``."""
        super().__init__(spec, pinning, told)
        self._make = make
        self._session: McpSession | None = None
        self._first: ToolPin | None = None
        self._refusal = ""
        self._changed = anyio.Event()
        self._up = anyio.Event()

    @property
    def tools(self) -> McpSession:
        """What ``context.mcp`` is."""
        assert self._session is not None, "it was opened"
        return self._session

    async def open(self, tasks: TaskGroup) -> None:
        """Start it, and wait until its first connection is there or has failed."""
        pin = await self.pinning.load()
        session = self._session = self._make(
            pin=pin, on_first_tools=self._saw_first, on_status=self._saw, on_suspended=self._suspended
        )
        await self.own(tasks, partial(self._live, session))
        while True:
            changed = self._changed
            if await self._is_ready(session):
                break
            await changed.wait()
        if self._first is not None:
            await self.pinning.first(self._first)
        self._up.set()

    async def _is_ready(self, session: McpSession) -> bool:
        if session.status.state is McpState.BACKOFF:
            await session.wait_connected(0)
        if session.status.state is McpState.UNAUTHORIZED:
            raise NeedsPerson(unauthorized(self.spec, session.status.reason))
        await self._end_where_final(session)
        return session.status.state is McpState.READY

    async def _live(self, session: McpSession, *, task_status: TaskStatus[None]) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._follow, session)
            await session.run(task_status=task_status)

    async def _follow(self, session: McpSession) -> None:
        await self._up.wait()
        generation = session.generation
        while True:
            changed = self._changed
            await self._end_where_final(session)
            if session.status.state is McpState.READY:
                self._refusal = ""
                if session.generation != generation:
                    self.told("its connection was lost")  # it may be back before anybody has seen that
                    generation = session.generation
                self.told("")
            elif session.status.state is McpState.UNAUTHORIZED:
                self._refused(session.status.reason)
            elif session.status.state is McpState.BACKOFF:
                self.told(f"no connection to its server: {session.status.reason}")
            await changed.wait()

    def _refused(self, reason: str) -> None:
        """A session that was up goes on trying: a server may refuse for a while. A person hears of it once."""
        if reason != self._refusal:
            self._refusal = reason
            self.pinning.reports.report(unauthorized(self.spec, reason))
        self.told(f"its server refuses the credentials: {reason}")

    async def _end_where_final(self, session: McpSession) -> None:
        if session.status.state is McpState.FAILED:
            raise unusable(self.spec, session.status.reason)
        if session.status.state is McpState.SUSPENDED and not self.pinning.is_off:
            raise await self.pinning.changed(ToolPin.of(session.tools.values()))

    def _saw_first(self, pin: ToolPin) -> None:
        self._first = pin

    def _saw(self, _: McpStatus) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def _suspended(self, _: object) -> None:
        if self.pinning.is_off and self._session is not None:
            self._session.accept(ToolPin.of(self._session.tools.values()))
