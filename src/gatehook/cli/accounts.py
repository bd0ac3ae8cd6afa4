"""``gatehook accounts`` and ``gatehook positions list``."""

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
def accounts(where: Where, *, as_json: bool) -> None:
    """List accounts with their money."""
    listed = where.client().call("accounts.list")
    if as_json:
        write_document(listed)
        return
    rows = [
        (
            f"{one['account']['entry_id']}/{one['account']['account_id']}",
            one["mode"],
            one["currency"],
            one.get("equity") or "",
            one.get("margin_used") or "",
            ", ".join(f"{balance['total']} {balance['asset']}" for balance in one["balances"]),
            "yes" if one["complete"] else "NO",
        )
        for one in listed["accounts"]
    ]
    columns = ("account", "mode", "currency", "equity", "margin used", "balances", "complete")
    write_table(columns, rows, empty="No account; `gatehook status` shows the entries.")
    _say_problems(listed["problems"])


@click.command()
@located
@reading
def positions(where: Where, *, as_json: bool) -> None:
    """List open positions."""
    listed = where.client().call("positions.list")
    if as_json:
        write_document(listed)
        return
    rows = [
        (
            f"{one['account']['entry_id']}/{one['account']['account_id']}",
            one["instrument_id"],
            one["side"],
            f"{one['quantity']} {one['quantity_unit']}",
            one.get("mark_price") or "",
            one.get("unrealized_pnl") or "",
            one["position_id"],
        )
        for one in listed["positions"]
    ]
    columns = ("account", "instrument", "side", "quantity", "mark", "unrealized", "position")
    write_table(columns, rows, empty="No open positions.")
    for account in listed["incomplete"]:
        note(f"warning: the report of {account} is not complete; it may have more positions")
    _say_problems(listed["problems"])


def _say_problems(problems: list[str]) -> None:
    for problem in problems:
        note(f"warning: {problem}")
