"""Names in the configuration that lead nowhere: a plugin that was removed, a path that is gone."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from gatehook.config.layers import fold
from gatehook.config.model import Config
from gatehook.config.sources import Key
from gatehook.config.sources import dotted
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import config as codes


def dangling_references(config: Config, plugin_ids: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Return a finding for every allow, deny, override, slot, limit, feed, rule, entry and path that names nothing.

    Args:
        config: the configuration.
        plugin_ids: every plugin that was found, in whatever state: a blocked one is there.
    """
    known = sorted(plugin_ids)
    found = [
        _report(config, key, named, "plugin", known)
        for key, named in _plugins_named(config)
        if fold(named) not in {fold(one) for one in known}
    ]
    entries = sorted({*known, *config.plugins.entries})
    found += [
        _report(config, ("plugins", "slots", slot), named, "entry", entries)
        for slot, value in config.plugins.slots.items()
        for named in ((value,) if isinstance(value, str) else value)
        if named != "none" and named not in entries
    ]
    found += [
        _report(config, key, named, "entry", entries) for key, named in _entries_named(config) if named not in entries
    ]
    found += [
        _report(config, ("plugins", "paths", str(at)), str(path), "path", [])
        for at, path in enumerate(config.plugins.paths)
        if not path.exists()
    ]
    return tuple(found)


def _plugins_named(config: Config) -> Iterator[tuple[Key, str]]:
    plugins = config.plugins
    for key, names in (("allow", plugins.allow), ("deny", plugins.deny)):
        yield from ((("plugins", key, str(at)), name) for at, name in enumerate(names))
    yield from ((("plugins", "overrides", name), name) for name in plugins.overrides)
    for entry_id, entry in plugins.entries.items():
        table: Key = ("plugins", "entries", entry_id)
        yield (table if entry.plugin_id == entry_id else (*table, "plugin")), entry.plugin_id


def _entries_named(config: Config) -> Iterator[tuple[Key, str]]:
    yield from ((("limits", scope), scope.partition("/")[0]) for scope in config.limits)
    yield from ((("memory", "news", str(at), "feed"), one.feed) for at, one in enumerate(config.memory.news))
    for at, rule in enumerate(config.permissions):
        if "*" not in rule.entry:
            yield ("permissions", str(at), "entry"), rule.entry


def _report(config: Config, key: Key, named: str, what: str, known: list[str]) -> Diagnostic:
    source = config.sources.of(key)
    shown = key[:-1] if key[-1].isdecimal() else key
    return codes.DANGLING_REFERENCE(
        path=source.path, line=source.line, key=dotted(shown), named=named, what=what, hint=did_you_mean(named, known)
    )
