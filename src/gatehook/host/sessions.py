"""The session of an entry whose plugin is an MCP server: opened before its hooks, closed after its providers."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from collections.abc import Callable
from functools import partial

import anyio
from anyio.abc import TaskGroup
from anyio.abc import TaskStatus

from gatehook.context import McpTools
from gatehook.diagnostics.codes import mcp_entries as codes
from gatehook.host.entry import EntrySpec
from gatehook.host.pinning import NeedsPerson
from gatehook.host.pinning import Pinning
from gatehook.kinds.errors import NotConnected


class EntrySession(ABC):
    """One generation's session, in a task of its own within the entry's group."""

    def __init__(self, spec: EntrySpec, pinning: Pinning, told: Callable[[str], None]) -> None:
        """``told`` is called with why there is no connection any more, or with nothing when there is one again."""
        self.spec = spec
        self.pinning = pinning
        self.told = told
        self._scope = anyio.CancelScope()
        self._over = anyio.Event()
        self._begun = False

    @property
    @abstractmethod
    def tools(self) -> McpTools:
        """What ``context.mcp`` is."""

    @abstractmethod
    async def open(self, tasks: TaskGroup) -> None:
        """Start the task that owns it (``own``), and wait for its first connection."""

    async def start(self, tasks: TaskGroup, limit: float) -> None:
        """Open it; at most ``limit`` seconds.

        Raises:
            NotConnected: the server is not there; it may be otherwise later.
            NeedsPerson: it cannot be used until somebody acts; it refuses the credentials, or wants some.
        """
        with anyio.move_on_after(limit) as scope:
            await self.open(tasks)
        if scope.cancelled_caught:
            raise NotConnected(f"its MCP server was not there within {limit:g} s")

    async def stop(self, limit: float) -> None:
        """Close it; at most ``limit`` seconds."""
        self._scope.cancel()
        if self._begun:
            with anyio.move_on_after(limit, shield=True):
                await self._over.wait()

    async def own(self, tasks: TaskGroup, run: Callable[..., object]) -> None:
        """Run what owns the session in a task, until ``stop`` or the end of the entry; returns when it has started."""
        self._begun = True
        await tasks.start(partial(self._owned, run), name=f"{self.spec.entry_id}: MCP session")

    async def _owned(
        self, run: Callable[..., object], *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        try:
            with self._scope:
                await run(task_status=task_status)  # type: ignore[misc]  # a coroutine function
        finally:
            self._over.set()


def unusable(spec: EntrySpec, reason: str) -> NeedsPerson:
    """Return why an entry whose server cannot be used ends."""
    return NeedsPerson(codes.SERVER_UNUSABLE(plugin=spec.plugin_id, entry=spec.entry_id, reason=reason))
