"""``gatehook memory add|forget|stats``."""

from __future__ import annotations

from typing import Any

import click

from gatehook.cli.memory import params_of
from gatehook.cli.memory_asking import ask
from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text


@click.command()
@click.argument("text")
@located
@reading
@click.option("--tag", "tags", multiple=True, help="A word to find it by; repeatable.")
@click.option("--symbol", help="What it is about.")
@click.option("--namespace", help="Where it belongs, parts separated by `/`; without it, notes.")
def add(where: Where, *, as_json: bool, **options: Any) -> None:
    """Remember a note."""
    added = ask(where, "memory.add", params_of(options))
    if as_json:
        write_document(added)
    else:
        write_text(added["id"])


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@located
@reading
@click.option("--namespace", help="Their namespace, where several have an id; parts separated by `/`.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would be forgotten.")
def forget(where: Where, *, as_json: bool, yes: bool, dry_run: bool, **options: Any) -> None:
    """Forget documents so that no byte of them stays in the memory's files."""
    params = params_of(options)
    found = ask(where, "memory.forget", {**params, "dry_run": True})
    if not dry_run:
        if not as_json:
            _show(found["documents"])
        confirmed(f"Forget {len(found['documents'])} documents for good", yes=yes)
        found = ask(where, "memory.forget", params)
    if as_json:
        write_document(found)
    elif dry_run:
        _show(found["documents"])
        note("nothing was changed (--dry-run)")
    else:
        note(f"{found['forgotten']} forgotten")


def _show(documents: list[Any]) -> None:
    for one in documents:
        write_text(f"{one['ts']}  {'/'.join(one['namespace'])}  {one['id']}  {' '.join(one['text'].split())[:100]}")


@click.command()
@located
@reading
def stats(where: Where, *, as_json: bool) -> None:
    """Say what the memory holds."""
    counted = ask(where, "memory.stats", {})
    if as_json:
        write_document(counted)
        return
    write_text(f"{'entry':>14}  {counted['entry']}")
    for name, value in counted["stats"].items():
        if name != "details":
            write_text(f"{name.replace('_', ' '):>14}  {value}")
    for name, value in counted["stats"].get("details", {}).items():
        write_text(f"{name.replace('_', ' '):>14}  {value}")
