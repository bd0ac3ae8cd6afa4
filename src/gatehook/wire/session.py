"""A session with a wire server over a child's byte streams, without the MCP SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

import anyio
from anyio.abc import TaskStatus

from gatehook.context import McpResult
from gatehook.context import ToolDefinition
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import CallRefused
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import Throttled
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.wire.jsonrpc import ConnectionLost
from gatehook.wire.jsonrpc import Handler
from gatehook.wire.jsonrpc import Limits
from gatehook.wire.jsonrpc import Listener
from gatehook.wire.jsonrpc import NoAnswer
from gatehook.wire.jsonrpc import Peer
from gatehook.wire.jsonrpc import Reading
from gatehook.wire.messages import BUSY
from gatehook.wire.messages import METHOD_NOT_FOUND
from gatehook.wire.messages import RpcError
from gatehook.wire.outbox import Writing
from gatehook.wire.protocol import HANDSHAKE_VERSIONS
from gatehook.wire.protocol import WIRE_VERSION
from gatehook.wire.protocol import announced
from gatehook.wire.protocol import experimental

#: Seconds for the handshake, and for a call that names no other deadline.
HANDSHAKE: Final = 30.0
CALL: Final = 30.0
_MOST_PAGES: Final = 100


async def _offers_nothing(method: str, _: Any) -> Any:
    if method == "ping":
        return {}
    raise RpcError(METHOD_NOT_FOUND, f"no such method: {method[:100]}")


def _deaf(_: str, __: Any) -> None:
    """Hear nothing."""


class StdioWireSession:
    """``McpTools`` over streams: the same object over every connection that ``run`` is given, one after the other."""

    def __init__(
        self,
        *,
        offers: Handler = _offers_nothing,
        hear: Listener = _deaf,
        limits: Limits | None = None,
        call_timeout: float = CALL,
        handshake_timeout: float = HANDSHAKE,
        client_version: str = "1",
    ) -> None:
        """``offers`` answers what the server asks for (``gatehook.wire.host_requests``); times are in seconds."""
        self._offers = offers
        self._hear = hear
        self._limits = limits or Limits()
        self._call_timeout = call_timeout
        self._handshake_timeout = handshake_timeout
        self._version = client_version
        self._peer: Peer | None = None
        self._ready = anyio.Event()
        self._tools: Mapping[str, ToolDefinition] = {}
        self._server: Mapping[str, str] = {}
        self._generation = 0
        self.announced: Mapping[str, Any] = {}
        self.why = "it has not been started"

    @property
    def tools(self) -> Mapping[str, ToolDefinition]:
        """The tools, by name; those of the last connection while there is none."""
        return self._tools

    @property
    def server(self) -> Mapping[str, str]:
        """``name``, ``version`` and ``protocol`` of the server; empty before the first connection."""
        return self._server

    @property
    def generation(self) -> int:
        """Which connection this is: 0 before the first, one more with each."""
        return self._generation

    @property
    def peer(self) -> Peer | None:
        """The connection there is now."""
        return self._peer

    async def run(
        self,
        reading: Reading,
        writing: Writing,
        *,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Speak over these streams until they end; started when calls can be made.

        Raises:
            NotConnected: when there is no handshake in time, or it is no server of this wire.
        """
        peer = Peer(reading, writing, answer=self._offers, hear=self._hear, limits=self._limits)
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._live, peer, tasks.cancel_scope)
            try:
                await self._shake_hands(peer)
                self._peer, self.why = peer, ""
                self._generation += 1
                self._ready.set()
                task_status.started()
                await anyio.sleep_forever()
            except (RpcError, NoAnswer, ConnectionLost, NotConnected) as error:
                failure = NotConnected(f"the handshake failed: {error}")
            finally:
                self._peer, self.why = None, peer.over or "the session was let go"
                if self._ready.is_set():
                    self._ready = anyio.Event()
                peer.close(self.why)
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _live(self, peer: Peer, scope: anyio.CancelScope) -> None:
        await peer.run()
        scope.cancel()

    async def _shake_hands(self, peer: Peer) -> None:
        with anyio.fail_after(self._handshake_timeout):
            about = await peer.request(
                "initialize",
                {
                    "protocolVersion": HANDSHAKE_VERSIONS[-1],
                    "capabilities": {"experimental": experimental(host=WIRE_VERSION)},
                    "clientInfo": {"name": "gatehook", "version": self._version},
                },
                timeout=self._handshake_timeout,
            )
            self._learn(about)
            peer.notify("notifications/initialized", {})
            self._tools = await self._listed(peer)

    def _learn(self, about: Any) -> None:
        info = about.get("serverInfo") if isinstance(about, dict) else None
        protocol = about.get("protocolVersion") if isinstance(about, dict) else None
        if not isinstance(info, dict) or protocol not in HANDSHAKE_VERSIONS:
            raise NotConnected(f"it answers initialize with the protocol version {protocol!r}")
        self._server = {
            "name": str(info.get("name", ""))[:200],
            "version": str(info.get("version", ""))[:100],
            "protocol": protocol,
        }
        self.announced = announced(about.get("capabilities"))

    async def _listed(self, peer: Peer) -> Mapping[str, ToolDefinition]:
        found: dict[str, ToolDefinition] = {}
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            params = {} if cursor is None else {"cursor": cursor}
            page = await peer.request("tools/list", params, timeout=self._handshake_timeout)
            tools = page.get("tools") if isinstance(page, dict) else None
            if not isinstance(tools, list):
                raise NotConnected("its list of tools is none")
            found |= {tool.name: tool for tool in map(_tool, tools) if tool is not None}
            cursor = page.get("nextCursor")
            if not isinstance(cursor, str):
                return found
        raise NotConnected(f"its list of tools has more than {_MOST_PAGES} pages")

    async def call(self, tool: str, arguments: Mapping[str, Any], *, timeout: float | None = None) -> McpResult:
        """Call a tool; see ``gatehook.context.McpTools``. The arguments are plain JSON values."""
        peer = self._peer
        if peer is None:
            raise NotConnected(f"the plugin's server is not connected: {self.why}")
        if tool not in self._tools:
            raise Denied(f"the plugin's server has no tool {tool!r}")
        limit = self._call_timeout if timeout is None else timeout
        try:
            answer = await peer.request("tools/call", {"name": tool, "arguments": arguments}, timeout=limit)
        except (ConnectionLost, NoAnswer) as lost:
            if lost.left:
                raise Ambiguous(f"{tool} left and has no answer: {lost}") from None
            raise NotConnected(f"{tool} did not leave: {lost}") from None
        except RpcError as error:
            if error.code == BUSY:
                raise Throttled(f"the plugin's server is busy: {error.message}", retry_after=0.1) from None
            raise CallRefused(f"{tool}: {error.message}", venue_code=str(error.code)) from None
        except (TypeError, ValueError) as error:
            raise Denied(f"the arguments of {tool} are no JSON: {error}; nothing was sent") from None
        return _result(tool, answer)

    def allow_undeclared(self, tool: str, *arguments: str) -> None:
        """Change nothing: the arguments of the wire are held against its types, not against a server's schema."""

    async def wait_connected(self, timeout: float) -> None:
        """Wait until calls can be made; see ``gatehook.context.McpTools``."""
        with anyio.move_on_after(timeout):
            while self._peer is None:
                await self._ready.wait()
        if self._peer is None:
            raise NotConnected(f"the plugin's server is not connected after {timeout:g} s: {self.why}")


def _tool(described: Any) -> ToolDefinition | None:
    if not isinstance(described, dict) or not isinstance(described.get("name"), str):
        return None
    schema, annotations = described.get("inputSchema"), described.get("annotations")
    return ToolDefinition(
        name=described["name"],
        description=str(described.get("description") or "")[:4096],
        input_schema=schema if isinstance(schema, dict) else {},
        output_schema=described.get("outputSchema"),
        annotations=annotations if isinstance(annotations, dict) else {},
    )


def _result(tool: str, answer: Any) -> McpResult:
    content = answer.get("content") if isinstance(answer, dict) else None
    if not isinstance(content, list):
        raise ToolAnswerInvalid(f"the answer of the tool {tool!r} has no content", pointer="/content")
    texts = [one.get("text") for one in content if isinstance(one, dict) and one.get("type") == "text"]
    return McpResult(
        texts=tuple(text for text in texts if isinstance(text, str)),
        structured=answer.get("structuredContent"),
        is_error=answer.get("isError") is True,
        tool=tool,
    )
