"""``gatehook permissions``: the rules that hold, and what persons allow in advance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text

_TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")


@click.command("list")
@located
@reading
def list_permissions(where: Where, *, as_json: bool) -> None:
    """List the rules, the defaults of the mode, and the grants with what is left of them."""
    listed = where.client().call("permissions.list")
    if as_json:
        write_document(listed)
        return
    rows = [
        (f"rule {number}", one["caller"], one["entry"], one["account"], one["class"], one["decision"])
        for number, one in enumerate(listed["rules"], start=1)
    ]
    rows += [("default", "*", "*", "*", risk, decision) for risk, decision in listed["defaults"].items()]
    write_table(("rule", "caller", "entry", "account", "class", "decision"), rows, empty="")
    grants = [(one["grant_id"], one["caller"], _scope(one), _left(one), one["expires_at"]) for one in listed["grants"]]
    write_table(("grant", "caller", "for", "left", "expires"), grants, empty="No grants.")


@click.command()
@located
@reading
@click.option("--caller", required=True, help="Who may; * matches anything.")
@click.option("--expires", required=True, metavar="WHEN", help="A span (30m, 2h, 1d) or a time (RFC 3339).")
@click.option("--account", metavar="ENTRY[/ACCOUNT]", help="Where; anywhere by default.")
@click.option("--symbol", "symbols", multiple=True, help="An instrument or a pattern; repeatable.")
@click.option("--side", "sides", multiple=True, type=click.Choice(("buy", "sell")), help="Any by default.")
@click.option("--type", "types", multiple=True, type=click.Choice(_TYPES), help="Repeatable; any by default.")
@click.option("--max-notional", metavar="AMOUNT", help="The worth of one order, in the valuation currency.")
@click.option("--max-daily-notional", metavar="AMOUNT", help="The worth of all orders of a day.")
@click.option("--rate", type=click.IntRange(1), help="How many orders in a minute.")
@click.option("--uses", type=click.IntRange(1), help="How many commands in all.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would be allowed.")
def grant(where: Where, *, as_json: bool, yes: bool, dry_run: bool, **scope: Any) -> None:
    """Allow in advance what a person would be asked; a rule that denies still denies."""
    wanted = {name: list(value) if isinstance(value, tuple) else value for name, value in scope.items() if value}
    if not as_json:
        for name, value in wanted.items():
            write_text(f"{name.replace('_', ' '):>18}  {', '.join(value) if isinstance(value, list) else value}")
    if dry_run:
        note("nothing was granted (--dry-run)")
        if as_json:
            write_document({"grant": wanted, "given": False})
        return
    confirmed("Allow this without asking", yes=yes)
    given = where.client().call("permissions.grant", wanted)
    if as_json:
        write_document(given)
    else:
        write_text(f"{given['grant']['grant_id']} holds until {given['grant']['expires_at']}")


@click.command()
@click.argument("grant_id", metavar="ID")
@located
@reading
def revoke(grant_id: str, where: Where, *, as_json: bool) -> None:
    """Take a grant back; from now on a person is asked."""
    revoked = where.client().call("permissions.revoke", {"id": grant_id})
    if as_json:
        write_document(revoked)
    else:
        write_text(f"{grant_id} is revoked")


def _scope(one: Mapping[str, Any]) -> str:
    parts = [f"{one['entry']}/{one['account']}", *one["symbols"], *one["sides"], *one["types"]]
    if one.get("max_notional"):
        parts.append(f"up to {one['max_notional']} an order")
    if one.get("max_daily_notional"):
        parts.append(f"up to {one['max_daily_notional']} a day")
    return " ".join(parts)


def _left(one: Mapping[str, Any]) -> str:
    uses = "any number" if one.get("uses_left") is None else f"{one['uses_left']} uses"
    return uses if one.get("rate_per_minute") is None else f"{uses}, {one['rate_per_minute']} a minute"
