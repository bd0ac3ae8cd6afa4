"""``gatehook limits show``."""

from __future__ import annotations

import click

from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table


@click.command()
@located
@reading
@click.option("--account", metavar="ENTRY/ACCOUNT", help="Only this account's.")
def show(where: Where, *, as_json: bool, account: str | None) -> None:
    """Show each limit with its use and what is left."""
    shown = where.client().call("limits.show", {} if account is None else {"account": account}, timeout=25.0)
    if as_json:
        write_document(shown)
        return
    rows = [
        (one["account"], row["scope"], row["limit"], row["bound"], row["use"], row["headroom"], row["about"])
        for one in shown["accounts"]
        for row in one["limits"]
    ]
    columns = ("account", "set for", "limit", "value", "use", "left", "about")
    write_table(columns, rows, empty="No limits.")
    for problem in shown["problems"]:
        note(f"warning: {problem}")
