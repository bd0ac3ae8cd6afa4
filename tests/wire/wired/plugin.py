"""Tells what its context gave it, as the symbols of instruments."""

from __future__ import annotations

import os

from gatehook import ChatMessage
from gatehook import MarketData
from gatehook import PluginContext
from gatehook import hookimpl
from gatehook.kinds.chat import CHAT_MESSAGE
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId


@hookimpl
def provide_market_data(context: PluginContext) -> MarketData:
    return Wired(context)


class Wired(MarketData):
    def __init__(self, context):
        self._context = context

    async def list_instruments(self, *, query=None):
        context = self._context
        print("printed by a plugin")
        facts = [context.plugin_id, context.entry_id, context.venue, str(context.config["token"])]
        facts.append(context.config["token"].reveal())
        async with context.state.transaction() as transaction:
            transaction.set("count", transaction.get("count", 0) + 1)
            transaction.delete("old")
        facts.append(f"count={await context.state.get('count')}")
        facts.append(f"keys={await context.state.keys()}")
        facts.append(f"default={await context.state.get('old', 'none')}")
        context.events.publish("wired.done", {"n": 1}, event_id="once")
        context.events.publish("wired.done", {"n": 2}, event_id="once")
        turn = ChatMessage(message_id="1", conversation="c", author="a", text="hello", ts=context.clock.now())
        context.events.publish(CHAT_MESSAGE, turn)
        context.logger.warning("a line from %s", "the child")
        used = context.use("prices")
        (theirs,) = await used.list_instruments()
        facts.append(f"used={theirs.id} {(await used.quote(theirs.id)).bid} {used.capabilities.ticks}")
        facts.append(f"pid={os.getpid() != os.getppid()}")
        facts.append(f"drift={abs(context.clock.now() - context.clock.wall()) < 10**9}")
        return [_named(one) for one in facts]

    async def quote(self, instrument_id):
        if instrument_id.symbol == "DIE":
            os._exit(3)
        return self._context.use("nobody")


def _named(text):
    return Instrument(
        id=InstrumentId("A", "B"),
        native_symbol=text,
        base="A",
        quote="B",
        price_increment="1",
        size_increment="1",
        settle_currency="B",
    )
