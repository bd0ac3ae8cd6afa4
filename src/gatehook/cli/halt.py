"""``gatehook halt`` and ``gatehook resume``."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final

import click

from gatehook.cli.failures import Exit
from gatehook.cli.halting import Halting
from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.orders import write_orders
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text

_DONE: Final = (("canceled", "canceled"), ("closed", "closed"), ("left", "left"), ("failed", "NOT DONE"))
_TRIED: Final = (
    ("canceled", "would cancel"),
    ("closed", "would close"),
    ("left", "would leave"),
    ("failed", "problem"),
)


@click.command()
@click.argument("scopes", metavar="[SCOPE]...", nargs=-1)
@located
@reading
@click.option("--reason", required=True, help="Why; it is audited, and shown to whoever is refused.")
@click.option("--cancel-all", is_flag=True, help="Also cancel the orders that can open risk.")
@click.option("--include-protective", is_flag=True, help="Also cancel those that can only reduce.")
@click.option("--flatten", is_flag=True, help="Cancel orders, close positions, then cancel what protected them.")
@click.option("--include-external", is_flag=True, help="Also orders and positions from outside the gateway.")
@click.option("--yes", is_flag=True, help="Do not ask before positions are closed.")
@click.option("--dry-run", is_flag=True, help="Only say what would be halted, canceled and closed.")
def halt(scopes: tuple[str, ...], where: Where, *, as_json: bool, reason: str, **options: bool) -> None:
    """Halt trading: all of it, or entry:ID, account:ENTRY/ACCOUNT, subscription:NAME."""
    from gatehook.guard.halt import ALL
    from gatehook.guard.halt import check_scope

    wanted, sweeping = scopes or (ALL,), options["cancel_all"] or options["flatten"]
    for scope in wanted:
        check_scope(scope)
    if not sweeping and (options["include_protective"] or options["include_external"]):
        raise click.UsageError("--include-protective and --include-external belong to --cancel-all or --flatten")
    config = where.load_at_least_data_dir()
    halting = Halting(config, where.client_of(config))
    state = halting.look(wanted) if options["dry_run"] else halting.halt(wanted, reason)
    if not as_json:
        _print_state(state, halting, dry_run=options["dry_run"])
    if sweeping:
        state = {**state, **_swept(halting, wanted, options)}
    if as_json:
        write_document({**state, "dry_run": options["dry_run"], "problems": halting.problems})
    elif sweeping:
        _print_swept(state, _TRIED if options["dry_run"] else _DONE)
    if halting.problems or state.get("failed"):
        raise SystemExit(Exit.FAILURE)


def _swept(halting: Halting, scopes: tuple[str, ...], options: Mapping[str, bool]) -> Mapping[str, Any]:
    if options["flatten"] and not options["dry_run"]:
        confirmed("Trading is halted. Close the positions now", yes=options["yes"])
    names = ("flatten", "include_protective", "include_external", "dry_run")
    return halting.sweep({"scopes": list(scopes), **{name: options[name] for name in names}})


@click.command()
@click.argument("scope", default="all")
@located
@reading
@click.option("--reason", required=True, help="Why; it is audited.")
def resume(scope: str, where: Where, *, as_json: bool, reason: str) -> None:
    """Lift the halt of one scope; `all` lifts the halt of all, not those of narrower scopes."""
    config = where.load_at_least_data_dir()
    halting = Halting(config, where.client_of(config))
    state = halting.resume(scope, reason)
    if as_json:
        write_document({**state, "problems": halting.problems})
    else:
        _print_state(state, halting, dry_run=False)
    if halting.problems:
        raise SystemExit(Exit.FAILURE)


def _print_state(state: Mapping[str, Any], halting: Halting, *, dry_run: bool) -> None:
    if dry_run:
        note("nothing is halted by this (--dry-run)")
    if halting.alone:
        note("no gateway answers: this is what the files say")
    for problem in halting.problems:
        note(f"warning: {problem}")
    rows = [(one["scope"], one["reason"], one["by"], one["at"]) for one in state["records"]]
    write_table(("halted", "reason", "by", "since"), rows, empty="Nothing is halted.")
    if state["orders"]:
        note("these orders work at their venues and can still open risk; --cancel-all cancels them:")
        write_orders(state["orders"], empty="")


def _print_swept(state: Mapping[str, Any], words: Iterable[tuple[str, str]]) -> None:
    for name, word in words:
        for line in state[name]:
            write_text(f"{word}: {line}")
