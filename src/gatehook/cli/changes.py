"""``gatehook orders amend`` and ``gatehook positions close|protect``."""

from __future__ import annotations

from typing import Any
from typing import Final
from uuid import uuid4

import click

from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.outcomes import end_with_order
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text

_TRADING: Final = 40.0


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _new_id() -> str:
    return f"cli-{uuid4().hex[:22]}"


@click.command()
@click.argument("order_id", metavar="ID")
@located
@reading
@click.option("--quantity", metavar="QTY", help="The new total, what has filled included.")
@click.option("--price", help="The new limit.")
@click.option("--trigger", "trigger_price", help="The new trigger.")
def amend(order_id: str, where: Where, *, as_json: bool, **change: str | None) -> None:
    """Change a working order."""
    wanted = _given(change)
    if not wanted:
        raise click.UsageError("say what changes: --quantity, --price or --trigger")
    params = {"id": order_id, "command_id": _new_id(), **wanted}
    end_with_order(where.client().call("orders.amend", params, timeout=_TRADING), as_json=as_json)


@click.command()
@click.argument("account", metavar="ENTRY/ACCOUNT")
@click.argument("instrument")
@located
@reading
@click.option("--position", help="Which of several (hedging accounts).")
@click.option("--quantity", metavar="QTY", help="How much of it; all by default.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show the position.")
def close(
    account: str, instrument: str, where: Where, *, as_json: bool, yes: bool, dry_run: bool, **which: Any
) -> None:
    """Close a position, or a part of it, at the market."""
    client = where.client()
    if dry_run:
        listed = client.call("positions.list", timeout=25.0)["positions"]
        mine = [one for one in listed if _is(one, account, instrument, which["position"])]
        if as_json:
            write_document({"positions": mine})
        for one in mine if not as_json else ():
            write_text(f"{one['position_id']}: {one['side']} {one['quantity']} {one['quantity_unit']} {instrument}")
        note("nothing was closed (--dry-run)")
        return
    confirmed(f"Close {which['quantity'] or 'all'} of {instrument} on {account}", yes=yes)
    params = {"account": account, "instrument": instrument, "command_id": _new_id(), **_given(which)}
    end_with_order(client.call("positions.close", params, timeout=_TRADING), as_json=as_json)


def _is(position: dict[str, Any], account: str, instrument: str, position_id: str | None) -> bool:
    mine = f"{position['account']['entry_id']}/{position['account']['account_id']}"
    wanted = position_id in (None, position["position_id"])
    return wanted and (mine, position["instrument_id"]) == (account, instrument)


@click.command()
@click.argument("account", metavar="ENTRY/ACCOUNT")
@click.argument("instrument")
@located
@reading
@click.option("--position", help="Which of several (hedging accounts).")
@click.option("--stop-loss", help="The new stop-loss.")
@click.option("--take-profit", help="The new take-profit.")
@click.option("--trailing", help="The trailing offset (> 0).")
@click.option("--trailing-unit", type=click.Choice(("price", "points", "bps")), default="price", show_default=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
def protect(account: str, instrument: str, where: Where, *, as_json: bool, yes: bool, **wanted: Any) -> None:
    """Set a position's protection; what is not named is removed."""
    said = _given(wanted)
    if "trailing" not in said:
        said.pop("trailing_unit", None)
    named = [
        f"{name.replace('_', '-')} {said[name]}" for name in ("stop_loss", "take_profit", "trailing") if name in said
    ]
    confirmed(f"Protect {instrument} on {account} by {', '.join(named) or 'nothing'}", yes=yes)
    params = {"account": account, "instrument": instrument, "command_id": _new_id(), **said}
    shown = where.client().call("positions.protect", params, timeout=_TRADING)
    if as_json:
        write_document(shown)
        return
    for one in shown["positions"]:
        write_text(
            f"{one['position_id']}: {one['side']} {one['quantity']} {one['quantity_unit']} {instrument}, "
            f"stop-loss {one.get('stop_loss') or 'none'}, take-profit {one.get('take_profit') or 'none'}"
        )
