"""What a person settles by hand: ``orders resolve|adopt``, ``positions acknowledge``, ``reconciliation``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.outcomes import print_order
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text

_STATUSES = ("accepted", "filled", "canceled", "expired", "rejected")


@click.command()
@click.argument("order_id", metavar="ID")
@located
@reading
@click.option("--status", required=True, type=click.Choice(_STATUSES), help="What the venue says it is.")
@click.option("--filled", metavar="QTY", help="How much has filled, in the order's unit.")
@click.option("--price", help="The average price of what has filled.")
@click.option("--evidence", required=True, help="Where you saw it; it is audited.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show the order.")
def resolve(order_id: str, where: Where, *, as_json: bool, yes: bool, dry_run: bool, **said: str | None) -> None:
    """Say what became of an unknown order, on evidence from the venue."""
    client = where.client()
    shown = client.call("orders.show", {"id": order_id})
    if not dry_run:
        if not as_json:
            print_order(shown["order"])
        confirmed(f"Write down that {order_id} is {said['status']}", yes=yes)
        wanted = {name: value for name, value in said.items() if value is not None}
        shown = client.call("orders.resolve", {"id": order_id, **wanted})
    if as_json:
        write_document(shown)
    else:
        print_order(shown["order"])


@click.command()
@click.argument("entry")
@click.argument("venue_order_id")
@located
@reading
def adopt(entry: str, venue_order_id: str, where: Where, *, as_json: bool) -> None:
    """Take over an order that was placed outside the gateway."""
    adopted = where.client().call("orders.adopt", {"entry": entry, "venue_order_id": venue_order_id}, timeout=25.0)
    if as_json:
        write_document(adopted)
    else:
        print_order(adopted["order"])


@click.command()
@click.argument("account", metavar="ENTRY/ACCOUNT")
@located
@reading
@click.option("--note", "text", required=True, help="What explains the difference; it is audited.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show the differences.")
def acknowledge(account: str, where: Where, *, as_json: bool, text: str, yes: bool, dry_run: bool) -> None:
    """Accept the positions as the venue reports them; new risk may follow."""
    client = where.client()
    if dry_run or not yes:
        shown = client.call("reconciliation.show", timeout=25.0)
        waiting = [one for row in shown["accounts"] if row["account"] == account for one in row["adjustments"]]
        if not as_json:
            _print_adjustments(waiting)
        if dry_run:
            if as_json:
                write_document({"adjustments": waiting})
            return
    confirmed(f"Accept what the venue says of {account}", yes=yes)
    done = client.call("positions.acknowledge", {"account": account, "note": text})
    if as_json:
        write_document(done)
    else:
        write_text(f"{len(done['adjustments'])} differences are acknowledged")


@click.command()
@located
@reading
def reconciliation(where: Where, *, as_json: bool) -> None:
    """Say of each account whether it agrees with its venue, and what stands against new risk."""
    shown = where.client().call("reconciliation.show", timeout=25.0)
    if as_json:
        write_document(shown)
        return
    rows = [
        (
            one["account"],
            one["state"],
            one["open_orders"],
            one["external_orders"],
            one["unknown_orders"],
            len(one["adjustments"]),
            one["blocked"] or "",
        )
        for one in shown["accounts"]
    ]
    columns = ("account", "state", "open", "external", "unknown", "differences", "new risk waits for")
    write_table(columns, rows, empty="No account; `gatehook status` shows the entries.")
    for one in shown["accounts"]:
        _print_adjustments(one["adjustments"])
    for problem in shown["problems"]:
        note(f"warning: {problem}")


def _print_adjustments(adjustments: list[Mapping[str, Any]]) -> None:
    rows = [
        (one["instrument_id"], one.get("position_id") or "", one["expected"], one["reported"], one["unit"], one["at"])
        for one in adjustments
    ]
    columns = ("instrument", "position", "expected", "at the venue", "unit", "since")
    if rows:
        write_table(columns, rows, empty="")
