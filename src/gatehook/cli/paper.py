"""``gatehook paper reset``: in the running gateway, or on disk without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

import click

from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes

_FILES: Final = ("paper.sqlite", "paper.sqlite-wal", "paper.sqlite-shm")


@click.command()
@located
@reading
@click.option("--entry", default="paper", show_default=True, help="The paper broker's entry.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be lost.")
def reset(where: Where, *, entry: str, as_json: bool, yes: bool, dry_run: bool) -> None:
    """Put a paper broker's accounts back to their start."""
    client = where.client()
    running = client.is_running()
    if not dry_run:
        confirmed(f"Drop all orders and positions of {entry}, and give its accounts their first balance", yes=yes)
    if running:
        answer = client.call("paper.reset", {"entry": entry, "dry_run": dry_run}, timeout=30.0)
        lost = f"{answer['orders']} open orders and {answer['positions']} positions"
    else:
        answer = _reset_on_disk(where, entry, dry_run=dry_run)
        lost = ", ".join(answer["files"]) or "nothing"
    if as_json:
        write_document({**answer, "reset": not dry_run})
        return
    write_text(f"{entry}: {lost} {'would be' if dry_run else 'was'} dropped")


def _reset_on_disk(where: Where, entry_id: str, *, dry_run: bool) -> Mapping[str, Any]:
    """Remove the broker's file; works on a damaged one too."""
    from gatehook.catalog.plan import make_plan
    from gatehook.host.lock import DataDirectory

    config = where.load()
    entry = make_plan(config).entry(entry_id)
    if entry is None or entry.plugin_id != "paper":
        raise GatehookError(codes.NO_ENTRY(what=f"a paper broker called {entry_id}", hint=""))
    directory = DataDirectory(config.gateway.data_dir)
    directory.open()
    try:
        own = config.gateway.data_dir / "entries" / entry_id
        files = [own / name for name in _FILES if (own / name).exists()]
        for file in files if not dry_run else ():
            file.unlink()
    finally:
        directory.close()
    return {"schemaVersion": 1, "entry": entry_id, "files": [str(file) for file in files]}
