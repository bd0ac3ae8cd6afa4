"""The gateway: a plugin host, its prices on the bus, its orders in the memory, its control socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Sequence
from contextlib import AsyncExitStack
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any
from typing import Final
from typing import Self

import anyio

from gatehook.clocks import ReplayClock
from gatehook.diagnostics import Severity
from gatehook.gateway.brokers import Brokers
from gatehook.gateway.control import ControlServer
from gatehook.gateway.housekeeping import Housekeeping
from gatehook.gateway.indexing.indexer import Indexer
from gatehook.gateway.logs import LogPipe
from gatehook.gateway.methods.table import control_methods
from gatehook.gateway.news import News
from gatehook.gateway.opening import opening_lines
from gatehook.gateway.person import CLI
from gatehook.gateway.prices import Prices
from gatehook.gateway.recorder import Recorder
from gatehook.gateway.remembered_approvals import ApprovalRecorder
from gatehook.gateway.remembered_chat import ChatRecorder
from gatehook.gateway.slot import memory_of_slot
from gatehook.gateway.watch import Watch
from gatehook.host import PluginHost
from gatehook.kinds.orders import Order
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus

GATEWAY: Final = "gateway"
#: How many seconds a replay waits for the streams of the price sources.
_STREAMS_OPEN: Final = 30.0
#: How many seconds a stop waits until the memory has what was said: it is nowhere else.
_LAST_WORDS: Final = 2.0


class Gateway:
    """A gateway that runs while it is entered.

    An example::

        async with Gateway(PluginHost.from_config()) as gateway:
            print(*await gateway.opening())
            await gateway.start_prices()
            await anyio.sleep_forever()

    Attributes:
        host: its plugin host.
        prices_ended: set when every source has come to its end, as a replay does.
    """

    def __init__(self, host: PluginHost, *, log: LogPipe | None = None) -> None:
        """Take a host that is not entered yet."""
        self.host = host
        self.log = log
        self.brokers = Brokers(host, caller=CLI)
        self.prices = Prices(host, caller=GATEWAY)
        self.prices_ended = anyio.Event()
        self._stack = AsyncExitStack()
        self._recorder: Recorder | None = None
        self._news = News(host)
        self._chat = ChatRecorder(host)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.host)
            await stack.enter_async_context(self._services())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # What the block raised passes by; only a cancellation is for the task groups inside.
        if isinstance(exc, anyio.get_cancelled_exc_class()):
            await self._stack.__aexit__(exc_type, exc, traceback)
        else:
            await self._stack.__aexit__(None, None, None)

    @asynccontextmanager
    async def _services(self) -> AsyncIterator[None]:
        data_dir = self.host.config.gateway.data_dir
        self._recorder = Recorder(
            self.host.desk.journal,
            self.host.bus,
            lambda: memory_of_slot(self.host, caller=GATEWAY),
            data_dir,
            self.host.report,
        )
        indexer = Indexer(self.host)
        server = ControlServer(data_dir, control_methods(self, self._recorder, indexer))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._recorder.run)
            tasks.start_soon(ApprovalRecorder(self.host).run)
            tasks.start_soon(self._news.run)
            tasks.start_soon(self._chat.run)
            tasks.start_soon(indexer.run)
            tasks.start_soon(indexer.answer)
            tasks.start_soon(Housekeeping(self.host).run)
            tasks.start_soon(Watch(self.host, self.log).run)
            async with server.serving():
                self.prices.expect_sources()
                tasks.start_soon(self._pump)
                try:
                    yield
                finally:
                    with anyio.move_on_after(_LAST_WORDS, shield=True):
                        await self._remember_published()
            tasks.cancel_scope.cancel()

    async def _pump(self) -> None:
        await self.prices.pump()
        self.prices_ended.set()

    async def opening(self) -> Sequence[str]:
        """Return the opening lines."""
        return await opening_lines(self.host, self.brokers, self.prices)

    async def start_prices(self) -> None:
        """Let a replay run, when everybody who follows it is there; any other source runs already."""
        if isinstance(self.host.clock, ReplayClock):
            await self.prices.opened(_STREAMS_OPEN)
            self.host.clock.start()

    async def remember_everything(self) -> None:
        """Wait until the memory has what the journal has and what was published, or does not work."""
        if self._recorder is not None:
            await self._recorder.catch_up()
        await self._remember_published()

    async def _remember_published(self) -> None:
        await self._chat.catch_up()
        await self._news.catch_up()

    async def open_orders(self) -> list[Order]:
        """Return the orders that are open, those whose outcome is unknown among them."""
        return await self.brokers.orders(open_only=True, limit=10_000)

    def health(self) -> Health:
        """Say how everything is: what runs, and what was left out because something is wrong with it."""
        health = self.host.health()
        errors = [one for one in self.host.plan.diagnostics if one.severity is Severity.ERROR]
        if not errors:
            return health
        reasons = [*health.reasons, *(f"{one.place or one.code}: {one.message}" for one in errors)]
        status = HealthStatus.DEGRADED if health.status is HealthStatus.OK else health.status
        return Health(status=status, reasons=reasons)

    def log_state(self) -> dict[str, Any]:
        """Return how many lines of the log were lost, and why."""
        return {"lost": 0, "why": ""} if self.log is None else {"lost": self.log.lost, "why": self.log.last_loss}
