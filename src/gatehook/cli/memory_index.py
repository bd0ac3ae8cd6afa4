"""``gatehook memory index``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gatehook.cli.failures import Exit
from gatehook.cli.memory_asking import work
from gatehook.cli.memory_progress import progress_shown
from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import printable
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text


@click.command(epilog="They are those of [[memory.folders]]; PATH is one of them, or something in one.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@located
@reading
@click.pass_context
def index(context: click.Context, paths: tuple[Path, ...], where: Where, *, as_json: bool) -> None:
    """Index the folders that are remembered now, and say what changed."""
    with progress_shown("Indexing") as took:
        result = work(where, "memory.index", {"paths": [str(path.absolute()) for path in paths]}, took)
    if as_json:
        write_document(result)
    else:
        for folder in result["folders"]:
            _print_folder(folder)
    if any(folder["unreachable"] for folder in result["folders"]):
        context.exit(Exit.FAILURE)


def _print_folder(folder: Mapping[str, Any]) -> None:
    for sign, key in (("+", "added"), ("~", "changed"), ("-", "removed")):
        for path in folder[key]:
            write_text(printable(f"{sign} {path}"))
    for one in folder["skipped"]:
        note(printable(f"warning: {one['path']} is not indexed: {one['why']}"))
    if folder["unreachable"]:
        note(printable(f"warning: {folder['folder']} cannot be read: {folder['unreachable']}; nothing was removed"))
    counts = ", ".join(f"{len(folder[key])} {key}" for key in ("added", "changed", "removed"))
    write_text(printable(f"{folder['folder']}: {counts}; {folder['documents']} documents written"))
