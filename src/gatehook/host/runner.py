"""The entries of a running host and their supervisors: starting them, stopping them in order, restarting one."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from gatehook.config.plugin_config import ResolvedConfig
from gatehook.config.plugin_config import resolve_entry
from gatehook.context import PluginStatus
from gatehook.context import RunState
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import host as codes
from gatehook.host.entry import Entry
from gatehook.host.entry import EntrySpec
from gatehook.host.registry import Registry
from gatehook.host.services import Services
from gatehook.host.supervisor import Supervisor
from gatehook.kinds.kind import Kind
from gatehook.orders import Desk

_WITH_INSTRUMENTS = frozenset({Kind.BROKER, Kind.MARKET_DATA})


class Runner:
    """Owns the supervisors' tasks."""

    def __init__(
        self,
        specs: Mapping[str, EntrySpec],
        *,
        services: Services,
        registry: Registry,
        tell: Callable[[PluginStatus], object],
    ) -> None:
        self._services = services
        self._registry = registry
        self._changes = services.changes
        self._supervisors: dict[str, Supervisor] = {}
        self._desk: Desk | None = None
        self._tasks: TaskGroup | None = None
        self._venues: dict[str, str] = {}
        self._stopping = False
        settings = services.settings
        self.entries = {
            entry_id: Entry(
                spec,
                timeout=settings.call_timeout,
                now=services.clock.monotonic,
                changes=services.changes,
                redact=services.redactor.redact,
            )
            for entry_id, spec in specs.items()
        }
        for entry in self.entries.values():
            entry.on_change(tell)

    def open(self, tasks: TaskGroup, desk: Desk) -> None:
        """Give it the tasks and the desk of the running host."""
        self._tasks, self._desk = tasks, desk

    @property
    def running(self) -> Sequence[Entry]:
        """The entries that have a supervisor."""
        return [supervisor.entry for supervisor in self._supervisors.values()]

    def entry(self, entry_id: str, kind: Kind) -> Entry | None:
        """Return an entry that provides the kind, or could."""
        entry = self.entries.get(entry_id)
        return entry if entry is not None and kind in entry.ports else None

    def fitting(self, kind: Kind) -> Sequence[str]:
        """Return the entries that provide the kind, or could."""
        return [entry_id for entry_id, entry in self.entries.items() if kind in entry.ports]

    # --- starting

    async def start_all(self) -> None:
        """Start every entry with an active kind; returns when each first start is decided."""
        wanted = [entry for entry in self.entries.values() if entry.kinds]
        supervisors = [self._supervise(entry) for entry in wanted]
        configured = await self._configure(supervisors)
        begun = self._registry.begin([one.entry.plugin_id for one in configured])
        self._spawn(partial(self._registry.finish, begun, deadline=self._services.settings.start_timeout), "loading")
        for supervisor in supervisors:
            self._launch(supervisor)
        await self._changes.wait_until(lambda: all(entry.settled for entry in wanted))

    async def _configure(self, supervisors: Sequence[Supervisor]) -> Sequence[Supervisor]:
        """Resolve the configurations; a secret's store that hangs is left to the entries that need it."""
        configured: list[Supervisor] = []

        def work() -> None:
            configured.extend(one for one in supervisors if not isinstance(one.configure(), GatehookError))

        with anyio.move_on_after(self._services.settings.start_timeout):
            await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        return tuple(configured)

    def _supervise(self, entry: Entry) -> Supervisor:
        return Supervisor(
            entry,
            partial(self._resolve, entry.spec),
            services=self._services,
            registry=self._registry,
            desk=self._desk,
            entries=self.entries,
        )

    def _launch(self, supervisor: Supervisor) -> None:
        # Known from here on, and not before: whoever stops it waits for the end of its task.
        self._supervisors[supervisor.entry.entry_id] = supervisor
        self._spawn(supervisor.run, supervisor.entry.entry_id)

    def _spawn(self, function: Callable[[], Any], name: str) -> None:
        assert self._tasks is not None, "the host is running"
        self._tasks.start_soon(function, name=f"gatehook {name}")

    def _resolve(self, spec: EntrySpec) -> ResolvedConfig:
        self._claim_venue(spec)
        return resolve_entry(spec.config, spec.manifest.config_schema, redactor=self._services.redactor)

    def _claim_venue(self, spec: EntrySpec) -> None:
        if _WITH_INSTRUMENTS.isdisjoint(spec.manifest.kinds):
            return
        first = self._venues.setdefault(spec.venue, spec.entry_id)
        if first != spec.entry_id:
            raise GatehookError(
                codes.VENUE_TAKEN(plugin=spec.plugin_id, entry=spec.entry_id, first=first, venue=spec.venue)
            )

    # --- one entry

    async def restart(self, entry: Entry) -> None:
        """Start a new generation; returns when its start is decided. While the host stops nothing is restarted."""
        if not self._stopping:
            self._supervisors[entry.entry_id].restart()
            await self._changes.wait_until(lambda: entry.settled)

    async def begin(self, entry: Entry, kind: Kind) -> None:
        """Let an entry provide one more kind; returns when its start is decided."""
        entry.kinds.add(kind)
        if entry.entry_id in self._supervisors:
            await self.restart(entry)
        elif not self._stopping:
            entry.set(RunState.STARTING)
            self._launch(self._supervise(entry))
            await self._changes.wait_until(lambda: entry.settled)

    async def end(self, entry: Entry, kind: Kind) -> None:
        """Let an entry provide one kind less; with its last kind it stops."""
        entry.kinds.discard(kind)
        if entry.kinds:
            await self.restart(entry)
        else:
            await self._stop([entry])

    # --- stopping

    async def stop_all(self) -> None:
        """Stop every entry, by rank, each after the entries that use it."""
        self._stopping = True
        while self._supervisors:
            await self._stop(self._next_to_stop())

    def _next_to_stop(self) -> Sequence[Entry]:
        used = {one for entry in self.running for one in entry.spec.uses}
        free = [entry for entry in self.running if entry.entry_id not in used] or self.running
        rank = min(entry.stop_rank for entry in free)
        return [entry for entry in free if entry.stop_rank == rank]

    async def _stop(self, entries: Iterable[Entry]) -> None:
        stopped = [self._supervisors[one.entry_id] for one in entries if one.entry_id in self._supervisors]
        for supervisor in stopped:
            supervisor.stop()
        await self._changes.wait_until(lambda: all(one.ended for one in stopped))
        for supervisor in stopped:
            self._supervisors.pop(supervisor.entry.entry_id, None)
