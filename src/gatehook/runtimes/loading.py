"""python.module: one load of one plugin, from the module to what it implements.

Everything here runs on a loader thread. A load either returns a ``LoadedPlugin`` that is right as a whole, or raises
``GatehookError`` with everything that is wrong; nothing is committed in between.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import attrs

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import runtime as codes
from gatehook.kinds.kind import Kind
from gatehook.runtimes.compare import compare
from gatehook.runtimes.registration import Collector
from gatehook.runtimes.scan import Implementation
from gatehook.runtimes.scan import Unmarked
from gatehook.runtimes.scan import scan

if TYPE_CHECKING:
    from gatehook.catalog.manifest import Manifest


@attrs.frozen(kw_only=True)
class LoadedPlugin:
    """What one load gave: an implementation for each declared kind, wrappers it was granted, observers."""

    plugin_id: str
    manifest: Manifest
    providers: Mapping[Kind, Implementation]
    wrappers: tuple[Implementation, ...]
    observers: tuple[Implementation, ...]


def load_plugin(manifest: Manifest, fetch: Callable[[], object], *, root: Path | None = None) -> LoadedPlugin:
    """Load a plugin: ``fetch`` imports its module (or returns the embedded object), ``register`` is called once.

    Raises:
        GatehookError: for an import or a ``register`` that fails, and for every hook that is not as declared.
    """
    plugin = _fetch(manifest, fetch, root)
    collector = Collector(manifest)
    _register(manifest, plugin, collector)
    found: list[Implementation | Unmarked] = []
    for part in (plugin, *collector.added):
        found += scan(part)
    comparison = compare(manifest, found)
    if comparison.diagnostics:
        raise GatehookError(*comparison.diagnostics)
    return LoadedPlugin(
        plugin_id=manifest.id,
        manifest=manifest,
        providers=comparison.providers,
        wrappers=comparison.wrappers,
        observers=comparison.observers,
    )


def _fetch(manifest: Manifest, fetch: Callable[[], object], root: Path | None) -> object:
    try:
        return fetch()
    except GatehookError:
        raise
    except BaseException as error:  # SystemExit and KeyboardInterrupt of a module are its failure
        raise GatehookError(_import_failed(manifest.id, error, root)) from error


def _import_failed(plugin_id: str, error: BaseException, root: Path | None) -> Diagnostic:
    path, line = _where(error, root)
    return codes.IMPORT_FAILED(plugin=plugin_id, path=path, line=line, error=describe(error))


def _where(error: BaseException, root: Path | None) -> tuple[Path | None, int | None]:
    if isinstance(error, SyntaxError) and error.filename:
        return Path(error.filename), error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if root is not None and Path(one.filename).is_relative_to(root)]
    return (Path(own[-1].filename), own[-1].lineno) if own else (root, None)


def describe(error: BaseException) -> str:
    """Return an error's type and text on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _register(manifest: Manifest, plugin: object, collector: Collector) -> None:
    register: Any = getattr(plugin, "register", None)
    if not callable(register):
        return
    try:
        _refuse_awaitable(register(collector))
    except BaseException as error:
        code = inspect.unwrap(register).__code__ if inspect.isroutine(register) else None
        place = (None, None) if code is None else (Path(code.co_filename), code.co_firstlineno)
        raise GatehookError(
            codes.REGISTER_FAILED(plugin=manifest.id, path=place[0], line=place[1], error=describe(error))
        ) from error


def _refuse_awaitable(result: object) -> None:
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError("register returned an awaitable; it is an ordinary function")
