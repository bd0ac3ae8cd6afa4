"""A listening socket on the loopback that can be closed with all its connections, and opened again."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import ByteStream
from anyio.abc import SocketAttribute
from anyio.abc import SocketStream
from anyio.abc import TaskGroup
from anyio.abc import TaskStatus

from gatehook.testing.metaapi.http import GONE
from gatehook.testing.metaapi.http import BadRequest


class Listening:
    """Serves connections on a port, any free one where 0 is asked for, until it is left."""

    def __init__(self, serve: Callable[[ByteStream], Awaitable[None]], port: int = 0) -> None:
        self.port = port
        self._serve = serve
        self._tasks: TaskGroup | None = None
        self._scope: anyio.CancelScope | None = None
        self._closed = anyio.Event()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._tasks = await anyio.create_task_group().__aenter__()
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Close everything."""
        assert self._tasks is not None
        self._tasks.cancel_scope.cancel()
        return await self._tasks.__aexit__(kind, error, trace)

    async def open(self) -> None:
        """Listen, on the same port as before."""
        assert self._tasks is not None
        await self._tasks.start(self._listen)

    async def close(self) -> None:
        """Close the listening socket and every connection; return when that is done."""
        if self._scope is not None:
            self._scope.cancel()
            await self._closed.wait()

    def later(self, seconds: float, do: Callable[[], Awaitable[object]]) -> None:
        """Do something in a while, unless everything is closed by then."""
        assert self._tasks is not None
        self._tasks.start_soon(_after, seconds, do)

    async def _listen(self, task_status: TaskStatus[None]) -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=self.port)
        self.port = listener.extra(SocketAttribute.local_port)
        self._closed = anyio.Event()
        try:
            with anyio.CancelScope() as self._scope:
                async with listener:
                    task_status.started()
                    await listener.serve(self._connection)
        finally:
            self._scope = None
            self._closed.set()

    async def _connection(self, stream: SocketStream) -> None:
        async with stream:
            try:
                await self._serve(stream)
            except GONE:
                return
            except BadRequest:
                await stream.send(f"HTTP/1.1 {HTTPStatus.BAD_REQUEST.value} Bad Request\r\n\r\n".encode())


async def _after(seconds: float, do: Callable[[], Awaitable[object]]) -> None:
    await anyio.sleep(seconds)
    await do()
