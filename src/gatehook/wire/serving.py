"""The tools of the wire over providers: arguments structured strictly, the method called, the result written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any
from typing import Final

from anyio.abc import TaskGroup

from gatehook.kinds.errors import NotConnected
from gatehook.kinds.kind import Kind
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.provider import Health
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Sink
from gatehook.kinds.streams import open_stream
from gatehook.memory.ranking import position
from gatehook.wire.codec import NotOnTheWire
from gatehook.wire.codec import WireCodec
from gatehook.wire.errors import InvalidArguments
from gatehook.wire.reading import Readings
from gatehook.wire.tools import Tool
from gatehook.wire.tools import tool_table

#: Documents of a scan that wait for their reader.
_SCANNED: Final = 256


class Served:
    """What a connection reaches: a provider, or a guarded handle, of each kind."""

    def __init__(
        self,
        kinds: Mapping[Kind, Any] | None,
        tasks: TaskGroup,
        codec: WireCodec,
        *,
        declared: frozenset[Kind] | None = None,
        opener: Callable[[], Awaitable[Mapping[Kind, Any]]] | None = None,
    ) -> None:
        """Serve ``kinds``; or what ``opener`` returns at the first ``gatehook.open``, which are the ``declared``."""
        self._targets: dict[Kind, Any] = dict(kinds or {})
        self._opener = opener
        self._codec = codec
        self._readings = Readings(tasks, codec)
        self.table = tool_table(sorted(declared if declared is not None else self._targets))

    async def call(self, name: str, arguments: Any) -> Any:
        """Call a tool; return plain JSON values.

        Raises:
            InvalidArguments: for an unknown tool, or arguments against the wire; no provider was asked.
            Exception: what the provider raised.
        """
        tool = self.table.get(name)
        if tool is None:
            raise InvalidArguments(f"there is no tool {name!r}")
        given = self._structured(tool, {} if arguments is None else arguments)
        if tool.kind is None:
            return await self._open()
        if tool.part in ("next", "close"):
            return await self._stream_part(tool, given)
        if tool.kind not in self._targets:
            raise NotConnected(f"{tool.kind} is not open yet; call gatehook.open first")
        return await self._on_target(tool, self._targets[tool.kind], given)

    def close(self) -> None:
        """End every open stream."""
        self._readings.close_all()

    async def _open(self) -> None:
        opener, self._opener = self._opener, None
        if opener is not None:
            try:
                self._targets.update(await opener())
            except BaseException:
                self._opener = opener
                raise

    def _structured(self, tool: Tool, arguments: Any) -> dict[str, Any]:
        if not isinstance(arguments, dict):
            raise NotOnTheWire("", "arguments are an object")
        unknown = sorted(set(arguments) - set(tool.parameters))
        if unknown:
            raise NotOnTheWire(f"/{unknown[0]}", f"{tool.name} has no such argument")
        missing = [one for one in tool.parameters if one not in arguments and one not in tool.defaults]
        if missing:
            raise NotOnTheWire(f"/{missing[0]}", "it is missing")
        return dict(tool.defaults) | {
            name: self._codec.load(tool.parameters[name], value, at=f"/{name}") for name, value in arguments.items()
        }

    async def _on_target(self, tool: Tool, target: Any, given: dict[str, Any]) -> Any:
        if tool.part == "open":
            return {"stream": await self._readings.open(_stream(tool, target, given), partial(_health, target))}
        if tool.method == "capabilities":
            found = target.capabilities
            return self._codec.dump_capabilities(found() if callable(found) else found)
        if tool.method == "health":
            return self._codec.dump(_health(target))
        result = await getattr(target, tool.method)(**given)
        return None if result is None else self._codec.dump(result, tool.result)

    async def _stream_part(self, tool: Tool, given: dict[str, Any]) -> Any:
        if tool.part == "next":
            return await self._readings.find(given["stream"]).next(given["after"], given["limit"], given["wait"])
        self._readings.close(given["stream"])
        return None


def _health(target: Any) -> Health:
    found = target.health()
    return found if isinstance(found, Health) else Health()


def _stream(tool: Tool, target: Any, given: dict[str, Any]) -> AbstractAsyncContextManager[Items[Any]]:
    opened: Any = getattr(target, tool.method)(**given)
    return _scanned(opened) if tool.kind is Kind.MEMORY else opened


def _scanned(documents: AsyncIterator[StoredDoc]) -> AbstractAsyncContextManager[Items[StoredDoc]]:
    async def run(sink: Sink[StoredDoc]) -> None:
        count = 0
        async for stored in documents:
            sink.put(stored, position(stored.doc))
            count += 1
            if count % _SCANNED == 0:
                await sink.drained()

    return open_stream(run, overflow=Overflow.ERROR, buffer=_SCANNED)
