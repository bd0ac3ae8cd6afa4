"""A stream read over the wire: position by position, resumed from its cursor after a break, losses in band."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import asynccontextmanager
from contextlib import suppress
from typing import Any
from typing import Final

import anyio

from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import Throttled
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Reconnected
from gatehook.kinds.streams import Sink
from gatehook.kinds.streams import open_stream
from gatehook.kinds.times import Ns
from gatehook.wire.codec import NotOnTheWire
from gatehook.wire.errors import UnknownStream
from gatehook.wire.errors import error_from
from gatehook.wire.link import Link
from gatehook.wire.protocol import MOST_ITEMS
from gatehook.wire.tools import ITEMS

#: Seconds that the server may wait for a first item, and how much longer the answer may take.
WAIT: Final = 15.0
_SLACK: Final = 15.0
_GOODBYE: Final = 1.0
_RETRY: Final = 0.2
_LONGEST_RETRY: Final = 5.0
_BROKEN: Final = (NotConnected, UnknownStream, Throttled)


class Following:
    """Follows one stream of a server into a sink. A batch is asked for when the consumer is done with the last one."""

    def __init__(self, link: Link, method: str, arguments: Mapping[str, Any], *, wall: Callable[[], Ns]) -> None:
        self._link = link
        self._method = method
        self._arguments = dict(arguments)
        self._wall = wall
        self._stream: str | None = None
        self._position = 0
        self._resumable = arguments.get("after") is not None

    @asynccontextmanager
    async def items(self) -> AsyncIterator[Items[Any]]:
        """Open the stream, as ``open_stream`` does."""
        await self._open()
        try:
            after = self._arguments.get("after")
            buffer = MOST_ITEMS + 2
            async with open_stream(self._run, overflow=Overflow.ERROR, buffer=buffer, after=after) as items:
                yield items
        finally:
            await self._close()

    async def _open(self) -> None:
        data = await self._link.ask(self._method, self._arguments, part="open")
        stream = data.get("stream") if isinstance(data, dict) else None
        if not isinstance(stream, str):
            raise ToolAnswerInvalid("an opened stream has a name", pointer="/structuredContent/result/stream")
        self._stream, self._position = stream, 0

    async def _close(self) -> None:
        if self._stream is not None:
            with anyio.move_on_after(_GOODBYE, shield=True), suppress(ProviderError):
                await self._link.ask(self._method, {"stream": self._stream}, part="close", timeout=_GOODBYE)

    async def _run(self, sink: Sink[Any]) -> None:
        while True:
            try:
                batch = await self._next()
            except _BROKEN as error:
                await self._resume(sink, error)
                continue
            self._take(batch, sink)
            if batch.get("ended") is True:
                if batch.get("error") is not None:
                    raise error_from(batch["error"], tool=self._method)
                return
            await sink.drained()

    async def _next(self) -> dict[str, Any]:
        asked = {"stream": self._stream, "after": self._position, "limit": MOST_ITEMS, "wait": WAIT}
        batch = await self._link.ask(self._method, asked, part="next", timeout=WAIT + _SLACK)
        if not isinstance(batch, dict) or type(batch.get("position")) is not int:
            raise ToolAnswerInvalid("a batch has a position", pointer="/structuredContent/result/position")
        return batch

    def _take(self, batch: dict[str, Any], sink: Sink[Any]) -> None:
        items = batch.get("items")
        if not isinstance(items, list) or batch["position"] != self._position + len(items):
            what = "a batch has a list of items, and its position is the last one's"
            raise ToolAnswerInvalid(what, pointer="/structuredContent/result/position")
        for count in ("conflated", "dropped"):  # where they happen, and not here, where nothing waits
            if type(batch.get(count)) is int:
                setattr(sink, count, batch[count])
        if "health" in batch:
            self._link.take_health(batch["health"])
        for place, one in enumerate(items):
            item, cursor = self._item(one, f"/structuredContent/result/items/{place}")
            if cursor is not None:
                self._arguments["after"], self._resumable = cursor, True
            sink.put(item, cursor)
        self._position = batch["position"]

    def _item(self, one: Any, at: str) -> tuple[Any, str | None]:
        cls = ITEMS.get(str(one.get("type"))) if isinstance(one, dict) else None
        if cls is None:
            raise ToolAnswerInvalid("an item says its type", pointer=f"{at}/type")
        cursor = one.get("cursor")
        if cursor is not None and not isinstance(cursor, str):
            raise ToolAnswerInvalid("a cursor is text", pointer=f"{at}/cursor")
        try:
            return self._link.codec.load(cls, one.get("value"), at=f"{at}/value"), cursor
        except NotOnTheWire as error:
            raise ToolAnswerInvalid(f"an item cannot be read: {error}", pointer=error.pointer) from None

    async def _resume(self, sink: Sink[Any], why: Exception) -> None:
        """Open the stream again from where it was: what cannot be read again is a gap."""
        if not self._resumable:
            sink.put(Gap(reason=f"the plugin's server went away: {why}"))
        pause = _RETRY
        while True:
            await anyio.sleep(pause)
            pause = min(pause * 2, _LONGEST_RETRY)
            try:
                await self._open()
            except _BROKEN:
                continue
            except CursorExpired:
                if not self._resumable:
                    raise
                sink.put(Gap(reason="the stream cannot be resumed from its cursor"))
                self._arguments["after"], self._resumable = None, False
                continue
            sink.put(Reconnected(at=self._wall()))
            return
