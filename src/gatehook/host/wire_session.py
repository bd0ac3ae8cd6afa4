"""A session over the wire with a process of the plugin's: a command without an adapter; no MCP SDK."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping

from anyio.abc import TaskGroup

from gatehook.context import ToolDefinition
from gatehook.host.entry import EntrySpec
from gatehook.host.pinning import Pinning
from gatehook.host.sessions import EntrySession
from gatehook.host.sessions import unusable
from gatehook.runtimes.children import ChildNotStarted
from gatehook.runtimes.mcp.pins import ToolPin
from gatehook.runtimes.wired import WireProcess


class WireSession(EntrySession):
    """Owns a ``WireProcess``; each of its connections is held against the pin before a call is let through."""

    def __init__(
        self, spec: EntrySpec, pinning: Pinning, told: Callable[[str], None], make: Callable[..., WireProcess]
    ) -> None:
        """``make`` takes what is called with each connection's tools, ``admit``, and ``told``."""
        super().__init__(spec, pinning, told)
        self._process = make(admit=self._admit, told=told)

    @property
    def tools(self) -> WireProcess:
        """What ``context.mcp`` is."""
        return self._process

    async def open(self, tasks: TaskGroup) -> None:
        """Start the process, and wait until it can be called."""
        try:
            await self.own(tasks, self._process.run)
        except ChildNotStarted as error:
            raise unusable(self.spec, str(error)) from None

    async def _admit(self, tools: Mapping[str, ToolDefinition]) -> None:
        await self.pinning.check(ToolPin.of(tools.values()))
