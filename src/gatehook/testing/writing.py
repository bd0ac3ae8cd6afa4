"""Plugins as tests write them: from a function's body to a directory on disk."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_plugin(folder: Path, plugin_id: str, module: str | Callable[[], object], **manifest: Any) -> Path:
    """Write ``plugin.json`` and ``plugin.py``; return the folder. Owner and mode are such that it is not blocked."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    facts = {
        "id": plugin_id,
        "name": plugin_id,
        "version": "1.0.0",
        "kinds": ["connector.marketData"],
        "entry": {"type": "python.module", "module": "plugin.py"},
        "configSchema": {"type": "object", "additionalProperties": False},
        "capabilities": {},
    }
    (folder / "plugin.json").write_text(json.dumps(facts | manifest, indent=2), "utf-8")
    (folder / "plugin.py").write_text(source_of(module), "utf-8")
    return folder


def source_of(module: str | Callable[[], object]) -> str:
    """Return source text; of a function, its body."""
    if isinstance(module, str):
        return textwrap.dedent(module)
    lines = textwrap.dedent(inspect.getsource(module)).splitlines(keepends=True)
    (function,) = ast.parse("".join(lines)).body
    assert isinstance(function, ast.FunctionDef), "the module is given as a plain function"
    return textwrap.dedent("".join(lines[function.body[0].lineno - 1 :]))
