"""The way in: answer ``--version`` without importing anything, hand everything else to click."""

from __future__ import annotations

import sys

from gatehook import __version__


def main() -> None:
    """Run the command line of this process and end it with the command's exit code."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"gatehook {__version__}\n")
        return
    from gatehook.cli.app import app

    app(prog_name="gatehook")
