"""The command line's end of the control socket: synchronous, and light to import."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehook.cli.failures import RemoteFailure
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import cli as codes
from gatehook.gateway.protocol import MAX_ANSWER
from gatehook.gateway.protocol import socket_address


class Client:
    """Calls methods of the gateway that runs on a data directory, one connection a call."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._ids = itertools.count(1)

    def is_running(self) -> bool:
        """Say whether a gateway listens there."""
        try:
            self._connect(1.0).close()
        except GatehookError:
            return False
        return True

    def call(self, method: str, params: Mapping[str, Any] | None = None, *, timeout: float = 15.0) -> Any:
        """Call a method and return its result; ``timeout`` in seconds.

        Raises:
            GatehookError: when no gateway runs there, or it does not answer.
            RemoteFailure: when it answers with an error.
        """
        for answer in self._answers(method, params or {}, timeout):
            if "result" in answer:
                return answer["result"]
        raise self._no_answer(method, "it closed the connection")

    def stream(self, method: str, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Call a method and yield its items until it ends or the gateway stops."""
        for answer in self._answers(method, params or {}, None):
            if "item" not in answer:
                return
            yield answer["item"]

    def _answers(self, method: str, params: Mapping[str, Any], timeout: float | None) -> Iterator[Mapping[str, Any]]:
        request = {"id": next(self._ids), "method": method, "params": params}
        with self._connect(timeout) as connection, connection.makefile("rb") as lines:
            try:
                connection.sendall(json.dumps(request).encode() + b"\n")
                while line := lines.readline(MAX_ANSWER):
                    yield self._read(method, line)
            except OSError as error:
                raise self._no_answer(method, str(error) or type(error).__name__) from error

    def _read(self, method: str, line: bytes) -> Mapping[str, Any]:
        try:
            answer = json.loads(line)
        except ValueError:
            raise self._no_answer(method, "the answer is not JSON") from None
        if not isinstance(answer, dict):
            raise self._no_answer(method, "the answer is not an object")
        if "error" in answer:
            raise RemoteFailure(answer["error"])
        return answer

    def _connect(self, timeout: float | None) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            with socket_address(self.data_dir) as address:
                connection.connect(address)
        except OSError as error:
            connection.close()
            raise GatehookError(codes.NO_GATEWAY(data_dir=self.data_dir)) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _no_answer(self, method: str, why: str) -> GatehookError:
        return GatehookError(codes.NO_ANSWER(data_dir=self.data_dir, method=method, why=why))
