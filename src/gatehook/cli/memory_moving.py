"""``gatehook memory migrate``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from gatehook.cli.failures import Exit
from gatehook.cli.memory_asking import work
from gatehook.cli.memory_progress import progress_shown
from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text

_KEY = "plugins.slots.memory"


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@located
@reading
@click.option("--use", is_flag=True, help="Then let TO fill the slot, if it has everything.")
@click.pass_context
def migrate(context: click.Context, source: str, target: str, where: Where, *, as_json: bool, use: bool) -> None:
    """Copy all documents of one memory entry to another, and compare both; stopped anywhere, it goes on from there."""
    with progress_shown(f"{source} → {target}") as took:
        params = {"source": source, "target": target, "use": use}
        result = work(where, "memory.migrate", params, took, entries=(source, target))
    holds = result["parity"]["holds"]
    if use and holds:
        _write_slot(where, target)
    if as_json:
        write_document(result)
    else:
        _print(result)
        if use:
            note(f"{target} fills the slot now" if holds else f"{source} keeps the slot: {target} lacks something")
    if not holds:
        context.exit(Exit.FAILURE)


def _write_slot(where: Where, target: str) -> None:
    """Write into the configuration what holds by now, as ``slots use`` does."""
    from gatehook.cli.recording import changing
    from gatehook.config import plan_edit

    config, edit = where.load(), plan_edit(where.file_to_edit(), _KEY, target)
    if edit.changes:
        with changing(config, edit, _KEY, {}):
            edit.write()


def _print(result: Mapping[str, Any]) -> None:
    parity = result["parity"]
    rows = [
        ("/".join(one["namespace"]), one["source"], one["target"], "yes" if one["equal"] else "NO")
        for one in parity["namespaces"]
    ]
    write_table(("namespace", result["source"], result["target"], "equal"), rows, empty="There are no documents.")
    if parity["differing"]:
        write_text(f"{parity['differing']} documents differ: {', '.join(parity['examples'])}")
    if parity["extra"]:
        write_text(f"{parity['extra']} only in {result['target']}: {', '.join(parity['extraExamples'])}")
    write_text(f"the first ten hits of {parity['queries']} queries agree by {parity['top10Overlap']:.0%}")
    for one in parity["otherHits"]:
        only = f"only before: {_ids(one['onlySource'])}; only after: {_ids(one['onlyTarget'])}"
        write_text(f"  {one['query']!r} {one['overlap']:.0%}  {only}")
    if result["followed"]:
        note(f"{result['followed']} documents followed after the switch")


def _ids(ids: list[str]) -> str:
    return ", ".join(ids) or "none"
