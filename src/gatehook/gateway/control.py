"""The control socket: who may connect, requests in, answers out, each with a deadline."""

from __future__ import annotations

import json
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator
from collections.abc import Mapping
from contextlib import aclosing
from contextlib import asynccontextmanager
from contextlib import suppress
from pathlib import Path
from typing import Any
from typing import Final

import anyio
from anyio.abc import SocketAttribute
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes.host import DATA_DIR_UNUSABLE
from gatehook.gateway.answers import describe_error
from gatehook.gateway.answers import too_slow
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Stream
from gatehook.gateway.params import Params
from gatehook.gateway.person import person_of
from gatehook.gateway.protocol import MAX_REQUEST
from gatehook.gateway.protocol import SOCKET
from gatehook.gateway.protocol import socket_address

_LOG: Final = logging.getLogger("gatehook.gateway")
#: A client that does not read its answer for so many seconds is let go.
_WRITE_TIMEOUT: Final = 10.0
#: What is being answered when the server stops may take so many seconds more.
_LAST_WORDS: Final = 0.5


class ControlServer:
    """Serves a table of methods on the socket of a data directory whose lock the caller holds."""

    def __init__(self, data_dir: Path, methods: Mapping[str, Method | Stream]) -> None:
        self._data_dir = data_dir
        self._methods = methods
        self._open: set[SocketStream] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve while the block runs; at its end every connection is closed and the socket file removed.

        A socket file that is there already is stale, since the lock is ours, and is replaced.

        Raises:
            GatehookError: when the socket cannot be made.
        """
        with socket_address(self._data_dir) as address:
            listener = await self._listener(address)
            try:
                async with (
                    listener,
                    anyio.create_task_group() as connections,
                    anyio.create_task_group() as accepting,
                ):
                    accepting.start_soon(listener.serve, self._serve, connections)
                    try:
                        yield
                    finally:
                        accepting.cancel_scope.cancel()
                        self._hang_up()
                        connections.cancel_scope.deadline = anyio.current_time() + _LAST_WORDS
            finally:
                (self._data_dir / SOCKET).unlink(missing_ok=True)

    async def _listener(self, address: str) -> anyio.abc.SocketListener:
        try:
            return await anyio.create_unix_listener(address, mode=0o600)
        except OSError as error:
            problem = f"{SOCKET}: {error.strerror}"
            raise GatehookError(DATA_DIR_UNUSABLE(path=self._data_dir, error=problem)) from error

    def _hang_up(self) -> None:
        """End every connection as if its client had gone.

        On asyncio a read that is cancelled in the turn of the loop in which it becomes ready raises in the loop, so
        cancelling is only for those that do not end by themselves.
        """
        for connection in self._open:
            with suppress(OSError):  # it ends at this moment anyway
                connection.extra(SocketAttribute.raw_socket).shutdown(socket.SHUT_RD)  # noqa: S610  an attribute, no query

    async def _serve(self, connection: SocketStream) -> None:
        async with connection:
            person = welcome_person(connection)
            if person is None:
                return
            self._open.add(connection)
            try:
                await self._converse(connection, person)
            finally:
                self._open.discard(connection)

    async def _converse(self, connection: SocketStream, person: str) -> None:
        lines = BufferedByteReceiveStream(connection)
        try:
            while True:
                await self._answer(await lines.receive_until(b"\n", MAX_REQUEST), connection, lines, person)
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return  # the client has gone
        except anyio.DelimiterNotFound:
            error = describe_error(GatehookError(_too_long()))
            await _send(connection, {"id": None, "error": error})
        except TimeoutError:
            _LOG.warning("a client of the control socket does not read its answer and was let go")

    async def _answer(
        self, line: bytes, connection: SocketStream, lines: BufferedByteReceiveStream, person: str
    ) -> None:
        identity: Any = None
        try:
            identity, method, params = self._request(line, person)
            if isinstance(method, Stream):
                await self._stream(identity, method, params, connection, lines)
                result: Any = None
            else:
                result = await _within(method, params)
        except Exception as error:  # noqa: BLE001  a failed request ends neither the connection nor the gateway
            await _send(connection, {"id": identity, "error": describe_error(error)})
        else:
            await _send(connection, {"id": identity, "result": result})

    def _request(self, line: bytes, person: str) -> tuple[Any, Method | Stream, Params]:
        try:
            request = json.loads(line)
        except ValueError:
            raise Params("?", {}).refuse("it is not JSON") from None
        if not isinstance(request, dict):
            raise Params("?", {}).refuse("it is no object")
        name = str(request.get("method"))
        if name not in self._methods:
            raise Params(name, {}).refuse("there is no such method")
        return request.get("id"), self._methods[name], Params(name, request.get("params", {}), person=person)

    async def _stream(
        self,
        identity: Any,
        method: Stream,
        params: Params,
        connection: SocketStream,
        lines: BufferedByteReceiveStream,
    ) -> None:
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                try:
                    await lines.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            items: Any = method.items(params)
            try:
                async with aclosing(items):
                    async for item in items:
                        await _send(connection, {"id": identity, "item": item})
            except Exception as error:  # noqa: BLE001  raised below, out of the group
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure


async def _within(method: Method, params: Params) -> Any:
    try:
        with anyio.fail_after(method.timeout):
            return await method.call(params)
    except TimeoutError:
        raise too_slow(params.method, method.timeout) from None


async def _send(connection: SocketStream, answer: Mapping[str, Any]) -> None:
    with anyio.fail_after(_WRITE_TIMEOUT):
        await connection.send(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def welcome_person(connection: SocketStream) -> str | None:
    """Return who is at the other end, if it is this user or root; ``None`` for anybody else.

    Where the system does not tell, it is this user: the socket's mode and its directory's are the protection there.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return person_of(os.getuid())
    raw: socket.socket = connection.extra(SocketAttribute.raw_socket)  # noqa: S610  a socket's attribute, no query
    _, uid, _ = struct.unpack("3i", raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    if uid in (os.getuid(), 0):
        return person_of(uid)
    _LOG.warning("the user %d tried to use the control socket", uid)
    return None


def _too_long() -> Any:
    return Params("?", {}).refuse(f"it is longer than {MAX_REQUEST} bytes").diagnostics[0]
