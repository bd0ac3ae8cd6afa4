"""From hooks to providers: one small pluggy manager for each entry and kind, and the check of what comes back."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import cast

from gatehook.context import PluginContext
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import host as codes
from gatehook.host.calls import call_hook
from gatehook.host.calls import describe
from gatehook.host.calls import is_ours
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Provider
from gatehook.runtimes import Implementation
from gatehook.runtimes import LoadedPlugin
from gatehook.runtimes.scan import manager_of

#: (plugin id, wrapper)
Wrappers = Iterable[tuple[str, Implementation]]


def provide(
    plugin: LoadedPlugin, kinds: Iterable[Kind], wrappers: Mapping[Kind, Wrappers], context: PluginContext
) -> dict[Kind, Provider]:
    """Call the hook of each kind, for this entry alone.

    Raises:
        GatehookError: when a hook raises, or returns anything but a new provider of its kind.
    """
    return {kind: _provide(plugin, kind, wrappers.get(kind, ()), context) for kind in kinds}


def _provide(plugin: LoadedPlugin, kind: Kind, wrappers: Wrappers, context: PluginContext) -> Provider:
    implementation = plugin.providers[kind]
    manager = manager_of(implementation.hook)
    manager.register(implementation.stand_in, plugin.plugin_id)
    for number, (owner, wrapper) in enumerate(wrappers):
        manager.register(wrapper.stand_in, f"{owner} (wrapper {number})")
    hook = getattr(manager.hook, implementation.hook)
    try:
        results = call_hook(plugin.plugin_id, implementation, lambda: hook(context=context))
    except BaseException as error:
        if is_ours(error):
            raise
        raise GatehookError(
            codes.HOOK_FAILED(
                plugin=plugin.plugin_id,
                entry=context.entry_id,
                path=implementation.path,
                line=implementation.line,
                hook=implementation.hook,
                error=describe(error),
            )
        ) from error
    return _checked(plugin, kind, implementation, context.entry_id, results)


def _checked(plugin: LoadedPlugin, kind: Kind, implementation: Implementation, entry: str, results: Any) -> Provider:
    # pluggy leaves None out of the results; a wrapper may return whatever it likes
    found = results[0] if isinstance(results, list) and len(results) == 1 else None if results == [] else results
    expected = KINDS[kind].provider_class()
    if isinstance(found, expected):
        return cast("Provider", found)
    if inspect.iscoroutine(found):
        found.close()
    what = f"an instance of {type(found).__name__}" if found is not None else "None"
    if inspect.isawaitable(found):
        what = f"an awaitable ({type(found).__name__})"
    raise GatehookError(
        codes.WRONG_PROVIDER(
            plugin=plugin.plugin_id,
            entry=entry,
            path=implementation.path,
            line=implementation.line,
            hook=implementation.hook,
            found=what,
            expected=f"an instance of {expected.__module__}.{expected.__name__}",
        )
    )
