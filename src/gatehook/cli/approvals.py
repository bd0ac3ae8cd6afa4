"""``gatehook approvals``: what waits for a person, shown whole, and the person's answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

import click

from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.outcomes import end_with
from gatehook.cli.outcomes import print_order
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text

#: An approved command is sent, which has a deadline of its own.
_TRADING: Final = 40.0


@click.command("list")
@located
@reading
def list_approvals(where: Where, *, as_json: bool) -> None:
    """List what waits for a person."""
    listed = where.client().call("approvals.list")
    if as_json:
        write_document(listed)
        return
    rows = [
        (one["approval_id"], one["kind"], one["command_id"], one["account"], one["caller"], one["expires_at"])
        for one in listed["approvals"]
    ]
    columns = ("approval", "command", "id", "account", "caller", "expires")
    write_table(columns, rows, empty="Nothing waits for a person.")


@click.command()
@click.argument("approval_id", metavar="ID")
@located
@reading
def show(approval_id: str, where: Where, *, as_json: bool) -> None:
    """Show exactly what an approval would let out."""
    shown = where.client().call("approvals.show", {"id": approval_id})
    if as_json:
        write_document(shown)
    else:
        _print(shown["approval"])


@click.command()
@click.argument("approval_id", metavar="ID")
@located
@reading
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would be sent.")
def approve(approval_id: str, where: Where, *, as_json: bool, yes: bool, dry_run: bool) -> None:
    """Show what waits, and send it once you say yes; what is shown is what is sent."""
    client = where.client()
    shown = client.call("approvals.show", {"id": approval_id})
    if not as_json:
        _print(shown["approval"])
    if dry_run:
        note("nothing was sent (--dry-run)")
        if as_json:
            write_document(shown)
        return
    confirmed("Send exactly this", yes=yes)
    answer = {"id": approval_id, "digest": shown["approval"]["digest"]}
    outcome = client.call("approvals.approve", answer, timeout=_TRADING)
    if as_json:
        write_document(outcome)
    else:
        _print_outcome(outcome)
    end_with(outcome["orders"])


@click.command()
@click.argument("approval_id", metavar="ID")
@located
@reading
def reject(approval_id: str, where: Where, *, as_json: bool) -> None:
    """Say no to what waits; nothing is sent."""
    rejected = where.client().call("approvals.reject", {"id": approval_id})
    if as_json:
        write_document(rejected)
    else:
        write_text(f"{approval_id} is rejected; nothing was sent")


def _print(approval: Mapping[str, Any]) -> None:
    facts = [("approval", approval["approval_id"]), ("state", approval["state"]), ("expires", approval["expires_at"])]
    facts += [(str(label), str(text)) for label, text in approval["shown"]]
    width = max(len(label) for label, _ in facts)
    for label, text in facts:
        write_text(f"{label:>{width}}  {text}")


def _print_outcome(outcome: Mapping[str, Any]) -> None:
    for order in outcome["orders"]:
        print_order(order)
    for position in outcome["positions"]:
        write_text(
            f"position {position['position_id']}: {position['side']} {position['quantity']} "
            f"{position['quantity_unit']} {position['instrument_id']}, "
            f"stop-loss {position.get('stop_loss') or 'none'}, take-profit {position.get('take_profit') or 'none'}"
        )
