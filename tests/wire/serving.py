"""Plugins served over the wire: in a child process over stdio, or in this process over streamable HTTP."""

from __future__ import annotations

import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from gatehook.hookspecs import hookimpl
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.wire.client import REMOTES
from gatehook.wire.host_requests import HostRequests
from gatehook.wire.session import StdioWireSession

BUILTIN = Path(__file__).parents[2] / "builtin_plugins"
CHILD = (sys.executable, "-m", "gatehook.runtimes.wire_child")


def manifest_of(folder):
    """Return a plugin's manifest as a program would embed it."""
    return json.loads((folder / "plugin.json").read_text())


@asynccontextmanager
async def child(*command, cwd=None):
    """Run a server; yields its process, which has ended afterwards."""
    process = await anyio.open_process(
        list(command), stderr=None, cwd=cwd, env={**os.environ, "PYTHONWARNINGS": "default"}
    )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await process.stdin.aclose()
            with anyio.move_on_after(10) as late:
                await process.wait()
            if late.cancelled_caught:
                process.kill()
                await process.wait()
            await process.stdout.aclose()


@asynccontextmanager
async def stdio_session(folder, context, tasks):
    """Serve a plugin directory in a child; yields the session."""
    host = HostRequests(context, lambda: tasks)
    session = StdioWireSession(offers=host.answer, hear=host.hear)
    async with child(*CHILD, str(folder)) as process, anyio.create_task_group() as inner:
        await inner.start(session.run, process.stdout, process.stdin)
        yield session
        host.let_go()
        inner.cancel_scope.cancel()


class ServedPlugin:
    """A plugin for a host whose providers are another plugin's, over the wire: ``session(context, tasks)`` connects."""

    def __init__(self, folder, connect):
        self.manifest = manifest_of(folder)
        self._connect = connect

    def _provide(self, kind, context):
        plugin = self

        class Connected(REMOTES[kind]):
            async def __aenter__(self):
                self._stop, self._stopped = anyio.Event(), anyio.Event()
                await context.task_group.start(self._stay)
                return await super().__aenter__()

            async def _stay(self, *, task_status):
                try:
                    async with anyio.create_task_group() as tasks, plugin._connect(context, tasks) as session:
                        self._link._tools = session
                        task_status.started()
                        await self._stop.wait()
                        tasks.cancel_scope.cancel()
                finally:
                    self._stopped.set()

            async def __aexit__(self, *exc):
                await super().__aexit__(*exc)
                self._stop.set()
                await self._stopped.wait()

        return Connected(None, context)

    @property
    def plugin(self):
        """The object with the hooks that the manifest's kinds need."""

        def hook_of(kind):
            def provide(context):
                return self._provide(kind, context)

            provide.__name__ = KINDS[kind].hook
            return hookimpl(provide)

        class Module:
            pass

        module = Module()
        for one in self.manifest["kinds"]:
            setattr(module, KINDS[Kind(one)].hook, hook_of(Kind(one)))
        return module
