"""What is looked at every few seconds: log, disk, clock, orders that stay unknown, brokers that are down with risk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from gatehook.context import Clock
from gatehook.context import RunState
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes
from gatehook.gateway.brokers import active_entries
from gatehook.gateway.logs import LogPipe
from gatehook.host import PluginHost
from gatehook.kinds.kind import Kind
from gatehook.kinds.times import SECOND
from gatehook.orders import Desk

INTERVAL: Final = 5.0
#: Below so many free bytes an operator is told: orders are refused when the journal cannot grow.
LOW_WATER: Final = 100_000_000
#: Wall and monotonic time that differ by more than so many seconds since the last look: the clock was set, or the
#: machine slept.
CLOCK_JUMP: Final = 2.0
#: An order whose outcome is unknown for longer is said, in seconds.
UNKNOWN_FOR: Final = 60.0
_NAMED: Final = 5


class Watch:
    """Looks, and reports each finding once for as long as it lasts."""

    def __init__(self, host: PluginHost, log: LogPipe | None) -> None:
        self._host = host
        self._log = log
        self._clock_check = ClockCheck(host.clock)
        self._unknown = UnknownCheck(host.clock)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await anyio.sleep(INTERVAL)
            free = await anyio.to_thread.run_sync(_free_bytes, self._host.config.gateway.data_dir)
            for finding in self.findings(free):
                self._host.report(finding)
            await self._drop_expired_grants()

    async def _drop_expired_grants(self) -> None:
        try:
            await self._host.desk.guard.grants.expire()
        except GatehookError as error:
            for diagnostic in error.diagnostics:
                self._host.report(diagnostic)

    def findings(self, free: int) -> Iterator[Diagnostic]:
        """Return what there is to say, ``free`` being the bytes left on the disk."""
        data_dir = self._host.config.gateway.data_dir
        if free < LOW_WATER:
            yield codes.DISK_LOW(path=data_dir, limit=LOW_WATER // 1_000_000)
        if self._log is not None and self._log.lost:
            yield codes.LOG_LOST(why=self._log.last_loss, path=self._log.path)
        yield from self._clock_check.findings()
        yield from self._unknown.findings(self._host.desk)
        yield from broker_findings(self._host)


def broker_findings(host: PluginHost) -> Iterator[Diagnostic]:
    """Name the brokers that do not run while something is open there."""
    exposure, brokers = host.desk.guard.exposure, active_entries(host, Kind.BROKER)
    for status in host.statuses():
        held = exposure.instruments(status.entry_id) if status.entry_id in brokers else ()
        if held and status.state is not RunState.STARTING and host.desk.find_entry(status.entry_id) is None:
            named = ", ".join(map(str, held[:_NAMED]))
            yield codes.BROKER_DOWN(entry=status.entry_id, held=named, why=status.reason or str(status.state))


class ClockCheck:
    """Compares wall time with monotonic time, look by look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.wall(), clock.monotonic()

    def findings(self) -> Iterator[Diagnostic]:
        """Say that the clock jumped since the last look, and which way."""
        now = self._clock.wall(), self._clock.monotonic()
        skew = (now[0] - self._last[0]) / SECOND - (now[1] - self._last[1])
        self._last = now
        if abs(skew) > CLOCK_JUMP:
            direction = "forward" if skew > 0 else "back"
            yield codes.CLOCK_JUMPED(seconds=f"{abs(skew):.0f}", direction=direction)


class UnknownCheck:
    """Remembers since when each order is unknown, on the clock that never jumps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}

    def findings(self, desk: Desk) -> Iterator[Diagnostic]:
        """Name the orders that have been unknown for too long."""
        now = self._clock.monotonic()
        unknown = {order.request.client_order_id: order for order in desk.unknown_orders()}
        self._since = {one: self._since.get(one, now) for one in unknown}
        for client_order_id, since in self._since.items():
            if now - since >= UNKNOWN_FOR:
                entry = unknown[client_order_id].request.account.entry_id
                yield codes.STILL_UNKNOWN(order=client_order_id, entry=entry)


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free
