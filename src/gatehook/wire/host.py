"""The host as a plugin's process reaches it: requests over the pipe, their errors raised again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.context import McpResult
from gatehook.context import ToolDefinition
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.kind import Kind
from gatehook.wire.errors import error_from
from gatehook.wire.jsonrpc import ConnectionLost
from gatehook.wire.jsonrpc import NoAnswer
from gatehook.wire.jsonrpc import Peer
from gatehook.wire.messages import RpcError
from gatehook.wire.tools import tools_of

#: Seconds for an answer of the host.
_PATIENCE: Final = 30.0


class Host:
    """Asks the host over the pipe that this process was given."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def ask(self, method: str, params: Mapping[str, Any], *, timeout: float = _PATIENCE) -> Any:
        """Ask ``gatehook/<method>``.

        Raises:
            NotConnected, Ambiguous: there is no answer.
            Exception: what the host refused with.
        """
        try:
            return await self._peer.request(f"gatehook/{method}", dict(params), timeout=timeout)
        except RpcError as error:
            if error.data is None:
                raise NotConnected(f"the host does not offer {method}: {error.message}") from None
            raise error_from(error.data, tool=method) from None
        except (ConnectionLost, NoAnswer) as lost:
            raise (Ambiguous if lost.left else NotConnected)(f"the host did not answer {method}: {lost}") from None

    def tell(self, method: str, params: Mapping[str, Any]) -> None:
        """Tell the host something that wants no answer."""
        self._peer.notify(f"gatehook/{method}", dict(params))


class UsedTools:
    """``McpTools`` over another entry's handle, so that the providers of this package work over it."""

    def __init__(self, host: Host, entry_id: str, kind: Kind) -> None:
        self._host = host
        self._entry = entry_id
        self._tools = {name: ToolDefinition(name=name) for name in tools_of(kind)}

    @property
    def tools(self) -> Mapping[str, ToolDefinition]:
        """The tools of the entry's kind."""
        return self._tools

    @property
    def server(self) -> Mapping[str, str]:
        """The entry, in the place of a server."""
        return {"name": self._entry, "version": "", "protocol": ""}

    @property
    def generation(self) -> int:
        """Always the first: when the connection ends, so does this process."""
        return 1

    async def call(self, tool: str, arguments: Mapping[str, Any], *, timeout: float | None = None) -> McpResult:
        """Call a tool of the entry; what it raised is raised."""
        params = {"entry": self._entry, "tool": tool, "arguments": arguments}
        answer = await self._host.ask("use", params, timeout=_PATIENCE if timeout is None else timeout)
        return McpResult(structured=answer, tool=tool)

    def allow_undeclared(self, tool: str, *arguments: str) -> None:
        """Change nothing: the arguments of the wire are held against its types."""

    async def wait_connected(self, timeout: float) -> None:
        """Return at once: the host is there for as long as this process is."""
