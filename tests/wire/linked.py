"""Two ends of a connection in this process, and a peer that is fed by hand."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import anyio

from gatehook.wire.codec import WireCodec
from gatehook.wire.jsonrpc import Peer
from gatehook.wire.server import About
from gatehook.wire.server import WireServer
from gatehook.wire.serving import Served
from gatehook.wire.session import StdioWireSession


class Pipe:
    """Bytes in one direction."""

    def __init__(self):
        self._send, self._receive = anyio.create_memory_object_stream(1000)

    async def send(self, item):
        await self._send.send(item)

    async def receive(self, max_bytes=65536):
        return await self._receive.receive()

    def close(self):
        self._send.close()
        self._receive.close()


@asynccontextmanager
async def linked(here=None, there=None):
    """Run two peers with these options; yields both."""
    one, other = Pipe(), Pipe()
    first = Peer(one, other, **(here or {}))
    second = Peer(other, one, **(there or {}))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first.run)
        tasks.start_soon(second.run)
        yield first, second
        tasks.cancel_scope.cancel()
    one.close()
    other.close()


class ByHand:
    """The other side of a peer: what the peer wrote, and what it is sent."""

    def __init__(self, to_peer, from_peer):
        self._to_peer, self._from_peer = to_peer, from_peer
        self._lines = []

    async def send(self, *messages):
        for one in messages:
            await self._to_peer.send(one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n")

    async def next(self):
        """Return the next message that the peer wrote."""
        while not self._lines:
            self._lines += (await self._from_peer.receive()).splitlines()
        return json.loads(self._lines.pop(0))


@asynccontextmanager
async def by_hand(writing=None, **options):
    """Run a peer whose other side is the test."""
    to_peer, from_peer = Pipe(), Pipe()
    peer = Peer(to_peer, writing or from_peer, **options)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(peer.run)
        yield peer, ByHand(to_peer, from_peer)
        tasks.cancel_scope.cancel()
    to_peer.close()
    from_peer.close()


@asynccontextmanager
async def connected(providers, entry_id="entry"):
    """Serve providers to a session, both in this process."""
    one, other = Pipe(), Pipe()
    session = StdioWireSession()
    async with anyio.create_task_group() as tasks:
        served = Served(providers, tasks, WireCodec("theirs"))
        server = Peer(one, other, answer=WireServer(served, About(name="served", version="1")).answer)
        tasks.start_soon(server.run)
        await tasks.start(session.run, other, one)
        yield session
        tasks.cancel_scope.cancel()
    one.close()
    other.close()
