"""The plugin host: everything between a configuration and the guarded handles of running plugins.

async with PluginHost.from_config("gatehook.toml") as host:
quote = await host.market_data("simulated").quote(InstrumentId.parse("EURUSD.SIMULATED"))
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from contextlib import AsyncExitStack
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Final
from typing import Self

import anyio

from gatehook.catalog.manifest import Manifest
from gatehook.catalog.places import Places
from gatehook.catalog.plan import Plan
from gatehook.catalog.plan import make_plan
from gatehook.catalog.slots import SLOTS
from gatehook.clocks import SystemClock
from gatehook.config import Config
from gatehook.config import config_from
from gatehook.config import load_config
from gatehook.context import Clock
from gatehook.context import PluginStatus
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import host as codes
from gatehook.events import EventBus
from gatehook.events import FeedEvent
from gatehook.guard.approvals import Approval
from gatehook.guard.approvals import ApprovalState
from gatehook.host.assembly import entry_specs
from gatehook.host.assembly import load_requests
from gatehook.host.credentials import RateBudgets
from gatehook.host.entry import Changes
from gatehook.host.entry import Entry
from gatehook.host.handles import Handle
from gatehook.host.handles import MarketDataHandle
from gatehook.host.handles import MemoryHandle
from gatehook.host.health import current_status
from gatehook.host.health import host_health
from gatehook.host.http import HttpClients
from gatehook.host.lock import DataDirectory
from gatehook.host.logs import PluginLoggers
from gatehook.host.provisional import ChannelHandle
from gatehook.host.provisional import FeedHandle
from gatehook.host.provisional import MarketplaceHandle
from gatehook.host.provisional import NotifierHandle
from gatehook.host.quotes import Quotes
from gatehook.host.registry import Registry
from gatehook.host.reports import Reports
from gatehook.host.runner import Runner
from gatehook.host.services import Services
from gatehook.host.slots import Slots
from gatehook.host.state import StateStore
from gatehook.host.sweeping import sweep_children
from gatehook.host.trading import open_desk
from gatehook.kinds.codec import to_json
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Health
from gatehook.orders import BrokerHandle
from gatehook.orders import Desk
from gatehook.runtimes import PythonRuntime
from gatehook.secrets import Redactor

#: A plugin that a program brings itself: its manifest, and a module or object with hooks.
EmbeddedPlugin = tuple[Manifest | Mapping[str, Any], object]

_HANDLES: Final[Mapping[Kind, type[Handle]]] = {
    Kind.MARKET_DATA: MarketDataHandle,
    Kind.FEED: FeedHandle,
    Kind.MARKETPLACE: MarketplaceHandle,
    Kind.CHANNEL: ChannelHandle,
    Kind.NOTIFIER: NotifierHandle,
    Kind.MEMORY: MemoryHandle,
}


class PluginHost:
    """Runs plugins. Used as an async context manager, once: inside, every entry that could start has started.

    Attributes:
        config: the configuration.
        plan: what was found and decided, before any plugin code ran.
        bus: carries events.
        clock: time.
        redactor: knows every secret that was resolved.
    """

    def __init__(self, config: Config, plan: Plan, *, clock: Clock | None = None) -> None:
        self.config = config
        self.plan = plan
        self.clock = clock or SystemClock()
        self.bus = EventBus(self.clock)
        self.redactor = Redactor()
        self._reports = Reports(self.redactor)
        self._directory = DataDirectory(config.gateway.data_dir)
        self._life: AbstractAsyncContextManager[None] | None = None
        self._desk: Desk | None = None
        self._runner: Runner | None = None
        self._slots: Slots | None = None

    @classmethod
    def from_config(
        cls,
        config: Config | Mapping[str, Any] | Path | str | None = None,
        *,
        plugins: Sequence[EmbeddedPlugin] = (),
        clock: Clock | None = None,
        dev: Sequence[Path] = (),
        no_plugins: bool = False,
        locked: bool = False,
        builtin_dir: Path | None = None,
        places: Places | None = None,
    ) -> Self:
        """Read the configuration and make the plan; no plugin code runs yet.

        ``config`` is a mapping like the file, the path of a file, or ``None`` for the file in its usual places. The
        other arguments are those of ``gatehook.catalog.plan.make_plan``.

        Raises:
            GatehookError: with everything that is wrong with the configuration.
        """
        found = _read(config)
        plan = make_plan(
            found,
            embedded=plugins,
            dev=dev,
            no_plugins=no_plugins,
            locked=locked,
            builtin_dir=builtin_dir,
            places=places,
        )
        return cls(found, plan, clock=clock)

    async def __aenter__(self) -> Self:
        if self._life is not None:
            raise RuntimeError("a host runs once; make another one from the same configuration")
        self._life = self._live()
        await self._life.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        assert self._life is not None, "__aenter__ came before"
        return await self._life.__aexit__(exc_type, exc, traceback)

    @asynccontextmanager
    async def _live(self) -> AsyncIterator[None]:
        failure: BaseException | None = None
        async with AsyncExitStack() as stack:
            self._directory.open()
            stack.callback(self._directory.close)
            await sweep_children(self.config.gateway.data_dir, self.report)
            services, registry = await self._furnish(stack)
            async with anyio.create_task_group() as tasks:
                try:
                    await self._start(services, registry, tasks)
                    yield
                except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001  raised below, out of the group
                    failure = error
                finally:
                    with anyio.CancelScope(shield=True):
                        await self._stop(registry)
                    tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _furnish(self, stack: AsyncExitStack) -> tuple[Services, Registry]:
        loggers = stack.enter_context(PluginLoggers(self.redactor))
        data = self.config.gateway.data_dir
        state = StateStore(data / "state.sqlite", self.report, self.redactor)
        await state.open()
        stack.push_async_callback(state.close)
        self._desk = await stack.enter_async_context(
            open_desk(
                self.config,
                Quotes(lambda: self._runs("asking for a quote").entries),
                clock=self.clock,
                bus=self.bus,
                redactor=self.redactor,
                report=self.report,
            )
        )
        runtime = PythonRuntime()
        runtime.open()
        stack.callback(runtime.close)
        changes = Changes()
        services = Services(
            settings=self.config.supervision,
            clock=self.clock,
            bus=self.bus,
            changes=changes,
            reports=self._reports,
            redactor=self.redactor,
            loggers=loggers,
            state=state,
            directory=self._directory,
            http=HttpClients(),
            rates=RateBudgets(self.clock.monotonic),
            reconcile_every=self.config.trading.reconcile_every,
            handle=lambda entry, kind, caller: self.handle(entry, kind, caller=caller),
        )
        return services, Registry(runtime, self._reports, changes)

    async def _start(self, services: Services, registry: Registry, tasks: anyio.abc.TaskGroup) -> None:
        registry.expect(load_requests(self.plan))
        self._observe(registry)
        runner = Runner(
            entry_specs(self.plan, self.config),
            services=services,
            registry=registry,
            tell=lambda status: self._tell(registry, status),
        )
        assert self._desk is not None, "the host is furnished"
        runner.open(tasks, self._desk)
        self._runner = runner
        self._slots = Slots(self.plan.slots, runner, self.report)
        self._slots.fill()
        for diagnostic in self.plan.diagnostics:
            self.report(diagnostic)
        await runner.start_all()
        await self._slots.settle()
        registry.notify("gateway_started")

    async def _stop(self, registry: Registry) -> None:
        if self._runner is not None:
            registry.notify("gateway_stopping")
            await self._runner.stop_all()

    def _observe(self, registry: Registry) -> None:
        def diagnostic_reported(diagnostic: Diagnostic) -> None:
            self.bus.publish("gateway.diagnostic", diagnostic.to_json(), source="gateway")
            registry.notify("diagnostic_reported", diagnostic=diagnostic)

        def event_published(event: FeedEvent) -> None:
            registry.notify("event_published", event=event)

        def approval_changed(approval: Approval) -> None:
            waits = approval.state is ApprovalState.PENDING
            topic = "approval.requested" if waits else "approval.answered"
            self.bus.publish(topic, to_json(approval), source="gateway", account_id=approval.account.account_id)
            if waits:
                registry.notify("approval_requested", approval=approval)

        self._reports.listen(diagnostic_reported)
        self.bus.on_control(event_published)
        self.desk.guard.approvals.listen(approval_changed)

    def _tell(self, registry: Registry, status: PluginStatus) -> None:
        facts = {"plugin": status.plugin_id, "entry": status.entry_id, "state": str(status.state)}
        self.bus.publish("gateway.plugin", {**facts, "reason": status.reason}, source="gateway")
        registry.notify("plugin_status_changed", status=status)
        if self._slots is not None:
            self._slots.changed(status.entry_id)

    # --- what runs

    @property
    def desk(self) -> Desk:
        """The desk that every order passes.

        Raises:
            GatehookError: while the host is not running.
        """
        desk: Desk = _running(self._desk, "trading")
        return desk

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """Everything that was reported, the oldest first, each once."""
        return self._reports.all

    def report(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic to the host's list; a second time it is only counted."""
        self._reports.report(diagnostic)

    def statuses(self) -> tuple[PluginStatus, ...]:
        """Return the run state of every entry that runs or could fill a slot."""
        return tuple(current_status(entry) for entry in self._runs("asking for run states").entries.values())

    def health(self) -> Health:
        """Say how everything is, at once and without I/O; the reasons name the entries."""
        runner = self._runs("asking for health")
        slots = {slot: self.slot(slot) for slot in SLOTS}
        return host_health(runner.running, self.desk, slots, self.diagnostics)

    def slot(self, slot: str) -> str | None:
        """Return the entry that fills a slot, or ``None`` when it is empty."""
        holder = _running(self._slots, "asking for a slot").holder(slot)
        return None if holder is None else holder.entry_id

    async def use_slot(self, slot: str, entry_id: str) -> None:
        """Let another entry fill a slot, or ``"none"``. The new one starts, then the old one stops.

        Raises:
            GatehookError: when the new one is unknown, or not ready in time; nothing changed then.
        """
        await _running(self._slots, "switching a slot").use(slot, entry_id)

    async def restart(self, entry_id: str) -> PluginStatus:
        """Start an entry anew, out of back-off and quarantine too; returns its state when the start is decided.

        An entry that fills no slot and has nothing else to provide stays idle.

        Raises:
            GatehookError: for an entry that there is not.
        """
        runner = self._runs("restarting an entry")
        entry = self._entry(entry_id, None)
        if entry.kinds:
            await runner.restart(entry)
        return current_status(entry)

    # --- handles

    def broker(self, entry: str = "paper", *, caller: str) -> BrokerHandle:
        """Return a broker entry's handle for a caller; every command goes through the desk.

        Raises:
            GatehookError: when no entry of that id is a broker.
        """
        self._entry(entry, Kind.BROKER)
        return BrokerHandle(self.desk, entry, caller)

    def market_data(self, entry: str, *, caller: str = "embedder") -> MarketDataHandle:
        """Return a market data entry's handle.

        Raises:
            GatehookError: when no entry of that id has market data.
        """
        ports = self._entry(entry, Kind.MARKET_DATA).ports
        return MarketDataHandle(lambda: ports[Kind.MARKET_DATA], caller)

    def memory(self, *, caller: str = "embedder") -> MemoryHandle:
        """Return the handle of whatever fills the slot ``memory`` at the moment of each call."""
        slots = _running(self._slots, "using the memory")
        return MemoryHandle(lambda: slots.port("memory"), caller)

    @asynccontextmanager
    async def memory_beside(self, entry: str, *, caller: str = "embedder") -> AsyncIterator[MemoryHandle]:
        """Run a memory entry while the block does, whoever fills the slot, and yield its handle.

        Raises:
            GatehookError: when no entry of that id is a memory, or it is not ready in time.
        """
        async with _running(self._slots, "using a memory").beside("memory", entry) as found:
            yield MemoryHandle(lambda: found.ports[Kind.MEMORY], caller)

    def handle(self, entry: str, kind: Kind, *, caller: str = "embedder") -> Any:
        """Return an entry's handle of any kind.

        Raises:
            GatehookError: when no entry of that id provides the kind.
        """
        if kind is Kind.BROKER:
            return self.broker(entry, caller=caller)
        ports = self._entry(entry, kind).ports
        return _HANDLES[kind](lambda: ports[kind], caller)

    def _entry(self, entry_id: str, kind: Kind | None) -> Entry:
        entries = self._runs("using an entry").entries
        entry = entries.get(entry_id)
        if entry is None or (kind is not None and kind not in entry.ports):
            fitting = [one for one, other in entries.items() if kind is None or kind in other.ports]
            hint = did_you_mean(entry_id, fitting)
            wanted = "anything" if kind is None else kind
            raise GatehookError(codes.ENTRY_UNKNOWN(entry=entry_id, name=entry_id, kind=wanted, hint=hint))
        return entry

    def _runs(self, what: str) -> Runner:
        runner: Runner = _running(self._runner, what)
        return runner


def _running(part: Any, what: str) -> Any:
    if part is None:
        raise GatehookError(codes.NOT_RUNNING(what=what))
    return part


def _read(config: Config | Mapping[str, Any] | Path | str | None) -> Config:
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        return config_from(config)
    return load_config(None if config is None else Path(config))
