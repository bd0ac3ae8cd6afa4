"""``gatehook memory reindex|export|import|tune``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from typing import Any

import click

from gatehook.cli.failures import Exit
from gatehook.cli.memory_asking import ask
from gatehook.cli.memory_asking import work
from gatehook.cli.memory_progress import progress_shown
from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import printable
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text


@click.command()
@located
@reading
@click.option("--part", type=click.Choice(("lexical", "vectors", "all")), default="all", show_default=True)
def reindex(where: Where, *, as_json: bool, part: str) -> None:
    """Build the memory's indices again from its texts, while searches go on."""
    with progress_shown("Reindexing") as took:
        result = work(where, "memory.reindex", {"part": part}, took)
    if as_json:
        write_document(result)
    else:
        write_text(f"{result['entry']}: {result['done']} done")


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@located
@reading
@click.option("--namespace", help="Only this namespace and below, parts separated by `/`.")
@click.option("--assigned", is_flag=True, help="Also what this memory assigned: revision and times; never read back.")
def export_file(file: Path | None, where: Where, *, as_json: bool, namespace: str | None, assigned: bool) -> None:
    """Write all documents to a file, or to the standard output, a line of JSON each."""
    if as_json and file is None:
        raise click.UsageError("--json needs a FILE: the standard output is taken")
    with progress_shown("Exporting") as took, _written(file) as out:

        def write(item: Mapping[str, Any]) -> None:
            out.writelines(f"{line}\n".encode() for line in item.get("lines", ()))
            took(item)

        params = {"assigned": assigned, **({"namespace": namespace} if namespace else {})}
        result = work(where, "memory.export", params, write)
    if as_json:
        write_document({**result, "file": str(file)})
    else:
        note(f"{result['documents']} documents exported")


@contextmanager
def _written(path: Path | None) -> Iterator[IO[bytes]]:
    """Open the file beside its place; it is put there when it is whole."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    temporary = path.with_name(f".{path.name}.new")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123  with its mode from the start
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@located
@reading
@click.option("--keep-going", is_flag=True, help="Leave out bad lines, and import the rest.")
@click.pass_context
def import_documents(context: click.Context, file: Path, where: Where, *, as_json: bool, keep_going: bool) -> None:
    """Read an export into the memory; what it has already stays as it is. A bad line keeps everything out."""
    with progress_shown("Importing") as took:
        result = work(where, "memory.import", {"path": str(file.absolute()), "keep_going": keep_going}, took)
    if as_json:
        write_document(result)
    else:
        _print_import(result)
    if result["bad"]:
        context.exit(Exit.FAILURE)


def _print_import(result: Mapping[str, Any]) -> None:
    for line in result["lines"]:
        note(printable(f"line {line['line']}: {line['rule']}. {line['remedy']}"))
    if result["bad"] > len(result["lines"]):
        note(f"… {result['bad']} bad lines in all")
    if result["written"]:
        write_text(f"{result['inserted']} new, {result['updated']} changed, {result['unchanged']} as they were")
    else:
        note("Nothing was imported. --keep-going leaves out the bad lines.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@located
@reading
def tune(file: Path, where: Where, *, as_json: bool) -> None:
    """Measure on labelled queries how much meaning should count beside words; nothing is changed."""
    told = ask(where, "memory.tune", {"path": str(file.absolute())}, timeout=610.0)
    if as_json:
        write_document(told)
        return
    report = told["report"]
    write_text(f"dense weight now {report['now']:g}, best {report['best']:g} on {report['queries']} queries")
    held = f"{report['held_out_now']:.3f} now, {report['held_out_best']:.3f} with the best"
    write_text(f"nDCG@10 on the {report['held_out']} held out: {held}")
    write_text("it is worth it" if report["worth_it"] else "it is not worth it")
    for reason in report["degraded"]:
        note(f"warning: degraded: {reason}")
