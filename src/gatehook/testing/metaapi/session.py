"""One MCP session over SSE: requests come by POST, answers leave on the stream."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from math import inf
from typing import Any
from typing import Final

import anyio
from anyio.abc import TaskGroup

from gatehook.testing.metaapi.calls import Calls
from gatehook.testing.metaapi.calls import NoAnswer
from gatehook.testing.metaapi.calls import ProtocolError
from gatehook.testing.metaapi.faults import Fault
from gatehook.testing.metaapi.faults import Trouble
from gatehook.testing.metaapi.texts import write

_VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
_NO_METHOD: Final = -32601


class Session:
    """A client's session.

    Attributes:
        allowed: the accounts that its URL names; ``None`` where it names none.
        connected: the accounts whose terminals have been reached.
        frames: what leaves on the stream.
    """

    def __init__(
        self,
        session_id: str,
        allowed: frozenset[str] | None,
        tasks: TaskGroup,
        calls: Calls,
        tools: Callable[[], list[Mapping[str, Any]]],
        wire_faults: Callable[[str], Mapping[Fault, Trouble]],
        initialize_delay: Callable[[], float],
    ) -> None:
        self.id: Final = session_id
        self.allowed: Final = allowed
        self.connected: Final[set[str]] = set()
        self._outbox, self.frames = anyio.create_memory_object_stream[str](inf)
        self._tasks = tasks
        self._calls = calls
        self._tools = tools
        self._wire_faults = wire_faults
        self._initialize_delay = initialize_delay
        self._ended = False
        self._cancelled: set[str] = set()

    def take(self, message: Any) -> None:
        """Take a message of the client's, and answer it when that is done."""
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            return
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if message["method"] == "notifications/cancelled":
            self._cancelled.add(str(params.get("requestId")))
        elif "id" in message:
            self._tasks.start_soon(self._answer, message["id"], message["method"], params)

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Tell the client something."""
        self.send({"jsonrpc": "2.0", "method": method, **({"params": params} if params else {})})

    def send(self, message: Mapping[str, Any]) -> None:
        """Put a message on the stream."""
        self.send_text(write(message))

    def send_text(self, text: str) -> None:
        """Put text on the stream, whatever it is; a session that has ended sends nothing."""
        if not self._ended:
            self._outbox.send_nowait(text)

    def close(self) -> None:
        """Let nothing leave any more."""
        self._ended = True
        self._outbox.close()
        self.frames.close()

    async def _answer(self, request_id: Any, method: str, params: Mapping[str, Any]) -> None:
        envelope: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id}
        try:
            envelope["result"] = await self._result(method, params)
        except ProtocolError as error:
            envelope["error"] = {"code": error.code, "message": str(error)}
        except NoAnswer as none:
            if none.cut:
                self._tasks.cancel_scope.cancel()
            return
        if str(request_id) not in self._cancelled:
            self._write(envelope, str(params.get("name")) if method == "tools/call" else method)

    def _write(self, envelope: Mapping[str, Any], name: str) -> None:
        troubles = self._wire_faults(name)
        if Fault.FLOOD in troubles:
            for number in range(troubles[Fault.FLOOD].size):
                self.notify("notifications/message", {"level": "info", "data": f"notice {number}"})
        if Fault.MALFORMED in troubles:
            self.send_text('{"jsonrpc": "2.0", "id": ' + write(envelope["id"]) + ', "result": {')
        else:
            self.send(envelope)

    async def _result(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if method == "initialize":
            await anyio.sleep(self._initialize_delay())
            return self._welcome(params)
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": self._tools()}
        if method == "tools/call":
            return await self._call(params)
        raise ProtocolError(_NO_METHOD, f"there is no method {method}")

    async def _call(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        given = params.get("arguments")
        answer = await self._calls.call(self, str(params.get("name")), given if isinstance(given, dict) else {})
        result: dict[str, Any] = {"content": [{"type": "text", "text": answer.text}]}
        return result | ({"isError": True} if answer.is_error else {})

    def _welcome(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = params.get("protocolVersion")
        return {
            "protocolVersion": wanted if wanted in _VERSIONS else _VERSIONS[-1],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "metaapi-stand-in", "version": "1.0.0"},
        }
