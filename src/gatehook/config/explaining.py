"""What a setting is: its value, where that came from, and what the settings there are do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

from gatehook.config.auth import AuthConfig
from gatehook.config.layers import parse_key
from gatehook.config.lines import Key
from gatehook.config.memory import FolderConfig
from gatehook.config.memory import NewsConfig
from gatehook.config.memory import RetentionConfig
from gatehook.config.model import BESIDE_SECTIONS
from gatehook.config.model import SECTIONS
from gatehook.config.model import Config
from gatehook.config.model import EntryConfig
from gatehook.config.model import Explanation
from gatehook.config.plugin_config import masked
from gatehook.config.settings import Named
from gatehook.config.settings import settings_of
from gatehook.config.sources import Layer
from gatehook.config.sources import dotted
from gatehook.config.trading import LimitsConfig
from gatehook.config.trading import PermissionRule
from gatehook.config.trees import get
from gatehook.config.trees import plain
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import config as codes
from gatehook.kinds.kind import KINDS
from gatehook.secrets import MASK
from gatehook.secrets import is_secret_name

_PARAMETER: Final = re.compile(r"([?&;#]([^=&;#]*)=)([^&;#]*)")


@attrs.frozen(kw_only=True)
class Row:
    """A setting as the reference page shows it.

    Attributes:
        key: dotted; ``<entry>`` stands for an entry's id, ``<scope>`` for ``ENTRY`` or ``ENTRY/ACCOUNT``,
            ``<rule>`` for the place of a rule in the list, from 0.
        shape: what its value looks like.
        default: in words, or as JSON.
        restart: whether a change needs a restart.
    """

    key: str
    shape: str
    default: Any
    summary: str
    restart: bool
    choices: tuple[str, ...] = ()


def reference() -> tuple[Row, ...]:
    """Return every setting of the core, in the order of the sections."""
    rows = [_row((name,), one) for name, section in SECTIONS.items() for one in settings_of(section)]
    inner = (
        (("plugins", "entries", "<entry>"), EntryConfig),
        (("plugins", "entries", "<entry>", "auth"), AuthConfig),
        (("memory", "folders", "<folder>"), FolderConfig),
        (("memory", "news", "<feed>"), NewsConfig),
        (("memory", "retention", "<rule>"), RetentionConfig),
        (("limits", "<scope>"), LimitsConfig),
        (("permissions", "<rule>"), PermissionRule),
    )
    return (*rows, *(_row(table, one) for table, section in inner for one in settings_of(section)))


def _row(section: Key, named: Named) -> Row:
    return Row(
        key=".".join((*section, named.key)),
        shape=str(named.about.shape),
        default=named.about.shown or plain(named.default),
        summary=named.about.summary,
        restart=named.about.restart,
        choices=named.about.choices,
    )


def shown(config: Config, schemas: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """Return the configuration that applies as plain JSON, defaults included, secrets masked.

    Args:
        config: the configuration.
        schemas: the configSchema of each plugin by id; without one a secret is known by its name alone.
    """
    found: dict[str, Any] = {name: _section(getattr(config, name)) for name in SECTIONS}
    found["plugins"]["entries"] = {
        entry_id: {
            **_section(entry),
            "url": _presentable(entry.url),
            "config": masked(entry, (schemas or {}).get(entry.plugin_id, {})),
            "auth": None if entry.auth is None else _section(entry.auth),
        }
        for entry_id, entry in config.plugins.entries.items()
    }
    found["limits"] = {scope: _section(one) for scope, one in config.limits.items()}
    found["memory"]["folders"] = [_section(one) for one in config.memory.folders]
    found["memory"]["news"] = [_section(one) for one in config.memory.news]
    found["memory"]["retention"] = [_section(one) for one in config.memory.retention]
    found["permissions"] = [_section(one) for one in config.permissions]
    slots = {spec.slot: spec.default_entry for spec in KINDS.values() if spec.slot}
    found["plugins"]["slots"] = {**slots, **found["plugins"]["slots"]}
    return found


def _presentable(url: str | None) -> str | None:
    """Mask the parameters of an address that have a secret's name."""
    if url is None:
        return None
    return _PARAMETER.sub(lambda found: found[1] + (MASK if is_secret_name(found[2]) else found[3]), url)


def _section(section: Any) -> dict[str, Any]:
    return {
        one.key: plain(getattr(section, one.attribute)) for one in settings_of(type(section)) if one.key != "config"
    }


def explain(config: Config, key: str, schemas: Mapping[str, Mapping[str, Any]] | None = None) -> Explanation:
    """Say what a dotted key is and where its value came from; ``Config.explain`` calls this.

    Raises:
        GatehookError: when there is no such key.
    """
    steps = parse_key(key) or (key,)
    everything = shown(config, schemas)
    for entry in everything["plugins"]["entries"].values():
        entry["auth"] = entry["auth"] or dict.fromkeys(one.key for one in settings_of(AuthConfig))
    try:
        value = get(everything, steps)
    except KeyError:
        known = [row.key for row in reference()]
        raise GatehookError(codes.UNKNOWN_KEY(key=dotted(steps), hint=did_you_mean(key[:200], known))) from None
    source = config.sources.of(steps)
    if not _is_given(config, steps):
        source = attrs.evolve(source, layer=Layer.DEFAULTS, path=None, line=None, name="")
    return Explanation(
        key=dotted(steps),
        value=value,
        layer=source.layer,
        origin="" if source.layer is Layer.DEFAULTS else str(source),
        path=source.path,
        line=source.line,
        restart_needed=_needs_restart(steps),
    )


def _is_given(config: Config, steps: Key) -> bool:
    try:
        get(config.raw, steps)
    except KeyError:
        return False
    return True


#: What stands in a section and is none of its settings.
_BESIDE: Final = frozenset({"entries", "folders", "news", "retention"})


def _needs_restart(steps: Key) -> bool:
    """A table needs one when any setting in it does."""
    if steps[0] in BESIDE_SECTIONS:
        return True
    section = SECTIONS.get(steps[0])
    named = settings_of(section) if section else ()
    return any(one.about.restart for one in named if len(steps) == 1 or one.key == steps[1]) or bool(
        _BESIDE & set(steps[1:2])
    )
