"""The runtime ``python.module``, in process."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import attrs
from anyio import CapacityLimiter

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import runtime as codes
from gatehook.runtimes.importer import Batch
from gatehook.runtimes.importer import LoadTimeout
from gatehook.runtimes.importer import Piece
from gatehook.runtimes.loading import LoadedPlugin
from gatehook.runtimes.loading import load_plugin
from gatehook.runtimes.sources import Files
from gatehook.runtimes.sources import ModuleSource
from gatehook.runtimes.sources import VerifiedBytes
from gatehook.runtimes.space import ModuleSpace

if TYPE_CHECKING:
    from gatehook.catalog.manifest import Manifest

OnLoaded = Callable[[str, LoadedPlugin | GatehookError], None]


@attrs.frozen(kw_only=True)
class LoadRequest:
    """What to load, and from where.

    Attributes:
        module: its file below ``root``; nothing for a plugin whose own process speaks the wire.
        embedded: the object itself, for a plugin that a program passes.
        package: the real package name, for one that pip installed.
        root: its directory, otherwise.
        cached: whether Python's bytecode cache is used: only for what ships with Gatehook.
        files: reads the bytes that were verified, by path below ``root``; without it modules are read from ``root``.
    """

    manifest: Manifest
    origin: str
    module: str
    embedded: object | None = None
    package: str | None = None
    root: Path | None = None
    cached: bool = False
    files: Callable[[], Mapping[str, bytes]] | None = None


class PythonRuntime:
    """Loads plugins' modules under private names, each once, off the event loop and under a deadline."""

    def __init__(self) -> None:
        self._space = ModuleSpace()

    def open(self) -> None:
        """Begin; modules can be found from now on."""
        self._space.open()

    def close(self) -> None:
        """End; every module of a plugin is forgotten."""
        self._space.close()

    async def load(self, requests: Iterable[LoadRequest], on_loaded: OnLoaded, *, deadline: float) -> None:
        """Load plugins one after the other, slow ones beside the others. ``on_loaded`` is called in the event loop with
        each plugin's id and what became of it, as soon as it is known.
        """
        batch = self.batch(requests, deadline=deadline)
        limiter = CapacityLimiter(1)
        try:
            while not batch.done:
                finished = await anyio.to_thread.run_sync(batch.next_finished, limiter=limiter, abandon_on_cancel=True)
                for piece in finished:
                    on_loaded(piece.name, outcome(piece, deadline))
        finally:
            batch.abandon()

    def batch(self, requests: Iterable[LoadRequest], *, deadline: float) -> Batch[LoadedPlugin]:
        """Return the loads as a batch, for a caller without an event loop."""
        pieces = [Piece(request.manifest.id, partial(self._load, request)) for request in requests]
        return Batch(pieces, deadline=deadline)

    def _load(self, request: LoadRequest) -> LoadedPlugin:
        return load_plugin(request.manifest, partial(self._fetch, request), root=request.root)

    def _fetch(self, request: LoadRequest) -> object:
        if request.embedded is not None:
            return request.embedded
        if not request.module:
            from gatehook.runtimes.wired import wire_plugin

            return wire_plugin(request.manifest)
        assert request.root is not None, "a plugin that is no object has a directory"
        source = _source(request, request.root)
        if request.package is not None:
            self._space.claim(request.package, source)
            return self._space.load(request.package, request.module)
        return self._space.load(self._space.add(request.origin, request.manifest.id, source), request.module)


def outcome(piece: Piece[LoadedPlugin], deadline: float) -> LoadedPlugin | GatehookError:
    """Return what a finished piece gave: the plugin, or what was wrong with it."""
    if piece.result is not None:
        return piece.result
    if isinstance(piece.error, GatehookError):
        return piece.error
    if isinstance(piece.error, LoadTimeout):
        return GatehookError(codes.IMPORT_TIMEOUT(plugin=piece.name, seconds=f"{deadline:g}"))
    error = GatehookError(codes.IMPORT_FAILED(plugin=piece.name, error=repr(piece.error)))
    error.__cause__ = piece.error
    return error


def _source(request: LoadRequest, root: Path) -> ModuleSource:
    if request.files is None:
        return Files(root, bytecode=request.cached)
    return VerifiedBytes(root, request.files())
