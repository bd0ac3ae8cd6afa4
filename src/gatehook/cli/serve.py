"""Running the gateway in this process: from its opening lines to its last one."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
import attrs

from gatehook.catalog.plan import Plan
from gatehook.cli.failures import Exit
from gatehook.cli.live import show_approvals
from gatehook.cli.live import show_progress
from gatehook.cli.marking import marked_output
from gatehook.cli.offline import open_orders
from gatehook.cli.options import Where
from gatehook.cli.output import note
from gatehook.cli.output import write_text
from gatehook.cli.responsive import responsive_loop
from gatehook.clocks import ReplayClock
from gatehook.config import Config
from gatehook.context import RunState
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes
from gatehook.diagnostics.codes.plugins import LOCK_UNREADABLE
from gatehook.gateway.gateway import Gateway
from gatehook.gateway.logs import LogPipe
from gatehook.gateway.protocol import SOCKET
from gatehook.gateway.stopping import cancel_entries
from gatehook.host import PluginHost
from gatehook.host.live import require_confirmation
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.secrets import Redactor

REPLAY_ENTRY: Final = "replay"


@attrs.frozen(kw_only=True)
class RunOptions:
    """What the command line says beside the configuration."""

    dev: tuple[Path, ...] = ()
    no_plugins: bool = False
    locked: bool = False
    replay: Path | None = None
    pace: float | None = None
    exit_at_end: bool = False
    on_stop: str = "leave"

    @property
    def mark(self) -> str:
        """What every line of output begins with."""
        return f"[dev: {', '.join(map(str, self.dev))}] " if self.dev else ""


def serve(where: Where, options: RunOptions) -> int:
    """Run until stopped; return the exit code.

    Raises:
        GatehookError: when it cannot start.
    """
    with marked_output(options.mark):
        config = _replaying(where, options).load()
        require_confirmation(config.gateway.data_dir, config.gateway.mode)
        try:
            return anyio.run(_run, config, options)
        except BaseExceptionGroup as group:
            raise _only(group) from group


def _only(group: BaseExceptionGroup) -> BaseException:
    """Return the one error of a group, which is how a task group hands on what its body raised."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _replaying(where: Where, options: RunOptions) -> Where:
    if options.replay is None:
        return where
    try:
        with options.replay.open("rb"):
            pass
    except OSError as error:
        raise GatehookError(codes.REPLAY_FILE(path=options.replay, why=error.strerror)) from error
    sets = [
        f"plugins.entries.replay.config.file={json.dumps(str(options.replay.absolute()))}",
        'plugins.entries.paper.config.prices="replay"',
        "plugins.entries.simulated.enabled=false",
    ]
    if options.pace is not None:
        sets.append(f"plugins.entries.replay.config.pace={options.pace}")
    return attrs.evolve(where, sets=(*sets, *where.sets))


async def _run(config: Config, options: RunOptions) -> int:
    return await _Run(config, options).run()


