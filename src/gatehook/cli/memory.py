"""``gatehook memory search|explain``."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

import click

from gatehook.cli.memory_asking import ask
from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text

Command = TypeVar("Command", bound=Callable[..., Any])


def searching(command: Command) -> Command:
    """Add the options that say what is searched and how."""
    for option in (
        click.option("--min-score", type=click.FloatRange(0, 1), help="Leave out what scores less."),
        click.option("--half-life", metavar="LENGTH", help="Prefer newer ones: 12h, 7d, 4w."),
        click.option("--as-of", metavar="TIME", help="Only what was known at this time: 2026-01-31T09:30:00Z."),
        click.option("--mode", type=click.Choice(("auto", "lexical", "vector", "hybrid")), help="How to search."),
        click.option("--kind", help="Only of this kind: order, fill, note, …"),
        click.option("--tag", "tags", multiple=True, help="Only with this tag; repeatable."),
        click.option("--account", help="Only about this account."),
        click.option("--symbol", help="Only about this symbol."),
        click.option("--namespace", help="Only this namespace and below, parts separated by `/`."),
    ):
        option(command)
    return command


def params_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that options make."""
    found = {name: value for name, value in options.items() if value is not None}
    return {name: list(value) if isinstance(value, tuple) else _plain(name, value) for name, value in found.items()}


def _plain(name: str, value: Any) -> Any:
    return str(value) if name == "min_score" else value


@click.command()
@click.argument("words", nargs=-1)
@located
@reading
@searching
@click.option("--limit", default=10, show_default=True, type=click.IntRange(0, 1000))
@click.option("--page", default=1, show_default=True, type=click.IntRange(1, 1000), help="Which page of so many.")
@click.option("--cursor", help="Go on behind a page: the cursor that it ended with.")
@click.option("--explain", is_flag=True, help="Say of each hit what its score is made of.")
def search(where: Where, words: tuple[str, ...], *, as_json: bool, page: int, explain: bool, **options: Any) -> None:
    """Search what the gateway remembers; any text is a safe query."""
    params = {**params_of(options), "text": " ".join(words), "explain": explain}
    found = ask(where, "memory.search", params)
    for _ in range(page - 1):
        if found["cursor"] is None:
            found = {**found, "hits": []}
            break
        found = ask(where, "memory.search", {**params, "cursor": found["cursor"]})
    if as_json:
        write_document(found)
        return
    for hit in found["hits"]:
        write_text(f"{hit['ts']}  {'/'.join(hit['namespace'])}  {hit['score']:.3f}  {hit['snippet']}")
        if explain:
            write_text(f"    {hit['id']}  {_parts(hit['parts'])}")
    _add_notes(found)


def _add_notes(found: Mapping[str, Any]) -> None:
    if not found["hits"]:
        note("Nothing found.")
    if found["cursor"] is not None:
        note(f"There is more: --cursor {found['cursor']}")
    say_degraded(found)


def say_degraded(found: Mapping[str, Any]) -> None:
    """Say what was left out of a search, and why."""
    for reason in found["degraded"]:
        note(f"warning: degraded: {reason}")


def _parts(parts: Mapping[str, float]) -> str:
    return "  ".join(
        f"{name} {value:g}" if value == int(value) else f"{name} {value:.4f}" for name, value in parts.items()
    )


@click.command()
@click.argument("document", metavar="ID")
@click.argument("words", metavar="QUERY", nargs=-1)
@located
@reading
@searching
@click.option("--of", help="The document's namespace, where several have its id.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many a page has.")
def explain(document: str, where: Where, words: tuple[str, ...], *, as_json: bool, **options: Any) -> None:
    """Say why a search finds a document, or why it does not."""
    told = ask(where, "memory.explain", {**params_of(options), "id": document, "text": " ".join(words)})
    if as_json:
        write_document(told)
        return
    about = told["document"]
    write_text(f"{about['id']} in {'/'.join(about['namespace'])}, {about['ts']}, revision {about['revision']}")
    place = "not found" if told["rank"] is None else f"rank {told['rank']}, score {told['score']:.4f}"
    write_text(f"{place}; searched {told['mode']}")
    for name, value in told["parts"].items():
        write_text(f"  {name:<24}  {value:.6g}")
    for words_, there in told["words"].items():
        write_text(f"  {words_!r}: {'in the text' if there else 'not in the text as it stands'}")
    for reason in told["reasons"]:
        write_text(f"  because {reason}")
    say_degraded(told)
