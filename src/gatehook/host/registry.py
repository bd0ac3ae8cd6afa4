"""What was loaded: each plugin once, all that it contributed committed together; a failure leaves nothing behind."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

import pluggy

from gatehook import hookspecs
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import host as codes
from gatehook.host.calls import describe
from gatehook.host.calls import is_ours
from gatehook.host.entry import Changes
from gatehook.host.reports import Reports
from gatehook.kinds.kind import Kind
from gatehook.runtimes import Implementation
from gatehook.runtimes import LoadedPlugin
from gatehook.runtimes import LoadRequest
from gatehook.runtimes import PythonRuntime
from gatehook.runtimes.scan import PROVIDING
from gatehook.runtimes.scan import HookManager
from gatehook.runtimes.scan import place_of


class Registry:
    """Loads plugins and keeps what they contributed. One pluggy manager holds every observer."""

    def __init__(self, runtime: PythonRuntime, reports: Reports, changes: Changes) -> None:
        self._runtime = runtime
        self._reports = reports
        self._changes = changes
        self._loaded: dict[str, LoadedPlugin | GatehookError] = {}
        self._pending: set[str] = set()
        self._requests: dict[str, LoadRequest] = {}
        self._observers = HookManager(hookspecs.PROJECT)
        self._observers.add_hookspecs(hookspecs)

    def expect(self, requests: Mapping[str, LoadRequest]) -> None:
        """Say which plugins there are; nothing is loaded yet."""
        self._requests.update(requests)

    def begin(self, plugin_ids: Sequence[str]) -> Sequence[LoadRequest]:
        """Mark plugins as being loaded, those that are not yet, or whose load failed; ``finish`` loads them."""
        wanted = [one for one in dict.fromkeys(plugin_ids) if not self._is_known(one)]
        for one in wanted:
            self._loaded.pop(one, None)
        self._pending.update(wanted)
        return [self._requests[one] for one in wanted]

    async def finish(self, begun: Sequence[LoadRequest], *, deadline: float) -> None:
        """Load what was begun."""
        try:
            if begun:
                await self._runtime.load(begun, self._commit, deadline=deadline)
        finally:
            self._pending.difference_update(request.manifest.id for request in begun)

    def _is_known(self, plugin_id: str) -> bool:
        return plugin_id in self._pending or isinstance(self._loaded.get(plugin_id), LoadedPlugin)

    def _commit(self, plugin_id: str, outcome: LoadedPlugin | GatehookError) -> None:
        self._pending.discard(plugin_id)
        self._loaded[plugin_id] = outcome
        if isinstance(outcome, GatehookError):
            for diagnostic in outcome.diagnostics:
                self._reports.report(diagnostic, outcome)
        else:
            for number, observer in enumerate(outcome.observers):
                self._observers.register(observer.stand_in, f"{plugin_id} {number}")
        self._changes.notify()

    async def loaded(self, plugin_id: str, kinds: Sequence[Kind]) -> LoadedPlugin:
        """Wait for a plugin, and for every plugin that may wrap its kinds.

        Raises:
            GatehookError: why it could not be loaded.
        """
        wrapping = {
            one for one, request in self._requests.items() if set(request.manifest.permissions.wrap) & set(kinds)
        }
        await self._changes.wait_until(lambda: plugin_id in self._loaded and not wrapping & self._pending)
        outcome = self._loaded[plugin_id]
        if isinstance(outcome, GatehookError):
            raise outcome
        return outcome

    def wrappers(self) -> Mapping[Kind, Sequence[tuple[str, Implementation]]]:
        """Return the wrappers that were granted, by kind, with the plugin that each belongs to."""
        found: dict[Kind, list[tuple[str, Implementation]]] = {}
        for plugin_id, outcome in self._loaded.items():
            if isinstance(outcome, LoadedPlugin):
                for wrapper in outcome.wrappers:
                    found.setdefault(PROVIDING[wrapper.hook], []).append((plugin_id, wrapper))
        return found

    def notify(self, hook: str, **facts: object) -> None:
        """Call every observer of a hook, each guarded: what one raises is reported, and the others are called."""
        caller: pluggy.HookCaller = getattr(self._observers.hook, hook)
        for implementation in reversed(caller.get_hookimpls()):
            arguments = [facts[name] for name in implementation.argnames]
            try:
                implementation.function(*arguments)
            except BaseException as error:
                if is_ours(error):
                    raise
                self._report_observer(hook, implementation, error)

    def _report_observer(self, hook: str, implementation: pluggy.HookImpl, error: BaseException) -> None:
        plugin_id = implementation.plugin_name.rpartition(" ")[0]
        error.add_note(f"in the hook {hook} of the plugin {plugin_id}")
        path, line = place_of(implementation.function)
        diagnostic: Diagnostic = codes.HOOK_FAILED(
            plugin=plugin_id, path=path, line=line, hook=hook, error=describe(error)
        )
        if hook != "diagnostic_reported":
            self._reports.report(diagnostic, error)
            return
        with self._reports.quiet():
            self._reports.report(diagnostic, error)
