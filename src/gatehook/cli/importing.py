"""``gatehook plugins import FILE``: MCP servers that other programs have configured become plugins of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import click

from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text
from gatehook.cli.plugins import plan_of
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import importing as codes

if TYPE_CHECKING:
    from gatehook.catalog.foreign.servers import ForeignFile
    from gatehook.catalog.foreign.servers import ForeignServer
    from gatehook.catalog.foreign.writing import ImportedPlugin
    from gatehook.config import Config

_WORKSPACE: Final = "plugins"


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@located
@reading
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="A kind that the servers provide; repeatable.")
@click.option("--wire", is_flag=True, help="The servers speak the kinds themselves: no adapter.")
@click.option("--only", multiple=True, metavar="NAME", help="Take over only the server of this name; repeatable.")
@click.option("--value", "values", multiple=True, metavar="NAME=VALUE", help="Fill a placeholder in a command.")
@click.option("--into", type=click.Path(path_type=Path), help="The directory for plugins; by default ./plugins.")
@click.option("--yes", is_flag=True, help="Write without being asked.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def import_servers(
    file: Path,
    where: Where,
    *,
    as_json: bool,
    kinds: tuple[str, ...],
    wire: bool,
    only: tuple[str, ...],
    values: tuple[str, ...],
    into: Path | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Turn an mcp.json, mcpServers or .mcpb file into plugins."""
    from gatehook.catalog.foreign.reading import read_foreign
    from gatehook.catalog.foreign.writing import plugin_of

    chosen = _chosen(read_foreign(file, _pairs(values)), only)
    plan = plan_of(where)
    taken = {one.candidate.id for one in plan.decisions}
    folder = (into or Path.cwd() / _WORKSPACE).absolute()
    plugins: list[ImportedPlugin] = []
    for server in chosen:
        plugins.append(plugin_of(server, folder, _kinds(kinds), taken, wire=wire))
        taken.add(plugins[-1].id)
    if not as_json:
        for one in plugins:
            _show(one)
    if not dry_run:
        confirmed(f"Write {len(plugins)} plugins below {folder}", yes=yes)
        _write(where, plugins)
    _say_what_is_next(plugins, dry_run=dry_run)
    if as_json:
        write_document({"written": not dry_run, "plugins": [_described(one) for one in plugins]})


def _pairs(values: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for one in values:
        name, equals, value = one.partition("=")
        if not equals:
            raise click.UsageError(f"--value takes NAME=VALUE, not {name!r}")
        found[name] = value
    return found


def _kinds(said: tuple[str, ...]) -> tuple[Any, ...]:
    from gatehook.kinds.kind import Kind

    try:
        return tuple(dict.fromkeys(Kind(one) for one in said)) or (Kind.MARKET_DATA,)
    except ValueError:
        known = ", ".join(Kind)
        raise click.UsageError(f"--kind takes one of {known}") from None


def _chosen(found: ForeignFile, only: tuple[str, ...]) -> Sequence[ForeignServer]:
    """Return the servers that are meant.

    Raises:
        GatehookError: when one of them cannot be taken over, or there is none.
    """
    known = {*found.refused, *(one.name for one in found.servers)}
    for name in only:
        if name not in known:
            raise click.UsageError(f"the file has no server {name!r}; it has {', '.join(sorted(known)) or 'none'}")
    refused = {name: why for name, why in found.refused.items() if not only or name in only}
    if refused:
        raise GatehookError(
            *(codes.IMPORT_SERVER(path=found.path, server=name, reason=why) for name, why in refused.items())
        )
    chosen = [one for one in found.servers if not only or one.name in only]
    if not chosen:
        raise GatehookError(codes.IMPORT_REFUSED(path=found.path, reason="it has no server"))
    return chosen


def _write(where: Where, plugins: Sequence[ImportedPlugin]) -> None:
    """Write the plugins and their entries; what cannot have its entry is taken away again."""
    config = where.load()
    for one in plugins:
        one.write()
        try:
            _write_entry(where, config, one)
        except BaseException:
            one.remove()
            raise


def _write_entry(where: Where, config: Config, plugin: ImportedPlugin) -> None:
    from gatehook.cli.recording import changing
    from gatehook.config import plan_edit

    schemas = {plugin.id: plugin.manifest["configSchema"]}
    key = ("plugins", "entries", plugin.id)
    value: dict[str, Any] = {"enabled": False} if plugin.has_adapter else {}
    value |= {"config": plugin.config} if plugin.config else {}
    if value:
        edit = plan_edit(where.file_to_edit(), key, value, schemas=schemas)
        with changing(config, edit, ".".join(key), schemas):
            edit.write()


def _show(plugin: ImportedPlugin) -> None:
    server = plugin.server
    write_text(f"{plugin.id}  {' '.join(server.command) if server.command else server.url}")
    write_text(f"  writes  {plugin.root}")
    for name, value in plugin.config.items():
        write_text(f"  config  {name} = {_written(value)}")
    for text in server.notes:
        write_text(f"    note  {text}")


def _written(value: Any) -> str:
    return f'{{ env = "{value["env"]}" }}' if isinstance(value, Mapping) else str(value)


def _say_what_is_next(plugins: Sequence[ImportedPlugin], *, dry_run: bool) -> None:
    if dry_run:
        note("nothing was written")
        return
    for one in plugins:
        if one.has_adapter:
            note(
                f"{one.id} offers tools, and which kind they make is for its adapter to say: write "
                f"{one.root / 'adapter.py'}, then set plugins.entries.{one.id}.enabled to true"
            )
        note(f"`gatehook plugins enable {one.id}` lets it run")


def _described(plugin: ImportedPlugin) -> Mapping[str, Any]:
    return {
        "id": plugin.id,
        "server": plugin.server.name,
        "root": str(plugin.root),
        "entry": plugin.manifest["entry"],
        "config": plugin.config,
        "adapter": plugin.has_adapter,
        "notes": list(plugin.server.notes),
    }
