"""What is shown while the gateway runs: a live line on a terminal, quiet lines elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import anyio
import anyio.to_thread

from gatehook.cli.output import note
from gatehook.kinds.times import to_rfc3339

if TYPE_CHECKING:
    from gatehook.gateway.gateway import Gateway

_REFRESH: Final = 0.5
_TENTHS: Final = 10


async def show_progress(gateway: Gateway, replay: Path | None) -> None:
    """Show how the gateway is until cancelled; of a replay, how far it is."""
    rows = 0 if replay is None else await anyio.to_thread.run_sync(_rows, replay)
    if sys.stderr.isatty():
        await _live(gateway, rows)
    elif rows:
        await _tenths(gateway, rows)


def _rows(path: Path) -> int:
    with path.open("rb") as file:
        return max(sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1, 1)


def _done(gateway: Gateway, rows: int) -> float:
    if gateway.prices_ended.is_set():
        return 1.0
    counts = gateway.prices.counts.get("replay")
    return 0.0 if counts is None else min(max(counts.ticks, counts.candles) / rows, 0.999)


async def _tenths(gateway: Gateway, rows: int) -> None:
    said = 0
    while said < _TENTHS:
        await anyio.sleep(_REFRESH / 5)
        reached = int(_done(gateway, rows) * _TENTHS)
        if reached > said:
            said = reached
            note(f"replay: {said * 10} %")


async def _live(gateway: Gateway, rows: int) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while True:
            live.update(_panel(gateway, rows))
            await anyio.sleep(_REFRESH)


def _panel(gateway: Gateway, rows: int) -> Any:
    from rich.table import Table

    health = gateway.host.health()
    table = Table.grid(padding=(0, 2))
    table.add_row("mode", f"{gateway.host.config.gateway.mode}", "health", str(health.status))
    for entry, counts in gateway.prices.counts.items():
        newest = to_rfc3339(counts.newest) if counts.newest else "nothing yet"
        table.add_row("prices", entry, f"{counts.ticks} ticks, {counts.candles} candles", newest)
    for reason in health.reasons[:5]:
        table.add_row("", "", "", reason)
    if rows:
        table.add_row("replay", f"{_done(gateway, rows):.0%}", "", "")
    return table
