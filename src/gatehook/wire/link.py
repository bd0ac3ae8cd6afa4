"""What every provider over the wire shares: calls and their errors, the opening of each connection, health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

import anyio

from gatehook.context import McpTools
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import CallRefused
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.wire.codec import NotOnTheWire
from gatehook.wire.codec import WireCodec
from gatehook.wire.errors import error_from
from gatehook.wire.protocol import OPEN
from gatehook.wire.tools import Tool
from gatehook.wire.tools import name_of
from gatehook.wire.tools import tools_of

#: Seconds that a plugin's providers have to connect once its server runs.
OPENING: Final = 25.0
#: Seconds between two questions for the provider's health.
HEALTH_EVERY: Final = 2.0


class Link:
    """One kind of one server, for one entry."""

    def __init__(self, tools: McpTools, kind: Kind, entry_id: str) -> None:
        self._tools = tools
        self._kind = kind
        self._opened = 0
        self._opening = anyio.Lock()
        self._health = Health()
        self.codec = WireCodec(entry_id)

    @property
    def generation(self) -> int:
        """Which connection this is."""
        return self._tools.generation

    async def open(self) -> Any:
        """Let the plugin's providers connect, once a connection; return what the provider says it can do.

        Raises:
            ProviderError: what the plugin raised.
        """
        await self._tools.wait_connected(OPENING)
        await self._open_once()
        data = await self._call(name_of(self._kind, "capabilities"), {}, OPENING)
        try:
            return self.codec.load_capabilities(KINDS[self._kind].capabilities, data, at="/structuredContent/result")
        except NotOnTheWire as error:
            raise ToolAnswerInvalid(f"the capabilities cannot be read: {error}", pointer=error.pointer) from None

    async def _open_once(self) -> None:
        if self._opened == self._tools.generation:
            return
        async with self._opening:
            generation = self._tools.generation
            if self._opened != generation:
                if OPEN in self._tools.tools:
                    await self._call(OPEN, {}, OPENING)
                self._opened = generation

    async def ask(
        self, method: str, arguments: Mapping[str, Any], *, part: str = "", timeout: float | None = None
    ) -> Any:
        """Call a method's tool and return its result as a domain object, a batch or a stream's name as plain JSON.

        Raises:
            Denied, NotConnected: nothing was sent.
            Ambiguous: it was sent, there is no answer, and the method trades.
            ToolAnswerInvalid: the answer is not what the wire says; the message and ``pointer`` say where.
            Exception: what the provider raised.
        """
        tool = tools_of(self._kind)[name_of(self._kind, method, part)]
        if tool.name not in self._tools.tools and self._tools.generation:
            raise UnsupportedCapability(f"the plugin's server has no tool {tool.name}")
        plain = {name: self.codec.dump(value, tool.parameters[name]) for name, value in arguments.items()}
        try:
            await self._open_once()
            data = await self._call(tool.name, plain, timeout)
        except (Ambiguous, CallRefused) as error:
            if tool.trades or not (tool.reads and isinstance(error, Ambiguous)):
                raise
            raise NotConnected(f"no answer, and nothing was changed: {error.message}") from error
        return self._loaded(tool, data)

    def _loaded(self, tool: Tool, data: Any) -> Any:
        if tool.part:
            return data
        try:
            return (
                None
                if tool.result in (None, type(None))
                else self.codec.load(tool.result, data, at="/structuredContent/result")
            )
        except NotOnTheWire as error:
            raise ToolAnswerInvalid(
                f"the answer of {tool.name} cannot be read: {error}", pointer=error.pointer
            ) from None

    async def _call(self, name: str, arguments: Mapping[str, Any], timeout: float | None) -> Any:
        answer = await self._tools.call(name, arguments, timeout=timeout)
        content = answer.structured if isinstance(answer.structured, dict) else answer.json()
        if answer.is_error:
            raise error_from(content, tool=name)
        if not isinstance(content, dict) or "result" not in content:
            raise ToolAnswerInvalid(f"the answer of {name} has no result", pointer="/structuredContent/result")
        return content["result"]

    # --- health

    @property
    def health(self) -> Health:
        """How the provider said that it is, when last asked."""
        return self._health

    def take_health(self, data: Any) -> None:
        """Keep what a batch said of the provider's health."""
        try:
            self._health = self.codec.load(Health, data)
        except NotOnTheWire as error:
            self._health = Health(status=HealthStatus.DEGRADED, reasons=(f"its health cannot be read: {error}",))

    async def watch(self) -> None:
        """Ask for the health again and again; a server that does not answer is down."""
        while True:
            await self.look()
            await anyio.sleep(HEALTH_EVERY)

    async def look(self) -> None:
        """Ask for the health."""
        try:
            self._health = await self.ask("health", {}, timeout=HEALTH_EVERY * 5)
        except (ProviderError, TimeoutError) as error:
            self._health = Health(status=HealthStatus.DOWN, reasons=(f"its server does not answer: {error}",))
