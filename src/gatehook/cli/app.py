"""The root command: turns whatever a command raises into a message, a JSON envelope and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any
from typing import NoReturn

import click

from gatehook import __version__
from gatehook.cli.commands import COMMANDS
from gatehook.cli.failures import explain_failure
from gatehook.cli.lazy import LazyGroup


class Root(LazyGroup):
    """The ``gatehook`` command."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # always ends the process: every failure has its exit code here
        """Run a command line; end the process with its exit code."""
        words = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            code = super().main(words, prog_name, **extra)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  whatever it is, it is explained, not shown
            code = explain_failure(error, words)
        sys.exit(code if isinstance(code, int) else 0)


app = Root(
    "gatehook",
    COMMANDS,
    help=(
        "A trading gateway made of plugins. It trades on paper unless told otherwise.\n\n"
        "Exit codes: 0 fine, 1 a finding or a failure, 2 wrong usage, 3 consent needed, 4 credentials missing or "
        "refused, 5 the outcome of an order is unknown, 130 interrupted."
    ),
)
click.version_option(__version__, prog_name="gatehook", message="%(prog)s %(version)s")(app)
