"""``gatehook plugins serve``: a plugin as an MCP server that speaks the wire."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Final

import attrs
import click

from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.output import note
from gatehook.cli.plugins import decisions_about
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import wire as codes
from gatehook.kinds.kind import Kind

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from gatehook.catalog.manifest import Manifest
    from gatehook.catalog.plan import Plan
    from gatehook.host import PluginHost
    from gatehook.wire.server import WireServer

_BROKERS: Final = (
    "a broker is served without --entry and --http only, to the gateway at the other end of the pipe, whose desk is in"
    " front of it"
)


@click.command("serve")
@click.argument("plugin_id", metavar="ID")
@located
@click.option("--entry", help="Run this entry of the configuration here; without it the gateway at the pipe says who.")
@click.option("--stdio", is_flag=True, help="Speak on stdin and stdout (the default).")
@click.option("--http", "port", type=click.IntRange(0, 65535), metavar="PORT", help="Listen on the loopback interface.")
def serve_plugin(plugin_id: str, where: Where, *, entry: str | None, stdio: bool, port: int | None) -> None:
    """Serve a plugin over the wire, as an MCP server."""
    if stdio and port is not None:
        raise click.UsageError("--stdio and --http exclude each other")
    import anyio

    from gatehook.catalog.plan import make_plan
    from gatehook.host import PluginHost
    from gatehook.runtimes.wire_child import own_stdout

    config = where.load()
    plan = make_plan(config)
    decision = decisions_about(plan, plugin_id)[0]
    if not decision.admitted or decision.candidate.manifest is None:
        raise GatehookError(
            codes.NOT_SERVABLE(plugin=plugin_id, path=decision.candidate.root, reason=decision.sentence)
        )
    manifest = decision.candidate.manifest
    if port is None and entry is None:
        anyio.run(_for_a_gateway, plan, manifest.id, own_stdout())
        return
    named = entry or _only_entry(plan, manifest.id)
    kinds = [one.kind for one in plan.activations if one.entry_id == named and one.active and one.kind is not None]
    if not kinds or Kind.BROKER in kinds:
        reason = f"the entry {named} has no active kind" if not kinds else _BROKERS
        raise GatehookError(codes.NOT_SERVABLE(plugin=plugin_id, path=decision.candidate.root, reason=reason))
    writing = None if port is not None else own_stdout()
    anyio.run(_Here(PluginHost(config, plan), named, tuple(kinds), manifest).run, writing, port)


async def _for_a_gateway(plan: Plan, plugin_id: str, writing: int) -> None:
    from gatehook.host.assembly import load_requests
    from gatehook.runtimes.wire_child import serve

    await serve(load_requests(plan)[plugin_id], 0, writing)


def _only_entry(plan: Plan, plugin_id: str) -> str:
    entries = sorted({one.entry_id for one in plan.activations if one.plugin_id == plugin_id})
    if len(entries) != 1:
        raise click.UsageError(f"name one of its entries with --entry: {', '.join(entries) or 'it has none'}")
    return entries[0]


@attrs.frozen
class _Here:
    """An entry of this configuration, run here and served by its guarded handles."""

    host: PluginHost
    entry: str
    kinds: tuple[Kind, ...]
    manifest: Manifest

    async def run(self, writing: int | None, port: int | None) -> None:
        """Serve until stdin ends, or until interrupted."""
        import anyio

        async with self.host, anyio.create_task_group() as tasks:
            if writing is not None:
                await _on_pipes(self._server(tasks), writing)
            else:
                await _listen(lambda: self._server(tasks), port or 0)
            tasks.cancel_scope.cancel()

    def _server(self, tasks: TaskGroup) -> WireServer:
        from gatehook.runtimes.wire_child import about
        from gatehook.wire.codec import WireCodec
        from gatehook.wire.server import WireServer
        from gatehook.wire.serving import Served

        handles = {kind: self.host.handle(self.entry, kind, caller="wire") for kind in self.kinds}
        return WireServer(Served(handles, tasks, WireCodec(self.entry)), about(self.manifest))


async def _on_pipes(server: WireServer, writing: int) -> None:
    from gatehook.wire.jsonrpc import Peer
    from gatehook.wire.pipes import PipeReader
    from gatehook.wire.pipes import PipeWriter

    await Peer(PipeReader(0), PipeWriter(writing), answer=server.answer, replies_to_garbage=True).run()


async def _listen(serve: Callable[[], WireServer], port: int) -> None:
    import socket

    import uvicorn

    from gatehook.wire.http import PATH
    from gatehook.wire.http import HttpApp

    token = secrets.token_urlsafe(24)
    listening = socket.create_server(("127.0.0.1", port))
    note(f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}")
    note(f"Authorization: Bearer {token}")
    app = HttpApp(serve, token=token)
    try:
        await uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None)).serve(sockets=[listening])
    finally:
        listening.close()
