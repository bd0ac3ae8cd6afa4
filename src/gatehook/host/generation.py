"""One generation of an entry: its hooks called anew, its providers entered once, and let go in the end."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import anyio
from anyio.abc import TaskGroup

from gatehook.catalog.manifest import ExternalMcp
from gatehook.context import RunState
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import host as codes
from gatehook.host.abandon import Abandonable
from gatehook.host.access import GuardedBroker
from gatehook.host.calls import describe
from gatehook.host.calls import is_ours
from gatehook.host.context import EntryContext
from gatehook.host.entry import Entry
from gatehook.host.negotiation import negotiate
from gatehook.host.pace import slowest
from gatehook.host.providing import provide
from gatehook.host.registry import Registry
from gatehook.host.services import Services
from gatehook.host.sessions import EntrySession
from gatehook.kinds.broker import Broker
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Provider
from gatehook.orders import Desk
from gatehook.runtimes import LoadedPlugin

#: The part of the stop deadline in which calls in flight may end.
DRAIN: Final = 0.5


class Generation:
    """What one start of an entry made."""

    def __init__(self, entry: Entry, context: EntryContext, services: Services, desk: Desk | None) -> None:
        self._session: EntrySession | None = None
        self._entry = entry
        self._context = context
        self._services = services
        self._desk = desk
        self._entered: list[Provider] = []
        self.providers: dict[Kind, Provider] = {}
        self.serving = False
        self._cut_off = False
        self.narrowed: tuple[str, ...] = ()

    async def start(
        self, plugin: LoadedPlugin, registry: Registry, tasks: TaskGroup, spent: Sequence[Provider]
    ) -> None:
        """Open the session, call the hooks, enter what they return, and let calls through.

        Raises:
            TimeoutError: when the start deadline passed.
            GatehookError, Exception: what went wrong; everything that was entered has to be let go by ``stop``.
        """
        limit = self._services.settings.start_timeout
        await self._connect(tasks, limit)
        kinds = sorted(self._entry.kinds)
        self.providers = provide(plugin, kinds, registry.wrappers(), self._context)
        self._refuse_reuse(plugin, spent)
        self._context.open(tasks)
        with anyio.move_on_after(limit) as scope:
            for provider in _distinct(self.providers):
                await Abandonable(provider.__aenter__())
                self._entered.append(provider)
        if scope.cancelled_caught:
            raise TimeoutError(f"__aenter__ did not end within {limit:g} s")
        for kind, provider in self.providers.items():
            self._serve(plugin, kind, provider)
        declared = [port.capabilities for port in self._entry.ports.values()]
        self._entry.rates.allow(self._entry.entry_id, slowest(self._entry.spec.config.requests_per_minute, declared))
        await self._attach(tasks)
        self.serving = True

    async def _connect(self, tasks: TaskGroup, limit: float) -> None:
        if not isinstance(self._entry.spec.manifest.entry, ExternalMcp):
            return
        from gatehook.host.mcp_sessions import session_of

        session = await session_of(self._entry.spec, self._context, self._services, self._session_told)
        if session is not None:
            self._session = session
            await session.start(tasks, limit)
            self._context.attach(session.tools)

    def _session_told(self, why: str) -> None:
        """Say so where the connection is lost, and when it is back: what happened at a venue meanwhile is not known."""
        if not (self.serving and self._entry.serving):
            return
        if why:
            self._cut_off = True
            self._entry.set(RunState.DEGRADED, why)
            return
        self._entry.set(*self.usual_state)
        if self._cut_off and self._desk is not None and Kind.BROKER in self.providers:
            self._desk.reconciliations.reconnected(self._entry.entry_id)
        self._cut_off = False

    @property
    def usual_state(self) -> tuple[RunState, str]:
        """What an entry is whose providers are up: active, or degraded for what it declares and cannot do."""
        if self.narrowed:
            return RunState.DEGRADED, f"cannot do what it declares: {', '.join(self.narrowed)}"
        return RunState.ACTIVE, ""

    def _refuse_reuse(self, plugin: LoadedPlugin, spent: Sequence[Provider]) -> None:
        for kind, provider in self.providers.items():
            if any(provider is one for one in spent):
                implementation = plugin.providers[kind]
                raise GatehookError(
                    codes.WRONG_PROVIDER(
                        plugin=plugin.plugin_id,
                        entry=self._entry.entry_id,
                        path=implementation.path,
                        line=implementation.line,
                        hook=implementation.hook,
                        found="the provider of the last start again",
                        expected="a new one",
                    )
                )

    def _serve(self, plugin: LoadedPlugin, kind: Kind, provider: Provider) -> None:
        declared = plugin.manifest.capabilities.of(kind) or KINDS[kind].capabilities()
        found = negotiate(declared, provider.capabilities())
        narrower = () if provider.narrowed_by_configuration else found.narrower
        for code, keys in ((codes.CAPABILITY_NARROWER, narrower), (codes.CAPABILITY_WIDER, found.wider)):
            if keys:
                self._services.reports.report(
                    code(plugin=plugin.plugin_id, entry=self._entry.entry_id, kind=kind, keys=", ".join(keys))
                )
        self.narrowed += narrower
        self._entry.ports[kind].serve(provider, found.effective)

    async def _attach(self, tasks: TaskGroup) -> None:
        provider = self.providers.get(Kind.BROKER)
        if self._desk is None or not isinstance(provider, Broker):
            return
        allowed = self._context.config.get("allowedAccounts")
        accounts = None if allowed is None else frozenset(str(one) for one in allowed)
        port = self._entry.ports[Kind.BROKER]
        access = GuardedBroker(
            port,
            provider,
            accounts,
            self._services.clock.monotonic,
            reconcile_every=self._entry.spec.config.reconcile_every or self._services.reconcile_every,
        )
        await self._desk.attach(access)
        tasks.start_soon(partial(self._desk.run_events, access), name=f"{self._entry.entry_id}: broker events")

    async def stop(self) -> None:
        """Refuse calls, let those in flight end, let go of the providers; at most for the stop deadline."""
        limit = self._services.settings.stop_timeout
        for port in self._entry.ports.values():
            port.withdraw()
        deadline = anyio.current_time() + limit
        with anyio.move_on_after(limit * DRAIN, shield=True):
            if self._desk is not None and Kind.BROKER in self.providers and self.serving:
                await self._desk.detach(self._entry.entry_id)
            for port in self._entry.ports.values():
                await port.drained()
        for provider in reversed(self._entered):
            await self._let_go(provider, deadline, limit)
        self._entered.clear()
        if self._session is not None:
            await self._session.stop(limit)
        with anyio.move_on_after(1, shield=True):
            await self._context.close()

    async def _let_go(self, provider: Provider, deadline: float, limit: float) -> None:
        error = None
        with anyio.CancelScope(deadline=deadline, shield=True) as scope:
            try:
                await Abandonable(provider.__aexit__(None, None, None))
            except BaseException as raised:
                if is_ours(raised):
                    raise
                error = describe(raised)
        if scope.cancelled_caught:
            error = f"__aexit__ did not end within {limit:g} s"
        if error is not None:
            entry = self._entry
            self._services.reports.report(codes.STOP_FAILED(plugin=entry.plugin_id, entry=entry.entry_id, error=error))


def _distinct(providers: dict[Kind, Provider]) -> list[Provider]:
    found: list[Provider] = []
    for provider in providers.values():
        if not any(provider is one for one in found):
            found.append(provider)
    return found
