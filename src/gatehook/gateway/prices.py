"""The price sources: what each is to be called, and its items pumped to the bus."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from collections.abc import Sequence
from contextlib import asynccontextmanager
from contextlib import suppress
from typing import Final

import anyio
import anyio.lowlevel
import attrs

from gatehook.events import FeedEvent
from gatehook.gateway.brokers import active_entries
from gatehook.host import MarketDataHandle
from gatehook.host import PluginHost
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.kind import Kind
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow
from gatehook.kinds.times import SECOND
from gatehook.market import MarketPump

_LOG: Final = logging.getLogger("gatehook.gateway")
#: Seconds until a source that is down is asked for its instruments again.
_RETRY: Final = 1.0

SIMULATED: Final = "SIMULATED"
REPLAY: Final = "REPLAY"
LIVE: Final = "live"
#: What the prices of a plugin are, before any was seen.
_LABELS: Final = {"simulated": SIMULATED, "replay": REPLAY}


@attrs.frozen
class Source:
    """One active market data entry."""

    entry_id: str
    handle: MarketDataHandle
    label: str

    def label_of(self, tick: Tick) -> str:
        """What a price is."""
        return SIMULATED if tick.simulated else self.label


@attrs.define
class Counts:
    """How much came from a source."""

    ticks: int = 0
    candles: int = 0
    newest: int = 0


class _Opening:
    """A source that says when its stream is open."""

    def __init__(self, handle: MarketDataHandle, opened: anyio.Event) -> None:
        self._handle = handle
        self._opened = opened

    @asynccontextmanager
    async def stream(
        self, subscriptions: Sequence[Subscription], *, overflow: Overflow, buffer: int, after: str | None
    ) -> AsyncIterator[Items[Tick | Candle]]:
        """Open a stream."""
        async with self._handle.stream(subscriptions, overflow=overflow, buffer=buffer, after=after) as items:
            await anyio.lowlevel.checkpoint()  # the producer begins before anybody hears that it has
            self._opened.set()
            yield items


class Prices:
    """All active market data entries of a host.

    Attributes:
        counts: what each entry has published.
        replayed: how many rows of a replay are done, of how many.
    """

    def __init__(self, host: PluginHost, *, caller: str) -> None:
        self._host = host
        self._caller = caller
        self.counts: dict[str, Counts] = {}
        self.replayed = (0, 0)
        self._opened: dict[str, anyio.Event] = {}
        #: Entries whose newest price said that it is simulated: one that another process serves says it nowhere else.
        self._simulated: set[str] = set()

    def sources(self) -> list[Source]:
        """Return the active entries."""
        plugin_of = {one.entry_id: one.plugin_id for one in self._host.plan.activations}
        return [
            Source(
                entry_id,
                self._host.market_data(entry_id, caller=self._caller),
                SIMULATED if entry_id in self._simulated else _LABELS.get(plugin_of[entry_id], LIVE),
            )
            for entry_id in active_entries(self._host, Kind.MARKET_DATA)
        ]

    async def ask_for_labels(self, timeout: float) -> None:
        """Ask sources that could be live for a price, which says whether it is simulated; wait ``timeout`` seconds."""
        with anyio.move_on_after(timeout):
            async with anyio.create_task_group() as tasks:
                for source in self.sources():
                    if source.label == LIVE and source.handle.capabilities.ticks:
                        tasks.start_soon(self._ask_for_label, source)

    async def _ask_for_label(self, source: Source) -> None:
        with suppress(ProviderError):
            for instrument in (await source.handle.list_instruments())[:1]:
                self._note(source.entry_id, await source.handle.quote(instrument.id))

    def _note(self, entry_id: str, price: object) -> None:
        """Believe the newest price: after a restart an entry may have others."""
        if isinstance(price, (Tick, Candle)):
            (self._simulated.add if price.simulated else self._simulated.discard)(entry_id)

    async def instruments(self, query: str | None) -> list[tuple[Instrument, str]]:
        """Return every instrument there are prices for, with their label; a source that is down has none."""
        found: list[tuple[Instrument, str]] = []
        for source in self.sources():
            try:
                found += [(one, source.label) for one in await source.handle.list_instruments(query=query)]
            except ProviderError as error:
                _LOG.warning("the instruments of %s are not known: %s", source.entry_id, error)
        return found

    def expect_sources(self) -> None:
        """Take note of which sources there are; ``opened`` waits for these."""
        for source in self.sources():
            self.counts[source.entry_id] = Counts()
            self._opened[source.entry_id] = anyio.Event()

    async def pump(self) -> None:
        """Publish what every source delivers; return when all have come to their end (a replay does)."""
        pump = MarketPump(self._host.bus, self._host.clock, grace_ns=int(self._host.config.market.grace * SECOND))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._count)
            async with anyio.create_task_group() as sources:
                for source in self.sources():
                    sources.start_soon(self._pump_one, pump, source)
            tasks.cancel_scope.cancel()

    async def _pump_one(self, pump: MarketPump, source: Source) -> None:
        opened = self._opened[source.entry_id]
        subscriptions = await self._subscriptions(source)
        if subscriptions:
            await pump.run(source.entry_id, _Opening(source.handle, opened), subscriptions)
        opened.set()  # a source that has quotes when asked, and no stream, is waited for no longer

    async def opened(self, timeout: float) -> None:
        """Wait until every source's stream is open, or ``timeout`` seconds: what comes now misses nothing."""
        with anyio.move_on_after(timeout):
            for opened in list(self._opened.values()):
                await opened.wait()

    async def _subscriptions(self, source: Source) -> Sequence[Subscription]:
        while True:
            try:
                listed = await source.handle.list_instruments()
            except ProviderError as error:
                _LOG.info("%s does not list its instruments yet: %s", source.entry_id, error)
                await anyio.sleep(_RETRY)
            else:
                frame = await _finest(source.handle, listed[0]) if listed else None
                return [one for instrument in listed for one in _wanted(source.handle, instrument, frame)]

    async def _count(self) -> None:
        with self._host.bus.subscribe("market.*") as events:
            while batch := await events.batch():
                for event in batch:
                    if isinstance(event, FeedEvent):
                        self._count_one(event)

    def _count_one(self, event: FeedEvent) -> None:
        counts = self.counts.get(event.source)
        if counts is None:
            return
        self._note(event.source, event.payload)
        if event.topic == "market.price.tick":
            counts.ticks += 1
        elif event.topic == "market.candle.closed":
            counts.candles += 1
        elif event.topic == "market.replay.progress":
            self.replayed = event.payload["done"], event.payload["total"]
        counts.newest = max(counts.newest, event.ts)


async def _finest(handle: MarketDataHandle, instrument: Instrument) -> Timeframe | None:
    """Return the shortest candles that a source really has; what it declares is what it may have."""
    declared = handle.capabilities
    frames = sorted(declared.timeframes, key=list(Timeframe).index)
    if not declared.history:
        return frames[0] if frames else None
    for frame in frames:
        try:
            await handle.history(instrument.id, frame, start=0, end=1, limit=1)
        except UnsupportedCapability:
            continue
        except ProviderError as error:
            _LOG.info("%s does not say whether it has candles of %s: %s", handle.entry_id, frame, error)
        return frame
    return None


def _wanted(handle: MarketDataHandle, instrument: Instrument, frame: Timeframe | None) -> list[Subscription]:
    has = handle.capabilities
    wanted = [Subscription(instrument_id=instrument.id, channel=Channel.QUOTES)] if has.ticks else []
    if has.trades:
        wanted.append(Subscription(instrument_id=instrument.id, channel=Channel.TRADES))
    if frame is not None:
        wanted.append(Subscription(instrument_id=instrument.id, channel=Channel.CANDLES, timeframe=frame))
    return wanted
