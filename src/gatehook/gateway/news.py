"""The feeds of ``[[memory.news]]``, asked again and again, and what they publish themselves: written to the memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final

import anyio

from gatehook.config.memory import NewsConfig
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import news as codes
from gatehook.events import FeedEvent
from gatehook.gateway.inbox import LIMIT
from gatehook.gateway.inbox import Inbox
from gatehook.gateway.outage import Outage
from gatehook.gateway.payloads import payload_as
from gatehook.gateway.positions import Positions
from gatehook.gateway.remembered_news import NewsWriter
from gatehook.gateway.slot import FAILURES
from gatehook.gateway.slot import memory_of_slot
from gatehook.gateway.slot import why
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost
from gatehook.host.provisional import FeedHandle
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.feed import FeedQuery
from gatehook.kinds.feed import NewsEvent
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Page

#: How far each memory is with each feed.
CURSORS_FILE: Final = "remembered-news.json"
_TOPICS: Final = ("news.", "social.")
_PAGE: Final = 100
#: Seconds until a feed, or a memory, that failed is asked again; twice as many with each failure.
_FIRST_RETRY: Final = 5.0
_LAST_RETRY: Final = 300.0


class News:
    """Remembers the news that the configuration names."""

    def __init__(self, host: PluginHost) -> None:
        """Take a host, entered or not: what its plugins publish while they start is taken too."""
        cursors = Positions(host.config.gateway.data_dir / CURSORS_FILE, str)
        self._feeds = [Feed(host, one, cursors) for one in host.config.memory.news]

    async def run(self) -> None:
        """Ask, and remember, until cancelled."""
        async with anyio.create_task_group() as tasks:
            for feed in self._feeds:
                tasks.start_soon(feed.run)
                tasks.start_soon(feed.inbox.run)

    async def catch_up(self) -> None:
        """Remember what was published until now."""
        for feed in self._feeds:
            await feed.inbox.catch_up()


class Feed:
    """One feed. Its cursor is noted for a memory when that has the items before it, so nothing is lost."""

    def __init__(self, host: PluginHost, config: NewsConfig, cursors: Positions[str]) -> None:
        self._host = host
        self._config = config
        self._query = FeedQuery(text=config.text or "", symbols=config.symbols, kinds=config.kinds)
        self._cursors = cursors
        self._writer = NewsWriter(host, config.feed)
        self._feed_outage = Outage(host.report)
        self._memory_outage = Outage(host.report)
        self._asked_for: str | None = None
        self._again = anyio.Event()
        self.inbox = Inbox(host, takes=self._takes, write=self._write, failed=self._failed, lost=self._lost)

    def _notice(self, event: FeedEvent) -> None:
        if event.topic == "gateway.plugin" and self._host.slot("memory") != self._asked_for:
            self._again.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        self._host.bus.on_control(self._notice)
        failures = 0
        while True:
            self._again = anyio.Event()
            error = await self.look()
            failures = 0 if error is None else failures + 1
            with anyio.move_on_after(self._pause(failures, error)):
                await self._again.wait()

    def _pause(self, failures: int, error: BaseException | None) -> float:
        if not failures:
            return self._config.every
        first = min(_FIRST_RETRY, self._config.every)
        pause = min(first * 2.0 ** min(failures - 1, 64), max(_LAST_RETRY, self._config.every))
        return max(pause, getattr(error, "retry_after", None) or 0.0)

    async def look(self) -> BaseException | None:
        """Remember what the feed has that the memory lacks; return what went wrong, which is reported."""
        filled = memory_of_slot(self._host, caller="gateway")
        self._asked_for = None if filled is None else filled[0]
        if filled is None:
            return None
        try:
            await self._read(*filled)
        except _FeedError as failure:
            self._feed_outage.goes_on(codes.FEED_FAILED(entry=self._config.feed, why=why(failure.error)))
            return failure.error
        except FAILURES as error:
            if self._host.slot("memory") == filled[0]:
                self._memory_outage.goes_on(self._failed(why(error)))
            return error
        self._feed_outage.over()
        self._memory_outage.over()
        return None

    async def _read(self, entry_id: str, memory: MemoryHandle) -> None:
        """Read page by page, up to one that is empty or leads nowhere new."""
        name = self._cursor_name(entry_id)
        seen: set[str] = set()
        while (cursor := await self._cursors.get(name, "")) not in seen:
            seen.add(cursor)
            page = await self._page(cursor)
            await self._writer.write(memory, page.items)
            if page.cursor not in (None, cursor):
                await self._cursors.set(name, page.cursor)
            if not page.items:
                break

    async def _page(self, cursor: str) -> Page[NewsEvent]:
        try:
            feed: FeedHandle = self._host.handle(self._config.feed, Kind.FEED, caller="gateway")
            try:
                page = await feed.fetch(self._query, cursor=cursor or None, limit=_PAGE)
            except CursorExpired:
                page = await feed.fetch(self._query, limit=_PAGE)
            if not isinstance(page.cursor, str | None):
                raise ProviderError(f"{self._config.feed} answered a cursor that is no text")
        except FAILURES as error:
            raise _FeedError(error) from error
        return page

    def _cursor_name(self, entry_id: str) -> str:
        """A cursor belongs to a memory, a feed, and what the feed is asked for."""
        query = json.dumps([self._query.text, *self._query.symbols, *self._query.kinds])
        digest = hashlib.blake2b(query.encode(), digest_size=6).hexdigest()
        return f"{entry_id}/{self._config.feed}/{digest}"

    # --- what the feed publishes itself

    def _takes(self, event: FeedEvent) -> bool:
        return event.source == self._config.feed and event.topic.startswith(_TOPICS)

    async def _write(self, _: str, memory: MemoryHandle, events: Sequence[FeedEvent]) -> None:
        items = []
        for event in events:
            try:
                items.append(payload_as(NewsEvent, event.payload))
            except ValueError as error:
                self._host.report(codes.ITEM_REFUSED(entry=self._config.feed, count=1, why=error))
        await self._writer.write(memory, [one for one in items if self._is_wanted(one)])

    def _is_wanted(self, item: NewsEvent) -> bool:
        config = self._config
        return (
            (not config.kinds or item.kind in config.kinds)
            and (not config.symbols or bool({*config.symbols} & {*item.symbols}))
            and (config.text or "").casefold() in f"{item.headline}\n{item.summary or ''}".casefold()
        )

    def _failed(self, reason: str) -> Diagnostic:
        return codes.NOT_REMEMBERED(entry=self._config.feed, why=reason)

    def _lost(self) -> Diagnostic:
        return self._failed(f"more than {LIMIT} items that it published wait for the memory")


class _FeedError(Exception):
    """What the feed, not the memory, failed with."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error
