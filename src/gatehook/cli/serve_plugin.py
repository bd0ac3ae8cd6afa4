"""``gatehook plugins serve``: a plugin as an MCP server that speaks the wire."""

from __future__ import annotations

import secrets
import signal
import socket
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
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
    from anyio.abc import TaskStatus

    from gatehook.catalog.manifest import Manifest
    from gatehook.catalog.plan import Plan
    from gatehook.host import PluginHost
    from gatehook.wire.server import WireServer

#: Connections at once; one more is answered with 503.
_MOST_CONNECTIONS: Final = 512
#: Seconds for what trades or writes when the server is told to stop.
_LAST_ORDERS: Final = 5
_SHORTEST_TOKEN: Final = 16
_NO_DESK: Final = (
    "orders that come here pass no desk of this configuration: only a gateway, which has one, should get the token"
)


@click.command("serve")
@click.argument("plugin_id", metavar="ID")
@located
@click.option("--entry", help="Run this entry of the configuration here; without it the gateway at the pipe says who.")
@click.option("--stdio", is_flag=True, help="Speak on stdin and stdout (the default).")
@click.option("--http", "port", type=click.IntRange(0, 65535), metavar="PORT", help="Listen on the loopback interface.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="Where the token for --http is, readable by its owner only; without it a new one is made and printed.",
)
def serve_plugin(
    plugin_id: str, where: Where, *, entry: str | None, stdio: bool, port: int | None, token_file: Path | None
) -> None:
    """Serve a plugin over the wire, as an MCP server."""
    if stdio and port is not None:
        raise click.UsageError("--stdio and --http exclude each other")
    if token_file is not None and port is None:
        raise click.UsageError("--token-file belongs to --http")
    token = None if token_file is None else _token_in(token_file)
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
    decided = [one for one in plan.activations if one.entry_id == named and one.plugin_id == manifest.id]
    kinds = [one.kind for one in decided if one.active and one.kind is not None]
    if not kinds:
        reason = f"the entry {named} has no active kind"
        refused = codes.NOT_SERVABLE(plugin=plugin_id, path=decision.candidate.root, reason=reason)
        raise GatehookError(refused, *(one.objection for one in decided[:1] if one.objection is not None))
    if Kind.BROKER in kinds:
        note(_NO_DESK)
    here = _Here(PluginHost(config, plan), named, tuple(kinds), manifest)
    if port is None:
        anyio.run(here.on_pipes, own_stdout())
    else:
        anyio.run(here.listen, port, token)


def _token_in(path: Path) -> str:
    try:
        token, mode = path.read_text("ascii").strip(), path.stat().st_mode
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path} cannot be read: {type(error).__name__}", param_hint="--token-file") from None
    if mode & 0o077:
        raise click.BadParameter(f"{path} can be read by others; chmod 600 it", param_hint="--token-file")
    if len(token) < _SHORTEST_TOKEN or not token.isprintable() or " " in token:
        what = f"{path} has no token: one line of at least {_SHORTEST_TOKEN} characters without spaces"
        raise click.BadParameter(what, param_hint="--token-file")
    return token


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

    async def on_pipes(self, writing: int) -> None:
        """Serve on stdin and a descriptor until stdin ends, or until told to stop."""
        import anyio

        async with self.host, anyio.create_task_group() as tasks:
            await tasks.start(_when_told, tasks.cancel_scope.cancel)
            await _converse(self._server(tasks), writing)
            tasks.cancel_scope.cancel()

    async def listen(self, port: int, token: str | None) -> None:
        """Serve at a port of the loopback interface until told to stop."""
        import anyio

        async with self.host, anyio.create_task_group() as tasks:
            await _listen(lambda: self._server(tasks), port, token)
            tasks.cancel_scope.cancel()

    def _handle(self, kind: Kind) -> Any:
        from gatehook.orders.elsewhere import ForAnotherDesk

        if kind is Kind.BROKER:
            return ForAnotherDesk(self.host.desk, self.entry)
        return self.host.handle(self.entry, kind, caller="wire")

    def _server(self, tasks: TaskGroup) -> WireServer:
        from gatehook.runtimes.wire_child import about
        from gatehook.wire.codec import WireCodec
        from gatehook.wire.server import WireServer
        from gatehook.wire.serving import Served

        handles = {kind: self._handle(kind) for kind in self.kinds}
        return WireServer(Served(handles, tasks, WireCodec(self.entry)), about(self.manifest))


async def _when_told(stop: Callable[[], None], *, task_status: TaskStatus[None]) -> None:
    """Stop at SIGINT and SIGTERM."""
    import anyio

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            stop()


async def _converse(server: WireServer, writing: int) -> None:
    from gatehook.wire.jsonrpc import Peer
    from gatehook.wire.pipes import PipeReader
    from gatehook.wire.pipes import PipeWriter

    await Peer(PipeReader(0), PipeWriter(writing), answer=server.answer, replies_to_garbage=True).run()


async def _listen(serve: Callable[[], WireServer], port: int, token: str | None) -> None:
    import anyio
    import uvicorn

    from gatehook.wire.http import PATH
    from gatehook.wire.http import HttpApp

    app = HttpApp(serve, token=token or (made := secrets.token_urlsafe(24)))
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level="critical",  # whoever finds the port would write our log
        http="h11",
        ws="none",
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_LAST_ORDERS,
    )

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave the signals to us: its own way ends the process before the plugin was let go."""
            yield

    server = Server(config)

    def stop() -> None:
        app.close()
        server.should_exit = True

    with closing(socket.create_server(("127.0.0.1", port))) as listening:
        async with anyio.create_task_group() as tasks:
            await tasks.start(_when_told, stop)
            note(f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}")
            if token is None:
                note(f"Authorization: Bearer {made}")
            await server.serve(sockets=[listening])
            tasks.cancel_scope.cancel()
