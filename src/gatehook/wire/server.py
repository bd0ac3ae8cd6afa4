"""An MCP server of the wire over one JSON-RPC connection: handshake, list of tools, calls, errors as content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

from gatehook.wire.errors import error_json
from gatehook.wire.messages import INVALID_PARAMS
from gatehook.wire.messages import METHOD_NOT_FOUND
from gatehook.wire.messages import JsonText
from gatehook.wire.messages import RpcError
from gatehook.wire.messages import encoded
from gatehook.wire.protocol import HANDSHAKE_VERSIONS
from gatehook.wire.protocol import STATELESS_VERSION
from gatehook.wire.protocol import TOOLS_PER_PAGE
from gatehook.wire.protocol import announced
from gatehook.wire.protocol import experimental
from gatehook.wire.protocol import speaks_wire
from gatehook.wire.schemas import tool_json
from gatehook.wire.serving import Served

_META: Final = "io.modelcontextprotocol/"
_UNSUPPORTED_VERSION: Final = -32022


@attrs.frozen(kw_only=True)
class About:
    """What a server says of itself: the plugin's id, name and version, and its declared capabilities by kind."""

    name: str
    title: str = ""
    version: str
    capabilities: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class _Client:
    """How a request's client is answered."""

    wire: bool
    stateless: bool


class WireServer:
    """Answers the requests of one client. Give ``answer`` and ``hear`` to the connection's ``Peer``."""

    def __init__(self, served: Served, about: About) -> None:
        self._served = served
        self._about = about
        self._names = list(served.table)
        self._client = _Client(wire=False, stateless=False)
        self.client: Mapping[str, Any] = {}
        #: Whether a client has shaken hands.
        self.greeted = False

    async def answer(self, method: str, params: Any) -> Any:
        """Answer a request of MCP.

        Raises:
            RpcError: for an unknown method, or params that are none.
        """
        params = {} if params is None else params
        if not isinstance(params, dict):
            raise RpcError(INVALID_PARAMS, "params are an object")
        client = _stateless(params) or self._client
        if method == "tools/call":
            return await self._call(params, client)
        if method == "initialize":
            return self._initialize(params)
        if method == "ping":
            return {}
        if method == "tools/list":
            return self._list(params, client)
        if method == "server/discover":
            return self._discover()
        raise RpcError(METHOD_NOT_FOUND, f"no such method: {method[:100]}")

    def _initialize(self, params: dict[str, Any]) -> Mapping[str, Any]:
        capabilities = params.get("capabilities")
        self._client = _Client(wire=speaks_wire(capabilities), stateless=False)
        self.client = announced(capabilities)
        self.greeted = True
        asked = params.get("protocolVersion")
        return {
            "protocolVersion": asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1],
            "capabilities": self._capabilities(),
            "serverInfo": self._info(),
        }

    def _capabilities(self) -> Mapping[str, Any]:
        return {
            "tools": {"listChanged": False},
            "experimental": experimental(
                kinds=sorted(self._about.capabilities), capabilities=dict(self._about.capabilities)
            ),
        }

    def _info(self) -> Mapping[str, str]:
        return {
            "name": self._about.name,
            "title": self._about.title or self._about.name,
            "version": self._about.version,
        }

    def _discover(self) -> Mapping[str, Any]:
        return {
            "resultType": "complete",
            "supportedVersions": [STATELESS_VERSION],
            "capabilities": self._capabilities(),
            "ttlMs": 0,
            "cacheScope": "private",
            "_meta": {f"{_META}serverInfo": self._info()},
        }

    def _list(self, params: dict[str, Any], client: _Client) -> Mapping[str, Any]:
        cursor = params.get("cursor")
        start = 0 if cursor is None else int(cursor) if isinstance(cursor, str) and cursor.isdecimal() else -1
        if not 0 <= start <= len(self._names):
            raise RpcError(INVALID_PARAMS, "no such cursor")
        end = start + TOOLS_PER_PAGE
        page: dict[str, Any] = {
            "tools": [tool_json(self._served.table[name], results=not client.wire) for name in self._names[start:end]]
        }
        if end < len(self._names):
            page["nextCursor"] = str(end)
        return {**page, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"} if client.stateless else page

    async def _call(self, params: dict[str, Any], client: _Client) -> Any:
        name = params.get("name")
        if not isinstance(name, str) or name not in self._served.table:
            raise RpcError(INVALID_PARAMS, f"no such tool: {str(name)[:100]}")
        try:
            result, failed = {"result": await self._served.call(name, params.get("arguments"))}, False
            text = encoded(result)
        except Exception as error:  # noqa: BLE001  every failure of a provider is the client's to know
            text, failed = encoded(error_json(error)), True
        return JsonText(result_text(text, failed=failed, wire=client.wire, stateless=client.stateless))

    def only_reads(self, method: str, params: Any) -> bool:
        """Say whether a request changes nothing, so that nobody needs its answer who has gone away."""
        if method != "tools/call":
            return True
        name = params.get("name") if isinstance(params, dict) else None
        tool = self._served.table.get(name) if isinstance(name, str) else None
        return tool is None or tool.reads

    def close(self) -> None:
        """End every open stream: the client is gone."""
        self._served.close()


def unsupported_version() -> RpcError:
    """Return the refusal of a version of MCP that is not spoken here; it names those that are."""
    supported = [*HANDSHAKE_VERSIONS, STATELESS_VERSION]
    return RpcError(_UNSUPPORTED_VERSION, "unsupported protocol version", {"supported": supported})


def _stateless(params: dict[str, Any]) -> _Client | None:
    """Return who asks, where the request says it itself, as those without a handshake do."""
    meta = params.get("_meta")
    version = meta.get(f"{_META}protocolVersion") if isinstance(meta, dict) else None
    if not isinstance(meta, dict) or version is None:
        return None
    if version != STATELESS_VERSION:
        raise unsupported_version()
    return _Client(wire=speaks_wire(meta.get(f"{_META}clientCapabilities")), stateless=True)


def result_text(text: str, *, failed: bool, wire: bool = False, stateless: bool = False) -> str:
    """Write a tool's result around its content. A client that speaks the wire gets the content once, not twice."""
    content = "[]" if wire else f'[{{"type":"text","text":{encoded(text)}}}]'
    kind = '"resultType":"complete",' if stateless else ""
    return f'{{{kind}"content":{content},"structuredContent":{text},"isError":{"true" if failed else "false"}}}'
