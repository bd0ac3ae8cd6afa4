"""The configuration as a value: sections, entries, and where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any
from typing import Final

import attrs
import platformdirs

from gatehook.config.auth import AuthConfig
from gatehook.config.memory import MemorySection
from gatehook.config.settings import Shape
from gatehook.config.settings import about
from gatehook.config.sources import Key
from gatehook.config.sources import Layer
from gatehook.config.sources import Source
from gatehook.config.sources import Sources
from gatehook.config.trading import AuditSection
from gatehook.config.trading import LimitsConfig
from gatehook.config.trading import PermissionRule
from gatehook.config.trading import TradingSection
from gatehook.kinds.accounts import Mode


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


def user_data_dir() -> Path:
    """Return where the gateway keeps its data when the configuration does not say."""
    return platformdirs.user_data_path("gatehook", appauthor=False)


def user_config_file() -> Path:
    """Return the user's configuration file, whether it exists or not."""
    return platformdirs.user_config_path("gatehook", appauthor=False) / "gatehook.toml"


class LogLevel(StrEnum):
    """The levels of the standard library's ``logging``, in the file's spelling."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@attrs.frozen(kw_only=True)
class GatewaySection:
    """``[gateway]``."""

    mode: Mode = attrs.field(
        default=Mode.PAPER, metadata=about(Shape.CHOICE, "whose money it is; live must be said", choices=Mode)
    )
    data_dir: Path = attrs.field(
        factory=user_data_dir,
        metadata=about(
            Shape.PATH,
            "where the journal, the state, the logs and the control socket are",
            shown="the user's data directory",
        ),
    )


@attrs.frozen(kw_only=True)
class EntryConfig:
    """``[plugins.entries.<entry>]``: one configured use of a plugin.

    Attributes:
        config: the plugin's own configuration as it was written; secret references are not resolved.
        auth: how a token for its MCP server is got; ``None`` where it asks for none.
        sources: where each value came from.
    """

    entry_id: str
    plugin_id: str = attrs.field(
        default="", metadata=about(Shape.ID, "the plugin this entry uses", shown="the entry's own id", key="plugin")
    )
    enabled: bool = attrs.field(default=True, metadata=about(Shape.SWITCH, "whether the entry runs"))
    venue: str | None = attrs.field(
        default=None,
        metadata=about(Shape.VENUE, "the venue part of its instrument ids", shown="the entry id in capitals"),
    )
    reconcile_every: float | None = attrs.field(
        default=None,
        metadata=about(
            Shape.SECONDS,
            "how often its accounts are compared with the venue, in seconds",
            shown="trading.reconcile_every",
        ),
    )
    requests_per_minute: int | None = attrs.field(
        default=None,
        metadata=about(
            Shape.COUNT,
            "how many requests may leave for its venue in a minute, where that is less than the plugin declares",
            shown="what the plugin declares",
        ),
    )
    url: str | None = attrs.field(
        default=None, repr=False, metadata=about(Shape.URL, "the MCP server, in place of the manifest's")
    )
    config: Mapping[str, Any] = attrs.field(
        factory=_empty, repr=False, metadata=about(Shape.FREE, "the plugin's own configuration")
    )
    auth: AuthConfig | None = None
    sources: Sources = attrs.field(factory=Sources, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.plugin_id:
            object.__setattr__(self, "plugin_id", self.entry_id)

    def key_of(self, pointer: str = "") -> Key:
        """Return the key in the file of a JSON pointer into ``config``."""
        steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
        return ("plugins", "entries", self.entry_id, "config", *steps)

    def line_of(self, pointer: str = "") -> tuple[Path | None, int | None]:
        """Return file and line of a JSON pointer into ``config``, or of the nearest thing around it."""
        source = self.sources.of(self.key_of(pointer))
        return source.path, source.line


@attrs.frozen(kw_only=True)
class PluginsSection:
    """``[plugins]``."""

    enabled: bool = attrs.field(default=True, metadata=about(Shape.SWITCH, "whether any plugin may take part"))
    allow: tuple[str, ...] = attrs.field(
        default=(), metadata=about(Shape.IDS, "when not empty, no other plugin may take part (built-in ones excepted)")
    )
    deny: tuple[str, ...] = attrs.field(
        default=(), metadata=about(Shape.IDS, "plugins that may not take part; stronger than allow")
    )
    paths: tuple[Path, ...] = attrs.field(default=(), metadata=about(Shape.PATHS, "more plugin directories"))
    overrides: Mapping[str, str] = attrs.field(
        factory=_empty, metadata=about(Shape.TEXTS_BY_ID, "which origin or path provides an id that several have")
    )
    locked: bool = attrs.field(
        default=False, metadata=about(Shape.SWITCH, "whether only what `plugins lock` recorded may run")
    )
    blocklist: Path | None = attrs.field(
        default=None, metadata=about(Shape.PATH, "a JSON file of plugin versions known to be bad")
    )
    trusted_uids: tuple[int, ...] = attrs.field(
        default=(), metadata=about(Shape.USER_IDS, "who may own plugin files, beside this user and root")
    )
    slots: Mapping[str, str | tuple[str, ...]] = attrs.field(
        factory=_empty,
        metadata=about(Shape.SLOTS, 'which entry fills a slot: an id, "none", or an order of fall-back', restart=False),
    )
    entries: Mapping[str, EntryConfig] = attrs.field(factory=_empty)


@attrs.frozen(kw_only=True)
class SupervisionSection:
    """``[supervision]``. Times are seconds."""

    start_timeout: float = attrs.field(
        default=30.0, metadata=about(Shape.SECONDS, "how long a provider may take to connect")
    )
    ready_timeout: float = attrs.field(
        default=600.0, metadata=about(Shape.SECONDS, "how long a started provider may take to be ready")
    )
    stop_timeout: float = attrs.field(
        default=5.0, metadata=about(Shape.SECONDS, "how long a provider may take to let go")
    )
    call_timeout: float = attrs.field(default=10.0, metadata=about(Shape.SECONDS, "how long one call may take"))
    backoff_base: float = attrs.field(
        default=0.5, metadata=about(Shape.SECONDS, "the first wait after a failure, before jitter")
    )
    backoff_cap: float = attrs.field(default=60.0, metadata=about(Shape.SECONDS, "the longest wait after a failure"))
    quarantine_failures: int = attrs.field(
        default=5, metadata=about(Shape.COUNT, "failures within the window that quarantine an entry")
    )
    quarantine_window: float = attrs.field(
        default=300.0, metadata=about(Shape.SECONDS, "the window in which failures are counted")
    )


@attrs.frozen(kw_only=True)
class MarketSection:
    """``[market]``. Times are seconds."""

    grace: float = attrs.field(
        default=2.0, metadata=about(Shape.SECONDS, "how long after its end a candle may wait for late ticks")
    )


@attrs.frozen(kw_only=True)
class LoggingSection:
    """``[logging]``."""

    level: LogLevel = attrs.field(
        default=LogLevel.INFO, metadata=about(Shape.CHOICE, "the least severe level", choices=LogLevel)
    )
    max_bytes: int = attrs.field(
        default=10_000_000, metadata=about(Shape.COUNT, "the size in bytes at which a log file is rotated")
    )
    files: int = attrs.field(default=5, metadata=about(Shape.COUNT, "how many rotated log files are kept"))


SECTIONS: Final[Mapping[str, type]] = {
    "gateway": GatewaySection,
    "plugins": PluginsSection,
    "supervision": SupervisionSection,
    "market": MarketSection,
    "trading": TradingSection,
    "audit": AuditSection,
    "memory": MemorySection,
    "logging": LoggingSection,
}

#: What stands beside the sections at the top of the file: a table of tables, and a list of tables.
BESIDE_SECTIONS: Final[Mapping[str, type]] = {"limits": LimitsConfig, "permissions": PermissionRule}


@attrs.frozen(kw_only=True)
class Explanation:
    """A value, where it came from, and whether a change needs a restart.

    Attributes:
        value: plain JSON; a secret is masked, a reference shown as it was written.
        layer: the layer whose value won.
        origin: the variable or the file, in words; empty for a default.
    """

    key: str
    value: Any
    layer: Layer
    origin: str
    path: Path | None
    line: int | None
    restart_needed: bool


@attrs.frozen(kw_only=True)
class Config:
    """The whole configuration: checked, immutable, secret references unresolved.

    Attributes:
        limits: by ``ENTRY`` or ``ENTRY/ACCOUNT``.
        permissions: the rules in their order; the first that matches decides.
        layers: what it was made of, lowest first; ``str()`` of one is for people.
        raw: the merged tables as they were written.
    """

    gateway: GatewaySection = attrs.field(factory=GatewaySection)
    plugins: PluginsSection = attrs.field(factory=PluginsSection)
    supervision: SupervisionSection = attrs.field(factory=SupervisionSection)
    market: MarketSection = attrs.field(factory=MarketSection)
    trading: TradingSection = attrs.field(factory=TradingSection)
    audit: AuditSection = attrs.field(factory=AuditSection)
    memory: MemorySection = attrs.field(factory=MemorySection)
    limits: Mapping[str, LimitsConfig] = attrs.field(factory=_empty)
    permissions: tuple[PermissionRule, ...] = ()
    logging: LoggingSection = attrs.field(factory=LoggingSection)
    layers: tuple[Source, ...] = (Source(layer=Layer.DEFAULTS),)
    raw: Mapping[str, Any] = attrs.field(factory=_empty, repr=False)
    sources: Sources = attrs.field(factory=Sources, eq=False, repr=False)

    @property
    def path(self) -> Path | None:
        """The configuration file, when there is one."""
        return self.sources.path

    def explain(self, key: str, schemas: Mapping[str, Mapping[str, Any]] | None = None) -> Explanation:
        """Say what a dotted key is and where its value came from.

        Args:
            key: as TOML writes it.
            schemas: the configSchema of each plugin by id; without one a secret is known by its name alone.

        Raises:
            GatehookError: when there is no such key.
        """
        from gatehook.config.explaining import explain

        return explain(self, key, schemas)


def entry_at(config: Config, key: Key) -> EntryConfig | None:
    """Return the entry that a key is in; ``None`` when it is in none."""
    section, entry_id = key[:2], key[2:3]
    return config.plugins.entries.get(entry_id[0]) if section == ("plugins", "entries") and entry_id else None
