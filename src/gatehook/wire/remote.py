"""The base of every provider over the wire."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any
from typing import ClassVar
from typing import Self

import anyio

from gatehook.context import McpTools
from gatehook.context import PluginContext
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import Provider
from gatehook.kinds.streams import Items
from gatehook.wire.following import Following
from gatehook.wire.link import Link


class Remote(Provider):
    """A provider of one kind behind a session, opened with each connection; its health is asked for again and again."""

    #: Which kind it is of.
    kind: ClassVar[Kind]

    def __init__(self, tools: McpTools, context: PluginContext) -> None:
        self._context = context
        self._link = Link(tools, self.kind, context.entry_id)
        self._watching: anyio.CancelScope | None = None
        self._capabilities: Any = None

    async def __aenter__(self) -> Self:
        self._capabilities = await self._link.open()
        self._watching = anyio.CancelScope()
        self._context.task_group.start_soon(self._watch, self._watching, name=f"{self._context.entry_id}: health")
        return self

    async def _watch(self, scope: anyio.CancelScope) -> None:
        with scope:
            await self._link.watch()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()

    async def look(self) -> None:
        """Ask what it can do, and how it is."""
        self._capabilities = await self._link.open()
        await self._link.look()

    def health(self) -> Health:
        """Say how the provider said that it is, when it was last asked."""
        return self._link.health

    def capabilities(self) -> Any:
        """Return what the provider said that it can do."""
        return self._capabilities

    def _following(self, method: str, **arguments: Any) -> AbstractAsyncContextManager[Items[Any]]:
        return Following(self._link, method, arguments, wall=self._context.clock.wall).items()
