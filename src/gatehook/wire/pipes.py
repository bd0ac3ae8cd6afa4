"""File descriptors as byte streams, on asyncio and trio: what a served plugin speaks over."""

from __future__ import annotations

import os

import anyio
from anyio.abc import ByteReceiveStream
from anyio.abc import ByteSendStream


class PipeReader(ByteReceiveStream):
    """Reads a descriptor; ``EndOfStream`` at its end."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        """Return what is there, at least a byte; where something is, without a turn for others."""
        while True:
            try:
                chunk = os.read(self._descriptor, max_bytes)
            except BlockingIOError:
                await anyio.wait_readable(self._descriptor)
            except OSError:
                raise anyio.BrokenResourceError from None
            else:
                if not chunk:
                    raise anyio.EndOfStream
                return chunk

    async def aclose(self) -> None:
        """Leave the descriptor as it was; whoever opened it closes it."""


class PipeWriter(ByteSendStream):
    """Writes to a descriptor."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    def write_some(self, data: bytes | memoryview) -> int:
        """Write what the descriptor takes now and return how much that was.

        Raises:
            anyio.BrokenResourceError: the other side no longer reads.
        """
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError:
            raise anyio.BrokenResourceError from None

    async def send(self, item: bytes) -> None:
        """Write all of it."""
        rest = memoryview(item)
        while rest:
            written = self.write_some(rest)
            rest = rest[written:]
            if rest and not written:
                await anyio.wait_writable(self._descriptor)

    async def aclose(self) -> None:
        """Leave the descriptor as it was; whoever opened it closes it."""
