"""``gatehook slots list|use``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import cli as codes


@click.command("list")
@located
@reading
def list_slots(where: Where, *, as_json: bool) -> None:
    """List the slots, who fills them and who could."""
    client = where.client()
    rows = client.call("slots.list")["slots"] if client.is_running() else _planned(where)
    _print(rows, as_json=as_json)


@click.command()
@click.argument("slot")
@click.argument("entry")
@located
@reading
@click.option("--dry-run", is_flag=True, help="Only check that it could.")
def use(where: Where, slot: str, entry: str, *, as_json: bool, dry_run: bool) -> None:
    """Let an entry fill a slot; while running, without a restart."""
    from gatehook.cli.recording import changing
    from gatehook.config import plan_edit

    _check(_planned(where), slot, entry)
    if dry_run:
        note("nothing was changed (--dry-run)")
        return
    config, path, key = where.load(), where.file_to_edit(), f"plugins.slots.{slot}"
    client = where.client()
    running = client.is_running()
    edit = plan_edit(path, key, entry)
    if running or edit.changes:
        with changing(config, edit, key, {}):
            if running:
                client.call("slots.use", {"slot": slot, "entry": entry}, timeout=110.0)
            if edit.changes:
                edit.write()
    note(f"{path} says so too" if running else f"written to {path}; it holds from the next start")
    _print(client.call("slots.list")["slots"] if running else _planned(where), as_json=as_json)


def _planned(where: Where) -> list[Mapping[str, Any]]:
    from gatehook.catalog.plan import make_plan
    from gatehook.gateway.slots import slot_rows

    return slot_rows(make_plan(where.load()))


def _check(rows: list[Mapping[str, Any]], slot: str, entry: str) -> None:
    by_name = {row["slot"]: row for row in rows}
    if slot not in by_name:
        raise GatehookError(codes.UNKNOWN_SLOT(slot=slot, hint=did_you_mean(slot, by_name)))
    row = by_name[slot]
    able = [one for one in (row["entry"], *row["others"], "none") if one is not None]
    if entry not in able:
        raise GatehookError(codes.NOT_FOR_SLOT(entry=entry, slot=slot, able=", ".join(able)))


def _print(rows: list[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        write_document({"slots": rows})
        return
    table = [(row["slot"], row["entry"] or "none", ", ".join(row["others"]), row["kind"]) for row in rows]
    write_table(("slot", "entry", "could also", "kind"), table, empty="There are no slots.")
