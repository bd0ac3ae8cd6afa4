"""Plugins on disk, made to order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatehook.catalog import Places
from gatehook.catalog import Plan
from gatehook.catalog import make_plan
from gatehook.config import config_from

#: What a plugin does that must not run: it leaves a file.
SENTINEL = "import pathlib\npathlib.Path({path!r}).touch()\n"


def manifest_of(plugin_id: str = "sample", **changes: Any) -> dict[str, Any]:
    """A small valid manifest; a change to ``None`` removes the key."""
    manifest = {
        "id": plugin_id,
        "name": "Sample",
        "version": "0.1.0",
        "kinds": ["connector.broker"],
        "entry": {"type": "python.module", "module": "plugin.py"},
        **changes,
    }
    return {key: value for key, value in manifest.items() if value is not None}


@pytest.fixture
def make_plugin() -> Callable[..., Path]:
    def make(
        root: Path, plugin_id: str = "sample", *, text: str | None = None, module: str = "", **changes: Any
    ) -> Path:
        root.mkdir(parents=True, exist_ok=True)
        (root / "plugin.py").write_text(module)
        (root / "plugin.json").write_text(json.dumps(manifest_of(plugin_id, **changes)) if text is None else text)
        return root

    return make


@pytest.fixture
def plan_for(tmp_path: Path) -> Callable[..., Plan]:
    """Make a plan over ``builtin``, ``workspace`` and ``user`` below the temporary directory, and nothing else."""

    def plan(
        plugins: dict[str, Any] | None = None,
        *,
        mode: str = "paper",
        places: dict[str, Any] | None = None,
        **options: Any,
    ) -> Plan:
        config = config_from({"gateway": {"mode": mode, "data_dir": str(tmp_path / "data")}, "plugins": plugins or {}})
        where = {name: tmp_path / name for name in ("builtin", "workspace", "user")}
        return make_plan(config, places=Places(**{**where, **(places or {})}), **options)

    return plan
