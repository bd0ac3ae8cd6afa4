"""A group of commands that imports a command's module when the command is called; help texts are in its table."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import attrs
import click

from gatehook.diagnostics import did_you_mean


@attrs.frozen
class Lazy:
    """Where a command is (``module:name``), and its help in a line."""

    target: str
    help: str


@attrs.frozen
class Subject:
    """A group of commands about one thing; ``default`` is the one meant when none is named."""

    help: str
    commands: Mapping[str, Lazy]
    default: str | None = None


class LazyGroup(click.Group):
    """A click group over a table of names."""

    def __init__(
        self, name: str, table: Mapping[str, Lazy | Subject], *, default: str | None = None, **attributes: Any
    ) -> None:
        super().__init__(name, no_args_is_help=default is None, **attributes)
        self._table = table
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words; options without a command belong to the default command."""
        if self._default is not None and (not args or args[0].startswith("-")) and "--help" not in args:
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; ``None`` for an unknown name."""
        entry = self._table.get(cmd_name)
        if entry is None:
            return None
        if isinstance(entry, Subject):
            return LazyGroup(cmd_name, entry.commands, help=entry.help, default=entry.default)
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the words name.

        Raises:
            UsageError: for an unknown one, with the nearest known.
        """
        word = args[0]
        if word not in self._table and not word.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"no such command: {word!r}{did_you_mean(word, self._table)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table: no module is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._table.items()])
