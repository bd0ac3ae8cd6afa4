"""The task that owns an entry: it starts it, starts it again when it fails, and lets it go."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from gatehook.config.plugin_config import ResolvedConfig
from gatehook.context import RunState
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import host as codes
from gatehook.host.budget import Backoff
from gatehook.host.budget import FailureBudget
from gatehook.host.calls import describe
from gatehook.host.calls import is_ours
from gatehook.host.context import EntryContext
from gatehook.host.entry import Entry
from gatehook.host.generation import Generation
from gatehook.host.pinning import NeedsPerson
from gatehook.host.readiness import not_ready
from gatehook.host.readiness import watch_readiness
from gatehook.host.registry import Registry
from gatehook.host.services import Services
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import Throttled
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Provider
from gatehook.orders import Desk
from gatehook.runtimes import LoadedPlugin


class Supervisor:
    """Runs one entry until it is told to stop. Requests are flags; only its own task acts on them."""

    def __init__(
        self,
        entry: Entry,
        resolve: Callable[[], ResolvedConfig],
        *,
        services: Services,
        registry: Registry,
        desk: Desk | None,
        entries: Mapping[str, Entry],
    ) -> None:
        """``resolve`` gives the entry's configuration with its secrets; it is asked once, just before the load."""
        self.entry = entry
        #: Whether its task is over.
        self.ended = False
        self._resolve = resolve
        self._services = services
        self._registry = registry
        self._desk = desk
        self._entries = entries
        self._changes = services.changes
        self._config: ResolvedConfig | GatehookError | None = None
        self._generation: Generation | None = None
        self._budget = FailureBudget(services.settings, services.clock.monotonic)
        self._backoff = Backoff(services.settings)
        self._stopping = False
        self._again = False
        self._scope = anyio.CancelScope()
        self._request = anyio.Event()
        self._spent: tuple[Provider, ...] = ()
        self._last_error: BaseException | None = None
        entry.failure = self._provider_raised
        entry.limited = self._rate_limited

    # --- requests

    def stop(self) -> None:
        """Ask it to stop, whatever it is doing; a second request changes nothing."""
        self._stopping = True
        self._interrupt()

    def restart(self) -> None:
        """Ask for a new generation, out of back-off and quarantine too. Failures are forgotten."""
        if not self._stopping:
            self._again = True
            self.entry.set(RunState.STARTING, "restarts")
            self._interrupt()

    def _interrupt(self) -> None:
        self._scope.cancel()
        self._request.set()

    # --- the task

    async def run(self) -> None:
        """Own the entry until ``stop``."""
        try:
            while not self._stopping:
                await self._once()
        finally:
            self.ended = True
            self.entry.rates.allow(self.entry.entry_id, None)
            if self._desk is not None:
                self._desk.real_accounts.release(self.entry.entry_id)
            self.entry.waits_for = None
            self.entry.set(RunState.STOPPED)
            self._changes.notify()

    async def _once(self) -> None:
        self._renew()
        started = self._services.clock.monotonic()
        error = await self._live()
        generation = self._generation
        if generation is not None:
            self._spent = tuple(generation.providers.values())
        if error is not None and not (self._stopping or self._again):
            final = next((one for one in _leaves(error) if isinstance(one, NeedsPerson)), None)
            if generation is None or final is not None:
                self._fail(final or error)
                await self._request.wait()
            else:
                await self._after(error, generation, self._services.clock.monotonic() - started)
        if self._again:
            self._budget.clear()
            self._backoff.reset()
            self._config = None

    def _renew(self) -> None:
        self._scope, self._request = anyio.CancelScope(), anyio.Event()
        self._again, self._generation, self._last_error = False, None, None

    async def _live(self) -> BaseException | None:
        try:
            async with anyio.create_task_group() as tasks:
                try:
                    with self._scope:
                        plugin, config = await self._prepare()
                        await self._start(plugin, config, tasks)
                        await anyio.sleep_forever()
                finally:
                    await self._let_go()
                    tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            # A provider may fail while it is cancelled: only the cancellation goes on up.
            ours, failed = group.split(lambda one: not isinstance(one, BaseExceptionGroup) and is_ours(one))
            if ours is not None:
                raise ours from None
            return _single(failed or group)
        except BaseException as error:
            if is_ours(error):
                raise
            return error
        return self._last_error

    async def _prepare(self) -> tuple[LoadedPlugin, Mapping[str, Any]]:
        entry, registry = self.entry, self._registry
        entry.set(RunState.STARTING)
        config = await self._configured()
        if isinstance(config, GatehookError):
            raise config
        for diagnostic in config.diagnostics:
            self._services.reports.report(diagnostic)
        begun = registry.begin([entry.plugin_id])
        await registry.finish(begun, deadline=self._services.settings.start_timeout)
        plugin = await registry.loaded(entry.plugin_id, sorted(entry.kinds))
        for used in entry.spec.uses:
            await self._wait_for(self._entries[used])
        return plugin, config.values

    async def _configured(self) -> ResolvedConfig | GatehookError:
        if self._config is not None:
            return self._config
        with anyio.fail_after(self._services.settings.start_timeout):
            return await anyio.to_thread.run_sync(self.configure, abandon_on_cancel=True)

    def configure(self) -> ResolvedConfig | GatehookError:
        """Resolve the entry's configuration, once for each start that was asked for. Reading a secret may block."""
        if self._config is None:
            try:
                self._config = self._resolve()
            except GatehookError as error:
                self._config = error
        return self._config

    async def _start(self, plugin: LoadedPlugin, config: Mapping[str, Any], tasks: TaskGroup) -> None:
        context = EntryContext(self.entry.spec, config, self._services)
        self._generation = Generation(self.entry, context, self._services, self._desk)
        self.entry.generation += 1
        self.entry.share(self._services.rates.of(self.entry.entry_id, self.entry.plugin_id, config))
        self.entry.rates.check_open()
        await self._generation.start(plugin, self._registry, tasks, self._spent)
        self._spent = ()
        if self._generation.narrowed:
            self.entry.set(*self._generation.usual_state)
        elif why := not_ready(self.entry):
            self.entry.set(RunState.DEGRADED, why)
            tasks.start_soon(watch_readiness, self.entry, self._services, name=f"{self.entry.entry_id}: readiness")
        else:
            self.entry.set(RunState.ACTIVE)

    async def _let_go(self) -> None:
        generation = self._generation
        if self._stopping or self._again or (generation is not None and generation.serving):
            self.entry.set(RunState.STOPPING)
        if generation is not None:
            await generation.stop()

    def _fail(self, error: BaseException) -> None:
        found = error.diagnostics if isinstance(error, GatehookError) else ()
        for diagnostic in found:
            self._services.reports.report(diagnostic, error)
        self.entry.set(RunState.FAILED, found[0].message if found else describe(error))

    async def _wait_for(self, used: Entry) -> None:
        if not used.serving:
            self.entry.waits_for = used
            self.entry.set(RunState.STARTING, f"waits for {used.entry_id}")
            try:
                await self._changes.wait_until(lambda: used.serving)
            finally:
                self.entry.waits_for = None
        self.entry.set(RunState.STARTING)

    # --- failures

    def _provider_raised(self, what: str, error: BaseException) -> None:
        entry = self.entry
        diagnostic = codes.CALL_FAILED(plugin=entry.plugin_id, entry=entry.entry_id, call=what, error=describe(error))
        self._services.reports.report(diagnostic, error)
        self._budget.count()
        if not (self._budget.spent and entry.serving):
            return
        if self._unknown_orders():  # it stays up, so that cancels and look-ups still get through
            self._cry(f"{self._unknown_orders()} orders of unknown state", error)
        else:
            self._last_error = error
            self._scope.cancel()

    def _rate_limited(self) -> None:
        entry = self.entry
        self._services.reports.report(codes.RATE_LIMITED(plugin=entry.plugin_id, entry=entry.entry_id))

    def _unknown_orders(self) -> int:
        return 0 if self._desk is None else len(self._desk.unknown_orders(self.entry.entry_id))

    async def _open_risk(self) -> str:
        if self._desk is None or Kind.BROKER not in self.entry.kinds:
            return ""
        working = await self._desk.journal.orders(entry_id=self.entry.entry_id, open_only=True)
        held = self._desk.guard.exposure.instruments(self.entry.entry_id)
        found = [f"{len(working)} orders that are not at their end"] if working else []
        return " and ".join([*found, f"positions in {', '.join(map(str, held))}"] if held else found)

    async def _after(self, error: BaseException, generation: Generation, lived: float) -> None:
        entry, settings = self.entry, self._services.settings
        for one in _leaves(error):
            if isinstance(one, RateLimited):
                entry.rate_limited(one)
        self._report(error, generation)
        if not _is_transient(error) and error is not self._last_error:
            self._budget.count()
        if lived > self._backoff.bound and generation.serving:
            self._backoff.reset()
        risk = await self._open_risk() if self._budget.spent else ""
        if risk:
            self._cry(risk, error)
        elif self._budget.spent:
            self._services.reports.report(
                codes.QUARANTINED(
                    plugin=entry.plugin_id,
                    entry=entry.entry_id,
                    count=settings.quarantine_failures,
                    window=f"{settings.quarantine_window:g}",
                    error=describe(error),
                ),
                error,
            )
            entry.set(RunState.QUARANTINED, describe(error))
            await self._request.wait()
            return
        wait = max(self._backoff.next(), entry.rates.rest)
        entry.set(RunState.BACKOFF, describe(error))
        with anyio.move_on_after(wait):
            await self._request.wait()

    def _cry(self, risk: str, error: BaseException) -> None:
        entry = self.entry
        said = codes.BROKER_UNSTEADY(plugin=entry.plugin_id, entry=entry.entry_id, risk=risk, error=describe(error))
        self._services.reports.report(said, error)

    def _report(self, error: BaseException, generation: Generation) -> None:
        if isinstance(error, GatehookError):
            for diagnostic in error.diagnostics:
                self._services.reports.report(diagnostic, error)
            return
        code = codes.CRASHED if generation.serving else codes.START_FAILED
        diagnostic = code(plugin=self.entry.plugin_id, entry=self.entry.entry_id, error=describe(error))
        self._services.reports.report(diagnostic, error)


def _single(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _is_transient(error: BaseException) -> bool:
    kinds = (NotConnected, RateLimited, Throttled, TimeoutError, ConnectionError)
    return all(isinstance(one, kinds) for one in _leaves(error))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error
