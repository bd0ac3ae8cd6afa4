"""The commands, from the table that the command line itself is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from gatehook.cli.app import app
from gatehook.cli.failures import Exit
from generating.tables import cell_code
from generating.tables import prose
from generating.tables import table

_EVERYWHERE = ("--config", "--set", "--data-dir", "--debug", "--json", "--help")


def exit_codes() -> str:
    """Return the exit codes, as ``gatehook --help`` says them."""
    said = (app.help or "").partition("Exit codes: ")[2].rstrip(".")
    rows = [tuple(one.split(" ", 1)) for one in re.split(r", (?=\d)", said)]
    assert {int(number) for number, _ in rows} == set(Exit), "--help names every exit code"
    return table(("code", "meaning"), rows)


def commands() -> str:
    """Return every command with its own arguments and options, then the options that most of them share."""
    found = list(_commands(app, "gatehook"))
    shared = {option.opts[0]: option for _, one in found for option in _options(one) if option.opts[0] in _EVERYWHERE}
    parts = [_command(path, one) for path, one in found]
    rows = [_row(shared[name]) for name in _EVERYWHERE if name in shared]
    rows.append((cell_code("--help"), "Show the command's arguments and options."))
    return "\n\n".join([*parts, "### Options of most commands\n\n" + table(("option", "meaning"), rows)])


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def _options(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def _command(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    parts = [f"### `{path}`", prose(" ".join((command.help or "").split())), f"```text\n{usage}\n```"]
    own = [one for one in _options(command) if one.opts[0] not in _EVERYWHERE]
    if own:
        parts.append(table(("option", "meaning"), [_row(one) for one in own]))
    return "\n\n".join(parts)


def _row(option: click.Option) -> tuple[str, str]:
    context = click.Context(click.Command("gatehook"))
    written, meaning = option.get_help_record(context) or (option.opts[0], "")
    return cell_code(written), prose(meaning.replace("  ", " "))
