"""``python -m gatehook.runtimes.wire_child DIRECTORY``: load a plugin and serve it over the wire, on stdin and stdout.

What the plugin prints goes to stderr. The process ends when stdin does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import TaskGroup

from gatehook.catalog.manifest import MANIFEST_NAME
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.manifest import PythonModule
from gatehook.catalog.parsing import parse_manifest
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import wire as codes
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Provider
from gatehook.runtimes.loading import LoadedPlugin
from gatehook.runtimes.python import LoadRequest
from gatehook.runtimes.python import PythonRuntime
from gatehook.wire.codec import WireCodec
from gatehook.wire.context import ChildContext
from gatehook.wire.host import Host
from gatehook.wire.jsonrpc import Peer
from gatehook.wire.pipes import PipeReader
from gatehook.wire.pipes import PipeWriter
from gatehook.wire.server import About
from gatehook.wire.server import WireServer
from gatehook.wire.serving import Served

#: Seconds for the module's import, and for letting the providers go.
_LOADING: Final = 30.0
_LETTING_GO: Final = 4.0


def read_directory(root: Path) -> Manifest:
    """Read the manifest of a plugin directory.

    Raises:
        GatehookError: when it is none that runs in Python.
    """
    path = root / MANIFEST_NAME
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GatehookError(codes.NOT_SERVABLE(path=path, reason=error.strerror or "it cannot be read")) from error
    manifest, diagnostics = parse_manifest(data, path)
    if manifest is None:
        raise GatehookError(*diagnostics)
    if not isinstance(manifest.entry, PythonModule):
        reason = f"its entry is {manifest.entry.runtime if manifest.entry else 'none'}, not python.module"
        raise GatehookError(codes.NOT_SERVABLE(plugin=manifest.id, path=path, reason=reason))
    return manifest


def about(manifest: Manifest) -> About:
    """Return what a server says of a plugin."""
    codec = WireCodec()
    declared = {kind: manifest.capabilities.of(kind) or KINDS[kind].capabilities() for kind in manifest.kinds}
    return About(
        name=manifest.id,
        title=manifest.name,
        version=manifest.version,
        capabilities={str(kind): codec.dump_capabilities(one) for kind, one in declared.items()},
    )


class ServedPlugin:
    """A plugin in its own process: one task enters its providers when they are asked for, and lets them go."""

    def __init__(self, plugin: LoadedPlugin, host: Host, codec: WireCodec) -> None:
        self._plugin = plugin
        self._codec = codec
        self._host = host
        self._wanted = anyio.Event()
        self._decided = anyio.Event()
        self._providers: Mapping[Kind, Provider] = {}
        self._failure: Exception | None = None

    async def opened(self) -> Mapping[Kind, Provider]:
        """Have the providers entered, and return them.

        Raises:
            Exception: what a hook or ``__aenter__`` raised.
        """
        self._wanted.set()
        await self._decided.wait()
        if self._failure is not None:
            raise self._failure
        return self._providers

    async def run(self) -> None:
        """Own the providers, until cancelled."""
        await self._wanted.wait()
        try:
            async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
                try:
                    await self._enter(stack, tasks)
                    self._decided.set()
                    await anyio.sleep_forever()
                finally:
                    with anyio.move_on_after(_LETTING_GO, shield=True):
                        await stack.aclose()
                    tasks.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001  told to whoever asked for the providers
            self._failure = error
            self._decided.set()

    async def _enter(self, stack: AsyncExitStack, tasks: TaskGroup) -> None:
        context = await ChildContext.of(self._host, self._plugin.manifest)
        self._codec.entry_id = context.entry_id
        stack.push_async_callback(context.close)
        providers = {kind: made.function(context) for kind, made in self._plugin.providers.items()}
        for kind, provider in providers.items():
            if not isinstance(provider, KINDS[kind].provider_class()):
                raise TypeError(f"{KINDS[kind].hook} returned {type(provider).__name__}")
        context.open(tasks)
        entered: list[Provider] = []
        for provider in providers.values():
            if not any(provider is one for one in entered):
                entered.append(await stack.enter_async_context(provider))
        self._providers = providers


async def _loaded(request: LoadRequest, runtime: PythonRuntime) -> LoadedPlugin:
    found: list[LoadedPlugin | GatehookError] = []
    await runtime.load([request], lambda _, outcome: found.append(outcome), deadline=_LOADING)
    if isinstance(found[0], GatehookError):
        raise found[0]
    return found[0]


def request_of(root: Path) -> LoadRequest:
    """Return how a plugin directory is loaded.

    Raises:
        GatehookError: when it is none that runs in Python.
    """
    manifest = read_directory(root)
    assert isinstance(manifest.entry, PythonModule), "read_directory has looked"
    return LoadRequest(manifest=manifest, origin="served", module=manifest.entry.module, root=root)


async def serve(request: LoadRequest, reading: int, writing: int) -> None:
    """Serve a plugin over two descriptors until the first ends.

    Raises:
        GatehookError: when the plugin cannot be loaded.
    """
    runtime = PythonRuntime()
    runtime.open()
    try:
        plugin = await _loaded(request, runtime)
        await _serve(plugin, reading, writing)
    finally:
        runtime.close()


async def _serve(plugin: LoadedPlugin, reading: int, writing: int) -> None:
    manifest = plugin.manifest
    async with anyio.create_task_group() as tasks:
        peer = Peer(PipeReader(reading), PipeWriter(writing), replies_to_garbage=True)
        codec = WireCodec()
        life = ServedPlugin(plugin, Host(peer), codec)
        served = Served(None, tasks, codec, declared=frozenset(manifest.kinds), opener=life.opened)
        peer.answer_with(WireServer(served, about(manifest)).answer)
        tasks.start_soon(life.run)
        await peer.run()
        tasks.cancel_scope.cancel()


def own_stdout() -> int:
    """Keep stdout for the protocol: return a descriptor of it, and let everything that prints write to stderr."""
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return kept


def main(arguments: list[str] | None = None) -> int:
    """Serve the directory named on the command line."""
    words = sys.argv[1:] if arguments is None else arguments
    writing = own_stdout()
    try:
        asyncio.run(serve(request_of(Path(words[0]).absolute()), 0, writing))
    except GatehookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
