"""Which embedder an entry gets: by the ``type`` in its settings, over a hook that more embedders can be given to.

A plugin with an embedder of its own builds its memory with ``choose_embedder(settings, context, [its_module])``, where
the module has ``@embedder_hook def provide_embedder(settings, context)``.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import pluggy

from gatehook.context import PluginContext
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes.embedding import EMBEDDER_SETTINGS
from gatehook.memory.embedding.embedder import Embedder

if TYPE_CHECKING:
    from httpx2 import AsyncClient

_PROJECT: Final = "gatehook_embedders"
_spec: Final = pluggy.HookspecMarker(_PROJECT)
#: Marks an implementation of ``provide_embedder``.
embedder_hook: Final = pluggy.HookimplMarker(_PROJECT)

_OWN: Final[Mapping[str, frozenset[str]]] = {
    "openai": frozenset({"url", "model", "dims", "key", "ask_dims", "concurrency", "timeout"}),
    "onnx": frozenset({"directory", "dims", "file", "pooling", "max_tokens", "threads"}),
    "hashing": frozenset({"model", "dims"}),
}
_SHARED: Final = frozenset({"type", "query_prefix", "document_prefix", "batch"})
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {"openai": ("url", "model", "dims"), "onnx": ("directory", "dims")}


class EmbedderSpecs:
    """The hook that makes embedders."""

    @_spec
    def provide_embedder(self, settings: Mapping[str, Any], context: PluginContext) -> Embedder | None:
        """Return the embedder for these settings, ``None`` where ``type`` is none of yours.

        ``settings`` is the section ``embedder`` of the entry, ``context`` what the entry was handed. Nothing is opened
        here. For settings that cannot be, raise ``GatehookError``.
        """


def choose_embedder(settings: Mapping[str, Any], context: PluginContext, plugins: Sequence[object] = ()) -> Embedder:
    """Make the one embedder that these settings ask for, of ours and those that ``plugins`` provide.

    Raises:
        GatehookError: ``memory.embedder-settings`` for settings that no embedder, or more than one, can be made of.
    """
    manager = pluggy.PluginManager(_PROJECT)
    manager.add_hookspecs(EmbedderSpecs)
    for plugin in (_Own(), *plugins):
        manager.register(plugin)
    manager.check_pending()
    made: list[Embedder] = manager.hook.provide_embedder(settings=settings, context=context)
    if len(made) != 1:
        said = "nothing makes" if not made else f"{len(made)} plugins make"
        raise _wrong(f"{said} an embedder of type {settings.get('type')!r}")
    return made[0]


class _Own:
    """The embedders that are here."""

    @embedder_hook
    def provide_embedder(self, settings: Mapping[str, Any], context: PluginContext) -> Embedder | None:
        """Make one of ours."""
        kind = settings.get("type")
        if kind not in _OWN:
            return None
        _check(str(kind), settings)
        if kind == "openai":
            return _openai(settings, lambda: context.http)
        return _onnx(settings) if kind == "onnx" else _hashing(settings)


def _check(kind: str, settings: Mapping[str, Any]) -> None:
    lacking = [name for name in _NEEDED.get(kind, ()) if name not in settings]
    if lacking:
        raise _wrong(f"one of type {kind} needs {' and '.join(lacking)}")
    foreign = sorted(set(settings) - _OWN[kind] - _SHARED)
    if foreign:
        raise _wrong(f"one of type {kind} has no {' and no '.join(foreign)}")


def _openai(settings: Mapping[str, Any], http: Callable[[], AsyncClient]) -> Embedder:
    from gatehook.memory.embedding.openai import Endpoint
    from gatehook.memory.embedding.openai import OpenAIEmbedder

    if not str(settings["url"]).startswith(("http://", "https://")):
        raise _wrong("url begins with neither http:// nor https://")
    endpoint = Endpoint(**{name: value for name, value in settings.items() if name != "type"})
    return OpenAIEmbedder(endpoint, http)


def _onnx(settings: Mapping[str, Any]) -> Embedder:
    from gatehook.memory.embedding.onnx import ModelDirectory
    from gatehook.memory.embedding.onnx import OnnxEmbedder

    given = {name: value for name, value in settings.items() if name not in ("type", "directory")}
    return OnnxEmbedder(ModelDirectory(path=Path(settings["directory"]).expanduser(), **given))


def _hashing(settings: Mapping[str, Any]) -> Embedder:
    from gatehook.memory.embedding.hashing import HashingEmbedder

    return HashingEmbedder(**{name: settings[name] for name in ("dims", "model") if name in settings})


def _wrong(reason: str) -> GatehookError:
    return GatehookError(EMBEDDER_SETTINGS(reason=reason))
