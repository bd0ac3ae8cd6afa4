"""What the rest of the program holds of market data and memory: guarded, and the same object across restarts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Coroutine
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import asynccontextmanager

from gatehook.host.flushing import flush_vectors
from gatehook.host.flushing import longest
from gatehook.host.port import Port
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.filters import Filter
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import MarketData
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Progress
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import SearchPage
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.memory import UpsertReport
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.provider import Page
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Overflow
from gatehook.kinds.times import Ns


class Handle:
    """The base: bound to a caller, and to whatever port its source names at the moment of a call."""

    def __init__(self, source: Callable[[], Port], caller: str) -> None:
        """``source`` is asked at each call: the holder of a slot can change."""
        self._source = source
        self.caller = caller

    @property
    def entry_id(self) -> str:
        """The entry behind it now."""
        return self._source().owner.entry_id

    def health(self) -> Health:
        """Say how the provider is, at once and without I/O."""
        return port_health(self._source())

    def _require(self, port: Port, supported: bool, key: str) -> None:
        if not supported and port.provider is not None:
            raise UnsupportedCapability(f"{port.owner.entry_id} does not declare {key}")


def port_health(port: Port) -> Health:
    """Return a provider's own word, or why there is none."""
    if port.provider is None:
        return Health(status=HealthStatus.DOWN, reasons=(port.owner.why_down(),))
    failing = [f"{one.failures} {what} failed in a row" for what, one in port.breakers.items() if one.is_open]
    if failing:
        return Health(status=HealthStatus.DOWN, reasons=tuple(failing))
    return provider_health(port)


def provider_health(port: Port) -> Health:
    """Ask the provider, and take an exception or a wrong type for an answer too."""
    try:
        health = port.provider.health()
    except Exception as error:  # noqa: BLE001  health is asked for when things are broken
        port.owner.provider_raised("health", error)
        return Health(status=HealthStatus.DEGRADED, reasons=("its health() raises",))
    if not isinstance(health, Health):
        if isinstance(health, Coroutine):
            health.close()
        return Health(status=HealthStatus.DEGRADED, reasons=("its health() returns no Health",))
    if not health.reasons:
        return health
    return Health(status=health.status, reasons=tuple(port.owner.redact(str(one)) for one in health.reasons))


