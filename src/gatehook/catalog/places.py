"""Where plugins are looked for."""

from __future__ import annotations

import os
from pathlib import Path

import attrs

from gatehook.catalog.candidates import Origin
from gatehook.catalog.safe_files import Ownership


@attrs.frozen(kw_only=True)
class Places:
    """The directories of each origin; ``None`` or empty leaves an origin out.

    Attributes:
        config: ``plugins.paths``: each a plugin's directory, or a directory of plugins.
        installed: whether installed distributions are looked at.
        dev: ``--dev``: like ``config``, without consent.
        trusted_uids: who may own plugin files, beside this user and root.
    """

    builtin: Path | None = None
    workspace: Path | None = None
    user: Path | None = None
    config: tuple[Path, ...] = ()
    installed: bool = False
    dev: tuple[Path, ...] = ()
    trusted_uids: frozenset[int] = frozenset()

    def ownership(self, origin: Origin) -> Ownership:
        """Return the rules for an origin's files. What ships with Gatehook is trusted like it, whoever owns it."""
        return Ownership(
            uids=None if origin is Origin.BUILTIN else self.trusted_uids | {0, os.geteuid()},
            hard_links=origin in (Origin.BUILTIN, Origin.INSTALLED),
        )


def builtin_directory() -> Path:
    """Return the directory of the plugins that ship with Gatehook: in the package, or beside ``src`` in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "builtin_plugins"
    return inside if inside.is_dir() else package.parent.parent / "builtin_plugins"
