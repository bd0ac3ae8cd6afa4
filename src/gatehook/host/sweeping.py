"""What plugins' processes a killed gateway left behind is ended before any entry starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio.to_thread

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import mcp_entries as codes
from gatehook.runtimes.child_records import CHILDREN
from gatehook.runtimes.child_records import ChildRecords


async def sweep_children(data_dir: Path, report: Callable[[Diagnostic], object]) -> None:
    """End what is recorded below a data directory and still there, and say so."""
    folder = data_dir / CHILDREN
    if not folder.is_dir():
        return
    left = await anyio.to_thread.run_sync(ChildRecords(folder).sweep)
    if left:
        names = ", ".join(sorted({one.name for one in left}))
        report(codes.CHILDREN_SWEPT(count=len(left), names=names))
