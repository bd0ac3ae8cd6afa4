"""Feeds and conversations that cannot be remembered, as they are."""

from __future__ import annotations

from typing import Any

import anyio

from gatehook.gateway import inbox
from gatehook.kinds.chat import CHAT_MESSAGE
from gatehook.kinds.chat import ChatMessage
from tests.bad_input.table import Table
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.orders.conftest import eventually

TABLE = Table()

FEED = """
from gatehook import ExternalFeed, NewsEvent, NotConnected, Page, hookimpl
from gatehook.kinds.feed import NewsKind


class Wire(ExternalFeed):
    def __init__(self, context):
        self.answer = context.config["answer"]

    async def fetch(self, query, *, cursor=None, limit=100):
        if self.answer == "failure":
            raise NotConnected("the wire is cut")
        if self.answer == "number":
            return Page(items=(), cursor=7)
        if self.answer == "list":
            return []
        if self.answer == "strings":
            return Page(items=("news",))
        at = dict(published_at=1, retrieved_at=1)
        return Page(items=[NewsEvent(event_id="1", source="s", kind=NewsKind.NEWS, headline=self.answer, **at)])


@hookimpl
def provide_feed(context):
    return Wire(context)
"""
DEAF = MEMORY.replace(
    "    async def upsert(",
    "    async def upsert(self, docs, *, if_revision=None):\n        raise OSError('full')\n\n    async def _upsert(",
)
MESSAGE = ChatMessage(message_id="1", conversation="c", author="a", text="hello", ts=1)


async def read(world: Any, answer: str, code: str, *, memory: str = MEMORY) -> Any:
    """Run a gateway that reads a feed, until it says what is expected."""
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    wire = world.plugin("wire", FEED, kinds=["feed.external"], configSchema=schema)
    notes = world.plugin("notes", memory, kinds=[MEMORY_KIND])
    entries = {"wire": {"config": {"answer": answer}}}
    section = {"news": [{"feed": "wire"}]}
    async with world.gateway(wire, notes, memory=section, entries=entries, slots={"memory": "notes"}) as call:
        await eventually(lambda: code in {one.code for one in call.host.diagnostics}, 20)
        return call.host.diagnostics


def reading(code: str, what: str, answer: str, **more: Any) -> None:
    TABLE.add(code, what, "entry", lambda world: read(world, answer, code, **more))


reading("news.feed-failed", "a feed that fails", "failure")
reading("news.feed-failed", "a cursor that is a number", "number")
reading("news.feed-failed", "a list where a page belongs", "list")
reading("news.item-refused", "strings where items belong", "strings")
reading("news.not-remembered", "a memory that refuses every write", "Rates", memory=DEAF)


@TABLE.row("news.no-feed", "a memory where a feed belongs", "entry")
async def no_feed(world):
    return await world.hosted(builtin=True, memory={"news": [{"feed": "sqlite_fts"}]})


async def said(world: Any, code: str, *payloads: Any, memory: str = MEMORY) -> Any:
    """Run a gateway where turns are published, until it says what is expected."""
    notes = world.plugin("notes", memory, kinds=[MEMORY_KIND])
    async with world.gateway(notes, slots={"memory": "notes"}) as call:
        for payload in payloads:
            call.host.bus.publish(CHAT_MESSAGE, payload, source="talk")
        with anyio.fail_after(20):
            await eventually(lambda: code in {one.code for one in call.host.diagnostics}, 20)
        return call.host.diagnostics


@TABLE.row("chat.bad-message", "a payload that is no turn", "entry")
async def bad_message(world):
    return await said(world, "chat.bad-message", {"text": world.canary})


@TABLE.row("chat.not-remembered", "a memory that refuses every write", "")
async def not_remembered(world):
    return await said(world, "chat.not-remembered", MESSAGE, memory=DEAF)


@TABLE.row("chat.lost", "more turns at once than can wait", "")
async def lost(world):
    world.monkeypatch.setattr(inbox, "LIMIT", 1)
    return await said(world, "chat.lost", MESSAGE, MESSAGE)
