"""The venue's process, and the tests' end of its control port."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

ROOT = Path(__file__).parents[2]
LONGEST = 1 << 26


class VenueProcess:
    """``python -m tests.hostile.venue``, which can be killed and started again on the same ports and data."""

    def __init__(self, directory: Path, *options: str) -> None:
        self._command = [sys.executable, "-m", "tests.hostile.venue", "--data", str(directory), *options]
        self._process: subprocess.Popen[str] | None = None
        self.port = self.control_port = 0

    def start(self) -> VenueProcess:
        """Start it, and return when it takes connections."""
        command = [*self._command, "--port", str(self.port), "--control", str(self.control_port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.port, self.control_port = map(int, self._process.stdout.readline().split())
        return self

    def kill(self) -> None:
        """SIGKILL it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process.stdout.close()
            self._process = None

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Ask the control port, and block until it answers. Never for what waits for our own event loop.

        Raises:
            ValueError: when it does not understand.
        """
        with (
            socket.create_connection(("127.0.0.1", self.control_port), timeout=30) as wire,
            wire.makefile("rw") as file,
        ):
            file.write(json.dumps({"do": do, **request}) + "\n")
            file.flush()
            return _checked(do, json.loads(file.readline()))

    async def control(self, do: str, **request: Any) -> dict[str, Any]:
        """Ask the control port.

        Raises:
            ValueError: when it does not understand.
        """
        async with await anyio.connect_tcp("127.0.0.1", self.control_port) as wire:
            await wire.send(json.dumps({"do": do, **request}).encode() + b"\n")
            answer = await BufferedByteReceiveStream(wire).receive_until(b"\n", LONGEST)
        return _checked(do, json.loads(answer))


def _checked(do: str, answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise ValueError(f"{do}: {answer['error']}")
    return answer
