"""Commands to the running gateway as a whole: ``status`` and ``plugins restart``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from gatehook.cli.failures import Exit
from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text


@click.command()
@located
@reading
def status(where: Where, *, as_json: bool) -> None:
    """Say how the running gateway is."""
    state = where.client().call("status")
    if as_json:
        write_document(state)
    else:
        _print_status(state)
    if state["health"]["status"] != "ok":
        raise SystemExit(Exit.FAILURE)


def _print_status(state: Mapping[str, Any]) -> None:
    write_text(f"mode {state['mode']}, health {state['health']['status']}, pid {state['pid']}, {state['data_dir']}")
    for reason in state["health"]["reasons"]:
        write_text(f"  {reason}")
    rows = [(one["entry_id"], one["plugin_id"], one["state"], one["reason"]) for one in state["entries"]]
    write_table(("entry", "plugin", "state", "why"), rows, empty="No entry runs.")
    for source in state["prices"]:
        counted = f"{source['ticks']} ticks, {source['candles']} candles"
        write_text(f"prices of {source['entry']}: {source['label']}, {counted}")
    for one in state["halt"]:
        write_text(f"HALTED: {one['scope']} by {one['by']} since {one['at']}: {one['reason']}")
    for row in state["reconciliation"]:
        write_text(f"{row['account']}: {row['state']}{_waits(row)}")
    for approval in state["approvals"]:
        write_text(f"waits for a person: {approval}; `gatehook approvals approve {approval}`")
    write_text(f"orders: {state['orders']['open']} open, {state['orders']['unknown']} unknown")
    if state["log"]["lost"]:
        note(f"warning: {state['log']['lost']} lines of the log were lost")


def _waits(row: Mapping[str, Any]) -> str:
    return f", no new risk: {row['blocked']}" if row["blocked"] else ""


@click.command()
@click.argument("entry")
@located
@reading
def restart(entry: str, where: Where, *, as_json: bool) -> None:
    """Restart an entry of the running gateway."""
    answer = where.client().call("plugins.restart", {"entry": entry}, timeout=60.0)
    if as_json:
        write_document(answer)
    else:
        write_text(f"{answer['entry_id']} is {answer['state']}{': ' if answer['reason'] else ''}{answer['reason']}")
    if answer["state"] in ("failed", "quarantined", "backoff"):
        raise SystemExit(Exit.FAILURE)
