"""Loading one plugin from source text, without a host."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehook import GatehookError
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.manifest import Permissions
from gatehook.catalog.manifest import PythonModule
from gatehook.kinds.kind import Kind
from gatehook.runtimes import LoadedPlugin
from gatehook.runtimes import LoadRequest
from gatehook.runtimes import PythonRuntime
from gatehook.runtimes.python import outcome

HOOK = """
from gatehook import hookimpl

@hookimpl
def provide_market_data(context):
    return None
"""


def manifest(plugin_id: str = "quotes", kinds: tuple[Kind, ...] = (Kind.MARKET_DATA,), **keys: Any) -> Manifest:
    return Manifest(id=plugin_id, name=plugin_id, version="1", kinds=kinds, entry=PythonModule("plugin.py"), **keys)


def wrapping(*kinds: Kind) -> Permissions:
    return Permissions(wrap=kinds)


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    return root


def request(root: Path, about: Manifest | None = None, **keys: Any) -> LoadRequest:
    keys.setdefault("module", "plugin.py")
    return LoadRequest(manifest=about or manifest(), origin="user", root=root, **keys)


def load(
    runtime: PythonRuntime, *requests: LoadRequest, deadline: float = 5.0
) -> dict[str, LoadedPlugin | GatehookError]:
    batch = runtime.batch(requests, deadline=deadline)
    found = {}
    while not batch.done:
        found.update({piece.name: outcome(piece, deadline) for piece in batch.next_finished()})
    return found


def load_one(runtime: PythonRuntime, one: LoadRequest, deadline: float = 5.0) -> LoadedPlugin:
    [result] = load(runtime, one, deadline=deadline).values()
    if isinstance(result, GatehookError):
        raise result
    return result