class MarketDataHandle(Handle):
    """Instruments, quotes, candles and streams of one entry."""

    @property
    def capabilities(self) -> MarketDataCapabilities:
        """What the entry declares and really does; nothing while it is down."""
        found = self._source().capabilities
        return found if isinstance(found, MarketDataCapabilities) else MarketDataCapabilities()

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return the instruments there are prices for."""
        port = self._source()
        provider: MarketData = port.require()
        return port.many(Instrument, "list_instruments", await port.call(provider.list_instruments, query=query))

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        """Return the newest quote."""
        port = self._source()
        provider: MarketData = port.require()
        return port.one(Tick, "quote", await port.call(provider.quote, instrument_id))

    async def history(
        self,
        instrument_id: InstrumentId,
        timeframe: Timeframe,
        *,
        start: Ns,
        end: Ns,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Candle]:
        """Return candles with ``start`` <= ts_open < ``end``, ascending.

        Raises:
            UnsupportedCapability: before any call, when the entry does not declare it.
        """
        port = self._source()
        provider: MarketData = port.require()
        self._require(port, port.capabilities.history, "supportsHistory")
        page = await port.call(
            provider.history, instrument_id, timeframe, start=start, end=end, limit=limit, cursor=cursor
        )
        return port.one(Page, "history", page)

    async def ticks_history(
        self, instrument_id: InstrumentId, *, start: Ns, end: Ns, cursor: str | None = None
    ) -> Page[Tick]:
        """Return ticks with ``start`` <= ts_event < ``end``, ascending.

        Raises:
            UnsupportedCapability: before any call, when the entry does not declare it.
        """
        port = self._source()
        provider: MarketData = port.require()
        self._require(port, port.capabilities.tick_history, "supportsTickHistory")
        page = await port.call(provider.ticks_history, instrument_id, start=start, end=end, cursor=cursor)
        return port.one(Page, "ticks_history", page)

    @asynccontextmanager
    async def stream(
        self,
        subscriptions: Sequence[Subscription],
        *,
        overflow: Overflow = Overflow.CONFLATE,
        buffer: int = 1024,
        after: str | None = None,
    ) -> AsyncIterator[Items[Tick | Candle]]:
        """Open a stream; its items pass straight from the provider. It ends with ``NotConnected`` when the entry stops.

        Raises:
            UnsupportedCapability: before anything is opened, for a subscription that the entry does not declare.
            Throttled: when the credential's budget has no room in time; nothing was opened.
        """
        port = self._source()
        provider: MarketData = port.require()
        for subscription in subscriptions:
            self._check_subscription(port, subscription)
        await port.admitted()
        opened = provider.stream(subscriptions, overflow=overflow, buffer=buffer, after=after)
        async with opened as items:
            port.streams.add(items)
            try:
                with port.followed(items):
                    yield items
            finally:
                port.streams.discard(items)

    def _check_subscription(self, port: Port, subscription: Subscription) -> None:
        capabilities: MarketDataCapabilities = port.capabilities
        if subscription.channel is Channel.QUOTES:
            self._require(port, bool(capabilities.ticks), "supportsTicks")
        elif subscription.channel is Channel.TRADES:
            self._require(port, capabilities.trades, "supportsTrades")
        else:
            timeframe = subscription.timeframe
            self._require(port, timeframe in capabilities.timeframes, f"the timeframe {timeframe}")


class MemoryHandle(Handle):
    """What the gateway and its agents remember."""

    @property
    def calls(self) -> int:
        """How many calls the entry has ended, whoever made them: while it stays, nobody uses the memory."""
        return self._source().ended

    @property
    def capabilities(self) -> MemoryCapabilities:
        """What the entry declares and really does; nothing while it is down."""
        found = self._source().capabilities
        return found if isinstance(found, MemoryCapabilities) else MemoryCapabilities()

    async def upsert(self, docs: Sequence[MemoryDoc], *, if_revision: Mapping[str, int] | None = None) -> UpsertReport:
        """Write documents; see ``MemoryBackend.upsert``."""
        port = self._source()
        provider: MemoryBackend = port.require()
        return port.one(UpsertReport, "upsert", await port.call(provider.upsert, docs, if_revision=if_revision))

    async def get(self, namespace: Namespace, ids: Sequence[str]) -> list[StoredDoc | None]:
        """Return documents in the order of ``ids``, ``None`` for each that is missing."""
        port = self._source()
        provider: MemoryBackend = port.require()
        found = await port.call(provider.get, namespace, ids)
        port.many(object, "get", found)
        port.many(StoredDoc, "get", [one for one in found if one is not None])
        return found

    async def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents; return how many there were."""
        port = self._source()
        provider: MemoryBackend = port.require()
        return port.one(int, "delete", await port.call(provider.delete, namespace, ids))

    async def search(self, query: Query) -> SearchPage:
        """Search.

        Raises:
            UnsupportedCapability: before any call, for a mode or an ``as_of`` that the entry does not declare.
        """
        port = self._source()
        provider: MemoryBackend = port.require()
        if query.mode in (SearchMode.VECTOR, SearchMode.HYBRID):
            self._require(port, port.capabilities.vectors, "supportsVectors")
        if query.as_of is not None:
            self._require(port, port.capabilities.as_of, "supportsAsOf")
        return port.one(SearchPage, "search", await port.call(provider.search, query))

    async def stats(self, namespace: NamespaceSelector | None = None) -> MemoryStats:
        """Count what is there."""
        port = self._source()
        provider: MemoryBackend = port.require()
        return port.one(MemoryStats, "stats", await port.call(provider.stats, namespace))

    async def forget(self, namespace: Namespace, ids: Sequence[str]) -> int:
        """Delete documents so that no byte of their text stays; return how many there were.

        Raises:
            UnsupportedCapability: before any call, when the entry does not declare it.
        """
        port = self._source()
        provider: MemoryBackend = port.require()
        self._require(port, port.capabilities.forget, "supportsForget")
        return port.one(int, "forget", await port.call(provider.forget, namespace, ids))

    async def scan(
        self,
        namespace: NamespaceSelector,
        *,
        filter: Filter | None = None,  # noqa: A002  the backend's own word
        after: str | None = None,
    ) -> AsyncIterator[StoredDoc]:
        """Iterate over documents by (namespace, id).

        Raises:
            UnsupportedCapability: when the entry does not declare it.
        """
        port = self._source()
        provider: MemoryBackend = port.require()
        self._require(port, port.capabilities.scan, "supportsScan")
        found = provider.scan(namespace, filter=filter, after=after)
        async for stored in found:
            yield stored

    async def namespaces(self, prefix: Namespace = (), *, limit: int = 1000) -> Sequence[Namespace]:
        """Return the namespaces below a prefix, sorted."""
        port = self._source()
        provider: MemoryBackend = port.require()
        return port.many(tuple, "namespaces", await port.call(provider.namespaces, prefix, limit=limit))

    async def flush(self, *, vectors: bool = False) -> None:
        """Return when everything written before is in the index; with ``vectors`` also in every mode's.

        Vectors take as long as they take: a flush of them has no deadline while texts get theirs.

        Raises:
            StorageUnavailable: when they do not get on; what waits goes on waiting.
        """
        port = self._source()
        provider: MemoryBackend = port.require()
        if vectors and port.capabilities.vectors:
            await flush_vectors(port)
        else:
            await port.call(provider.flush, vectors=vectors)

    async def reindex(self, part: IndexPart = IndexPart.ALL) -> AsyncIterator[Progress]:
        """Build an index again from the stored texts while searches go on.

        Raises:
            UnsupportedCapability: when this memory cannot.
        """
        provider: MemoryBackend = self._source().require()
        async for progress in provider.reindex(part):
            yield progress

    async def maintain(self, budget: float) -> None:
        """Do what makes searches faster or files smaller, for about ``budget`` seconds, or what one call may take."""
        port = self._source()
        provider: MemoryBackend = port.require()
        await port.call(provider.maintain, min(budget, longest(port)))