class _Run:
    """One run of the gateway."""

    def __init__(self, config: Config, options: RunOptions) -> None:
        self._config = config
        self._options = options
        self._stop = anyio.Event()
        self._ready = False
        self._code: int = Exit.INTERRUPTED
        self._starting = anyio.CancelScope()

    async def run(self) -> int:
        """Start, serve, stop; return the exit code."""
        async with anyio.create_task_group() as tasks:
            await tasks.start(self._watch_signals)
            try:
                with self._starting:
                    self._code = await self._serve()
            finally:
                tasks.cancel_scope.cancel()
        if self._starting.cancelled_caught:
            note("stopped before it was ready")
        return self._code

    async def _watch_signals(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for received in signals:
                if self._stop.is_set() and received == signal.SIGINT:
                    self._end_at_once()
                if not self._stop.is_set():
                    note("stopping; Ctrl-C again ends at once")
                self._stop.set()
                if not self._ready:
                    self._starting.cancel()

    def _end_at_once(self) -> None:
        note("ended at once: what was being sent is unknown until the next start has asked the venue")
        if self._ready:  # before that, the socket may be another gateway's
            (self._config.gateway.data_dir / SOCKET).unlink(missing_ok=True)
        os._exit(Exit.INTERRUPTED)

    async def _serve(self) -> int:
        host = PluginHost.from_config(
            self._config,
            dev=self._options.dev,
            no_plugins=self._options.no_plugins,
            locked=self._options.locked,
            clock=ReplayClock() if self._options.replay is not None else None,
        )
        _insist_on_lock(host.plan)
        async with AsyncExitStack() as stack:
            log = stack.enter_context(self._log_pipe(host.redactor))
            gateway = await stack.enter_async_context(Gateway(host, log=log))
            await self._until_stopped(gateway)
            if self._options.on_stop == "cancel-entries":
                await cancel_entries(gateway.brokers)
        # Only now is it known what became of the orders that were being sent.
        return _report(await anyio.to_thread.run_sync(open_orders, self._config.gateway.data_dir))

    def _log_pipe(self, redactor: Redactor) -> LogPipe:
        settings = self._config.logging
        return LogPipe(
            self._config.gateway.data_dir / "logs",
            redactor,
            level=settings.level,
            max_bytes=settings.max_bytes,
            files=settings.files,
        )

    async def _until_stopped(self, gateway: Gateway) -> None:
        self._check_replay(gateway)
        for line in await gateway.opening():
            write_text(line)
        self._ready = True
        write_text("ready")
        with responsive_loop():
            await self._serve_until_stopped(gateway)

    async def _serve_until_stopped(self, gateway: Gateway) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(show_approvals, gateway)
            tasks.start_soon(show_progress, gateway, self._options.replay is not None)
            if self._options.exit_at_end:
                tasks.start_soon(self._stop_at_end, gateway)
            await gateway.start_prices()
            await self._stop.wait()
            tasks.cancel_scope.cancel()

    def _check_replay(self, gateway: Gateway) -> None:
        """Refuse to wait for the end of a replay that cannot begin."""
        if self._options.replay is None:
            return
        found = [one for one in gateway.host.statuses() if one.entry_id == REPLAY_ENTRY]
        if not any(one.state in (RunState.ACTIVE, RunState.DEGRADED) for one in found):
            why = next((one.reason or str(one.state) for one in found), "the plugin replay does not take part")
            raise GatehookError(codes.REPLAY_FAILED(path=self._options.replay, why=why))

    async def _stop_at_end(self, gateway: Gateway) -> None:
        await gateway.prices_ended.wait()
        await gateway.host.bus.settled(5.0)
        await gateway.remember_everything()
        positions, _ = await gateway.brokers.positions()
        for position in (one for report in positions for one in report.positions):
            write_text(
                f"open position: {position.account} {position.side} {position.quantity} {position.quantity_unit}"
                f" {position.instrument_id}"
            )
        self._stop.set()


def _insist_on_lock(plan: Plan) -> None:
    """Refuse to start with nothing where a lock was asked for that cannot be read."""
    unreadable = [one for one in plan.diagnostics if one.code == LOCK_UNREADABLE.id]
    if unreadable:
        raise GatehookError(*unreadable)


def _report(left: list[Order]) -> int:
    """Say which orders remain; return the exit code."""
    for order in left:
        request = order.request
        write_text(
            f"remains at the venue: {request.client_order_id} {request.account} {request.side} {order.leaves}"
            f" {request.quantity_unit} {request.instrument_id} {request.type}, {order.status}"
        )
    unknown = sum(order.status is OrderStatus.UNKNOWN for order in left)
    write_text(f"stopped; {len(left)} open orders, {unknown} unknown")
    sys.stdout.flush()
    return Exit.UNKNOWN_ORDERS if unknown else Exit.FINE
