"""The cold start of ``gatehook run`` with defaults in an empty data directory, and its resident memory when ready; the
same with prices that come from a child process over the wire.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.gateway_process import run_gateway
from benchmarks.interpreters import child_seconds
from benchmarks.measuring import Budget
from benchmarks.measuring import Row

#: What the gateway cannot do without: interpreter, event loop, attrs, SQLite, logging.
_FLOOR: Final = "import anyio, anyio._backends._asyncio, asyncio, attrs, cattrs, click, pluggy, sqlite3, structlog"


def run(quick: bool) -> Iterator[Row]:
    """Measure in turn with an interpreter that imports the same libraries."""
    if not Path("/proc/self/stat").exists():
        yield Row(work="cold start of gatehook run", note="skipped: it needs /proc")
        return
    runs, wired, walls, cpus = [], [], [], []
    with tempfile.TemporaryDirectory() as directory:
        _write_wired_plugin(Path(directory))
        run_gateway(["--dev", directory], stop=True)  # the bytecode is there from now on
        for _ in range(1 if quick else 9):
            runs.append(run_gateway(stop=True))
            wired.append(run_gateway(["--dev", directory], stop=True))
            wall, cpu = child_seconds(["-c", _FLOOR])
            walls.append(wall)
            cpus.append(cpu)
    floor = "bare imports of its libraries"
    yield Row(
        work="cold start of gatehook run to ready, wall",
        figure=statistics.median(one.ready for one in runs),
        unit="s",
        against=floor,
        other=statistics.median(walls),
        budget=Budget(1.5, "s"),
    )
    yield Row(
        work="cold start of gatehook run to ready, CPU",
        figure=statistics.median(one.cpu_ready for one in runs),
        unit="s",
        against=floor,
        other=statistics.median(cpus),
    )
    yield Row(
        work="resident memory of gatehook run at ready",
        figure=statistics.median(one.resident for one in runs) / 1e6,
        unit="MB",
        budget=Budget(120, "MB"),
    )
    alone = "without that child"
    yield Row(
        work="cold start with a plugin on the wire, wall",
        figure=statistics.median(one.ready for one in wired),
        unit="s",
        against=alone,
        other=statistics.median(one.ready for one in runs),
        budget=Budget(1.5, "s"),
    )
    yield Row(
        work="resident memory of that gateway, its child's left out",
        figure=statistics.median(one.resident for one in wired) / 1e6,
        unit="MB",
        against=alone,
        other=statistics.median(one.resident for one in runs) / 1e6,
        budget=Budget(120, "MB"),
    )


def _write_wired_plugin(directory: Path) -> None:
    """Write a plugin whose prices are those of ``simulated`` in a process of its own."""
    manifest = json.loads((Path(__file__).parents[1] / "builtin_plugins" / "simulated" / "plugin.json").read_text())
    command = [sys.executable, "-m", "gatehook", "plugins", "serve", "simulated"]
    wired = {**manifest, "id": "wired", "entry": {"type": "external.mcp", "command": command}}
    (directory / "plugin.json").write_text(json.dumps(wired))
