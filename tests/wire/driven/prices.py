"""The controlled prices, moved by whoever connects to a socket: a JSON list a line, answered when it is done."""

from __future__ import annotations

import json
from decimal import Decimal

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from gatehook import hookimpl
from gatehook.testing import ControlledPrices


class Driven(ControlledPrices):
    async def __aenter__(self):
        listener = await anyio.create_unix_listener(self._context.config["socket"])
        self._context.task_group.start_soon(listener.serve, self._obey)
        return self

    async def __aexit__(self, *exc):
        return None

    async def _obey(self, stream):
        async with stream:
            lines = BufferedByteReceiveStream(stream)
            while True:
                try:
                    words = json.loads(await lines.receive_until(b"\n", 1000))
                except anyio.IncompleteRead:
                    return
                await (self.set(*map(_decimal, words)) if words else self.followed())
                await stream.send(b"\n")


def _decimal(word):
    return None if word is None else Decimal(word)


@hookimpl
def provide_market_data(context):
    prices = Driven(bid="1.10000", ask="1.10010")
    return prices.provide_market_data(context)
