"""What is shown while the gateway runs: a live line on a terminal, quiet lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import anyio

from gatehook.cli.output import note
from gatehook.cli.output import printable
from gatehook.kinds.streams import Gap
from gatehook.kinds.times import to_rfc3339

if TYPE_CHECKING:
    from gatehook.gateway.gateway import Gateway

_REFRESH: Final = 0.5
_TENTHS: Final = 10


async def show_approvals(gateway: Gateway) -> None:
    """Say on the terminal what waits for a person, until cancelled."""
    with gateway.host.bus.subscribe("approval.requested") as events:
        while batch := await events.batch():
            for event in batch:
                if not isinstance(event, Gap):  # what was asked for too fast to be read is in `gatehook approvals`
                    note(approval_text(event.payload))


def approval_text(approval: Mapping[str, Any]) -> str:
    """Return the line that asks a person to look."""
    shown = "; ".join(f"{label} {text}" for label, text in approval["shown"])
    return printable(f"APPROVAL NEEDED: {shown}: gatehook approvals approve {approval['approval_id']}")


async def show_progress(gateway: Gateway, replaying: bool) -> None:
    """Show how the gateway is until cancelled; of a replay, how far it is."""
    if sys.stderr.isatty():
        await _live(gateway, replaying=replaying)
    elif replaying:
        await _tenths(gateway)


def _done(gateway: Gateway) -> float:
    done, total = gateway.prices.replayed
    return done / total if total else 0.0


async def _tenths(gateway: Gateway) -> None:
    said = 0
    with gateway.host.bus.subscribe("market.replay.progress") as events:
        while said < _TENTHS and await events.batch():
            reached = int(_done(gateway) * _TENTHS)
            if reached > said:
                said = reached
                note(f"replay: {said * 10} %")


async def _live(gateway: Gateway, *, replaying: bool) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while True:
            live.update(_panel(gateway, replaying=replaying))
            await anyio.sleep(_REFRESH)


def _panel(gateway: Gateway, *, replaying: bool) -> Any:
    from rich.table import Table

    health = gateway.health()
    table = Table.grid(padding=(0, 2))
    table.add_row("mode", f"{gateway.host.config.gateway.mode}", "health", str(health.status))
    for entry, counts in gateway.prices.counts.items():
        newest = to_rfc3339(counts.newest) if counts.newest else "nothing yet"
        table.add_row("prices", entry, f"{counts.ticks} ticks, {counts.candles} candles", newest)
    for reason in health.reasons[:5]:
        table.add_row("", "", "", reason)
    if replaying:
        table.add_row("replay", f"{_done(gateway):.0%}", "", "")
    return table
