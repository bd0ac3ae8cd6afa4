"""How far long work is, drawn on a terminal and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any

from gatehook.cli.memory_asking import Took


@contextmanager
def progress_shown(title: str) -> Iterator[Took]:
    """Yield what takes the items of long work; on a terminal their progress is drawn on stderr, and gone at the end."""
    if not sys.stderr.isatty():
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn
    from rich.progress import MofNCompleteColumn
    from rich.progress import Progress
    from rich.progress import TextColumn
    from rich.progress import TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(title, total=None)

        def took(item: Mapping[str, Any]) -> None:
            progress = item.get("progress")
            if progress is not None:
                what = f"{title}: {progress['what']}"
                drawn.update(task, description=what, completed=progress["done"], total=progress["total"])

        yield took


def _nothing(item: Mapping[str, Any]) -> None:
    """Nobody looks on."""
