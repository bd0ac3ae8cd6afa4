"""``gatehook memory search|add|stats``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text


@click.command()
@click.argument("words", nargs=-1)
@located
@reading
@click.option("--namespace", help="Only this namespace and below, parts separated by `/`.")
@click.option("--symbol", help="Only about this symbol.")
@click.option("--account", help="Only about this account.")
@click.option("--tag", "tags", multiple=True, help="Only with this tag; repeatable.")
@click.option("--kind", help="Only of this kind: order, fill, note, …")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(0, 1000))
def search(where: Where, words: tuple[str, ...], *, as_json: bool, tags: tuple[str, ...], **filters: Any) -> None:
    """Search what the gateway remembers; any text is a safe query."""
    params = {name: value for name, value in filters.items() if value is not None}
    found = _ask(where, "memory.search", {**params, "text": " ".join(words), "tags": list(tags)})
    if as_json:
        write_document(found)
        return
    for hit in found["hits"]:
        write_text(f"{hit['ts']}  {'/'.join(hit['namespace'])}  {hit['score']:.3f}  {hit['snippet']}")
    if not found["hits"]:
        note("Nothing found.")
    for reason in found["degraded"]:
        note(f"warning: degraded: {reason}")


@click.command()
@click.argument("text")
@located
@reading
@click.option("--tag", "tags", multiple=True, help="A word to find it by; repeatable.")
@click.option("--symbol", help="What it is about.")
def add(where: Where, text: str, *, as_json: bool, tags: tuple[str, ...], symbol: str | None) -> None:
    """Remember a note."""
    params = {"text": text, "tags": list(tags), **({"symbol": symbol} if symbol else {})}
    added = _ask(where, "memory.add", params)
    if as_json:
        write_document(added)
    else:
        write_text(added["id"])


@click.command()
@located
@reading
def stats(where: Where, *, as_json: bool) -> None:
    """Say what the memory holds."""
    counted = _ask(where, "memory.stats", {})
    if as_json:
        write_document(counted)
        return
    for name, value in counted["stats"].items():
        write_text(f"{name.replace('_', ' '):>14}  {value}")


def _ask(where: Where, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask the running gateway; without one, open the memory alone."""
    from gatehook.cli.offline import ask_memory

    client = where.client()
    if client.is_running():
        answer: Mapping[str, Any] = client.call(method, params)
        return answer
    return ask_memory(where, method, params)
