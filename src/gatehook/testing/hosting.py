"""Hosts for tests: they discover nothing by themselves, and keep their data in the test's directory."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from gatehook.catalog.consent import ConsentStore
from gatehook.catalog.places import Places
from gatehook.catalog.places import builtin_directory
from gatehook.context import Clock
from gatehook.host import PluginHost
from gatehook.host.host import EmbeddedPlugin


@attrs.frozen
class HostMaker:
    """Makes hosts over one data directory below ``folder``."""

    folder: Path

    @property
    def data_dir(self) -> Path:
        """Where the hosts keep their data."""
        return self.folder / "data"

    def __call__(
        self,
        *,
        paths: Sequence[Path | str] = (),
        plugins: Sequence[EmbeddedPlugin] = (),
        builtin: bool = False,
        installed: Sequence[str] = (),
        config: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
    ) -> PluginHost:
        """Make a host; it starts when its ``async with`` block is entered.

        ``installed`` names plugins of installed distributions, which are given the consent they need. ``config`` is
        like the file; ``gateway.data_dir`` is set here, and the memory slot is empty unless it is named.
        """
        places = Places(
            builtin=builtin_directory() if builtin else None,
            dev=tuple(Path(path).absolute() for path in paths),
            installed=bool(installed),
        )
        given: dict[str, Any] = dict(config or {})
        given["gateway"] = {"data_dir": str(self.data_dir)} | given.get("gateway", {})
        given["plugins"] = {"slots": {"memory": "none"}} | given.get("plugins", {})
        host = PluginHost.from_config(given, plugins=plugins, places=places, clock=clock)
        if not installed:
            return host
        for candidate in host.plan.candidates:
            if candidate.id in installed:
                ConsentStore(self.data_dir / "consent.json").grant(candidate)
        return PluginHost.from_config(given, plugins=plugins, places=places, clock=clock)
