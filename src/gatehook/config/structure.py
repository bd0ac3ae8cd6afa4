"""The merged tables as a ``Config``: every unknown key, wrong type and bad value, all at once."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from gatehook.config.auth import AuthConfig
from gatehook.config.auth import IncompleteAuth
from gatehook.config.layers import Merged
from gatehook.config.layers import fold
from gatehook.config.lines import Key
from gatehook.config.memory import FolderConfig
from gatehook.config.memory import NewsConfig
from gatehook.config.memory import RetentionConfig
from gatehook.config.memory import misfits
from gatehook.config.model import BESIDE_SECTIONS
from gatehook.config.model import SECTIONS
from gatehook.config.model import Config
from gatehook.config.model import EntryConfig
from gatehook.config.readers import ID_RULE
from gatehook.config.readers import LONGEST_ID
from gatehook.config.readers import BadValue
from gatehook.config.readers import Reader
from gatehook.config.readers import WrongType
from gatehook.config.readers import is_account
from gatehook.config.readers import is_id
from gatehook.config.readers import type_name
from gatehook.config.settings import settings_of
from gatehook.config.sources import Layer
from gatehook.config.sources import Sources
from gatehook.config.sources import dotted
from gatehook.config.trading import LimitsConfig
from gatehook.config.trading import PermissionRule
from gatehook.config.trees import frozen
from gatehook.diagnostics import Code
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import config as codes

_ENTRIES = ("plugins", "entries")
#: What stands in a section and is none of its settings.
_INSIDE = {"plugins": ("entries",), "memory": ("folders", "news", "retention")}
_SCOPE_RULE = 'a table for an entry, like [limits."paper"], or for an account, like [limits."paper/main"]'


def structure(merged: Merged, cwd: Path) -> Config:
    """Build the configuration.

    Raises:
        GatehookError: with everything that is wrong.
    """
    tree = merged.tree
    builder = _Builder(merged.sources, cwd, list(merged.problems))
    builder.refuse_unknown(tree, (), [*SECTIONS, *BESIDE_SECTIONS])
    values = {
        name: builder.values(section, tree.get(name, {}), (name,), beside=_INSIDE.get(name, ()))
        for name, section in SECTIONS.items()
    }
    plugins = tree.get("plugins", {})
    if isinstance(plugins, Mapping):
        values["plugins"]["entries"] = builder.entries(plugins.get("entries", {}))
    values["memory"] |= builder.memory(tree.get("memory", {}))
    limits, permissions = builder.limits(tree.get("limits", {})), builder.permissions(tree.get("permissions", []))
    if builder.problems:
        raise GatehookError(*builder.problems)
    sections = {name: section(**values[name]) for name, section in SECTIONS.items()}
    return Config(
        **sections,
        limits=limits,
        permissions=permissions,
        layers=merged.layers,
        raw=frozen(tree),
        sources=merged.sources,
    )


@attrs.frozen
class _Builder:
    """Reads tables and collects what is wrong."""

    sources: Sources
    cwd: Path
    problems: list[Diagnostic]

    def report(self, code: Code, key: Key, **facts: Any) -> None:
        """Note what is wrong with a key: in the file with its line, else with the layer it came from."""
        source = self.sources.of(key)
        origin = None if source.layer is Layer.FILE else str(source)
        self.problems.append(code(path=source.path, line=source.line, origin=origin, key=dotted(key), **facts))

    def table(self, value: Any, key: Key) -> Mapping[str, Any]:
        """Return a table, or an empty one in place of what is none."""
        if isinstance(value, Mapping):
            return value
        self.report(codes.WRONG_TYPE, key, expected="a table", found=type_name(value))
        return {}

    def refuse_unknown(self, table: Mapping[str, Any], key: Key, known: Iterable[str]) -> None:
        """Report keys that are no settings."""
        names = list(known)
        for name in table:
            if name not in names:
                self.report(codes.UNKNOWN_KEY, (*key, name), hint=did_you_mean(name[:LONGEST_ID], names))

    def values(self, section: type, raw: Any, key: Key, beside: tuple[str, ...] = ()) -> dict[str, Any]:
        """Read the settings of a section, by attribute; defaults are left to the section."""
        table = self.table(raw, key)
        settings = settings_of(section)
        self.refuse_unknown(table, key, [*(one.key for one in settings), *beside])
        values: dict[str, Any] = {}
        for one in settings:
            here = (*key, one.key)
            if one.key not in table:
                continue
            try:
                value = Reader(one.about, self._base_of(here)).read(table[one.key])
                values[one.attribute] = _words(one.about.choices_type, value) if one.about.choices_type else value
            except WrongType as wrong:
                self.report(codes.WRONG_TYPE, here, expected=wrong.expected, found=wrong.found)
            except BadValue as bad:
                self.report(codes.BAD_VALUE, here, expected=bad.expected, hint=bad.hint)
        return values

    def entries(self, raw: Any) -> Mapping[str, EntryConfig]:
        """Read ``[plugins.entries.*]``."""
        found: dict[str, EntryConfig] = {}
        seen: dict[str, str] = {}
        for entry_id, table in self.table(raw, _ENTRIES).items():
            here = (*_ENTRIES, entry_id)
            if not is_id(entry_id):
                self.report(codes.BAD_VALUE, here, expected=ID_RULE, hint="")
            elif (twin := seen.setdefault(fold(entry_id), entry_id)) != entry_id:
                self.report(codes.LOOK_ALIKE, here, first=twin, second=entry_id)
            else:
                values = self.values(EntryConfig, table, here, beside=("auth",))
                given = table.get("auth") if isinstance(table, Mapping) else None
                auth = None if given is None else self.auth(given, (*here, "auth"))
                found[entry_id] = EntryConfig(entry_id=entry_id, auth=auth, sources=self.sources, **values)
        return MappingProxyType(found)

    def auth(self, raw: Any, key: Key) -> AuthConfig | None:
        """Read ``[plugins.entries.ENTRY.auth]``; ``None`` where it is reported."""
        before = len(self.problems)
        values = self.values(AuthConfig, raw, key)
        if len(self.problems) > before:
            return None
        try:
            return AuthConfig(**values)
        except IncompleteAuth as incomplete:
            self.report(codes.BAD_VALUE, (*key, incomplete.key), expected=incomplete.expected, hint="")
            return None

    def limits(self, raw: Any) -> Mapping[str, LimitsConfig]:
        """Read ``[limits."ENTRY"]`` and ``[limits."ENTRY/ACCOUNT"]``."""
        found: dict[str, LimitsConfig] = {}
        for scope, table in self.table(raw, ("limits",)).items():
            here = ("limits", scope)
            entry_id, slash, account = str(scope).partition("/")
            if is_id(entry_id) and (is_account(account) if slash else True):
                found[scope] = LimitsConfig(scope=scope, **self.values(LimitsConfig, table, here))
            else:
                self.report(codes.BAD_VALUE, here, expected=_SCOPE_RULE, hint="")
        return MappingProxyType(found)

    def permissions(self, raw: Any) -> tuple[PermissionRule, ...]:
        """Read ``[[permissions]]``."""
        return tuple(PermissionRule(**one) for one in self.tables(PermissionRule, raw, ("permissions",)))

    def memory(self, raw: Any) -> dict[str, Any]:
        """Read ``[[memory.folders]]``, ``[[memory.news]]`` and ``[[memory.retention]]``."""
        given = raw if isinstance(raw, Mapping) else {}
        folders = self.tables(FolderConfig, given.get("folders", ()), ("memory", "folders"), needed="path")
        retention = self.tables(
            RetentionConfig, given.get("retention", ()), ("memory", "retention"), needed="namespace"
        )
        news = self.tables(NewsConfig, given.get("news", ()), ("memory", "news"), needed="feed")
        made = tuple(FolderConfig(**one) if "path" in one else None for one in folders)
        feeds = tuple(NewsConfig(**one) if "feed" in one else None for one in news)
        rules = tuple(RetentionConfig(**one) if "namespace" in one else None for one in retention)
        for key, expected in misfits(made, feeds, rules):
            self.report(codes.BAD_VALUE, key, expected=expected, hint="")
        return {"folders": made, "news": feeds, "retention": rules}

    def tables(self, section: type, raw: Any, key: Key, *, needed: str | None = None) -> list[dict[str, Any]]:
        """Read the settings of each table in a list; one without what is ``needed`` is reported."""
        if not isinstance(raw, list | tuple):
            self.report(codes.WRONG_TYPE, key, expected="a list of tables", found=type_name(raw))
            return []
        for at, table in enumerate(raw):
            if needed is not None and isinstance(table, Mapping) and needed not in table:
                self.report(codes.BAD_VALUE, (*key, str(at)), expected=f"a table with {needed}", hint="")
        return [self.values(section, table, (*key, str(at))) for at, table in enumerate(raw)]

    def _base_of(self, key: Key) -> Path:
        """Relative paths in a file are relative to it."""
        path = self.sources.of(key).path
        return self.cwd if path is None else path.absolute().parent


def _words(choices: type[StrEnum], value: Any) -> Any:
    """Return a word, or a list of them, as the words of a setting."""
    return choices(value) if isinstance(value, str) else tuple(choices(one) for one in value)
