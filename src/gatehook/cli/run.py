"""``gatehook run``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gatehook.cli.options import Where
from gatehook.cli.options import located

_PATH = click.Path(path_type=Path)


@click.command()
@located
@click.option("--dev", multiple=True, type=_PATH, help="Run the plugin in PATH without consent; paper mode only.")
@click.option("--no-plugins", is_flag=True, help="Safe mode: no plugin takes part.")
@click.option("--locked", is_flag=True, help="Only what `plugins lock` recorded may run.")
@click.option("--replay", type=_PATH, metavar="FILE", help="Trade on the candles or ticks of a CSV file.")
@click.option("--pace", type=click.FloatRange(min=0, min_open=True), help="Replay at N times real time.")
@click.option("--exit-at-end", is_flag=True, help="Stop when the replay has ended.")
@click.option(
    "--on-stop",
    type=click.Choice(("leave", "cancel-entries")),
    default="leave",
    show_default=True,
    help="What becomes of open orders that add risk.",
)
def run(where: Where, **options: Any) -> None:
    """Run the gateway until it is stopped."""
    from gatehook.cli.serve import RunOptions
    from gatehook.cli.serve import serve

    if options["replay"] is None and (options["exit_at_end"] or options["pace"] is not None):
        raise click.UsageError("--exit-at-end and --pace belong to --replay FILE")
    raise SystemExit(serve(where, RunOptions(**options)))
