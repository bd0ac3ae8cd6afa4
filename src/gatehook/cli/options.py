"""Options that many commands share: where the configuration is, and how the answer is printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

import attrs
import click

if TYPE_CHECKING:
    from gatehook.cli.client import Client
    from gatehook.config import Config

Command = TypeVar("Command", bound=Callable[..., Any])


@attrs.frozen
class Where:
    """Which configuration a command works with."""

    config: Path | None
    sets: tuple[str, ...]
    data_dir: Path | None

    def load(self) -> Config:
        """Load it.

        Raises:
            GatehookError: with everything that is wrong with it.
        """
        from gatehook.config import load_config

        return load_config(self.config, sets=self.all_sets())

    def all_sets(self) -> tuple[str, ...]:
        """Return the ``--set`` pairs, ``--data-dir`` as the last of them."""
        if self.data_dir is None:
            return self.sets
        from json import dumps

        return (*self.sets, f"gateway.data_dir={dumps(str(self.data_dir.absolute()))}")

    def file_to_edit(self) -> Path:
        """Return the configuration file that an edit goes to, whether it exists or not."""
        from gatehook.config import find_config
        from gatehook.config import user_config_file

        return self.config or find_config() or user_config_file()

    def load_at_least_data_dir(self) -> Config:
        """Load it; where it is broken and ``--data-dir`` is given, that and defaults will do: a halt must not fail.

        Raises:
            GatehookError: with everything that is wrong with it.
        """
        from gatehook.config import config_from
        from gatehook.diagnostics import GatehookError

        try:
            return self.load()
        except GatehookError:
            if self.data_dir is None:
                raise
            return config_from({"gateway": {"data_dir": str(self.data_dir.absolute())}})

    def client(self) -> Client:
        """Return a client of the gateway that runs on the data directory; connecting happens at its first call."""
        return self.client_of(self.load())

    def client_of(self, config: Config) -> Client:
        """Return a client of the gateway that runs on the data directory of a configuration."""
        from gatehook.cli.client import Client

        return Client(config.gateway.data_dir)


def located(command: Command) -> Command:
    """Add the options that say which configuration is meant; the command gets them as ``where``."""

    def call(*arguments: Any, config: Path | None, sets: tuple[str, ...], data_dir: Path | None, **options: Any) -> Any:
        return command(*arguments, where=Where(config, sets, data_dir), **options)

    call.__doc__ = command.__doc__
    call.__name__ = command.__name__
    call.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]  # click's own way to pass them on
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks."),
        click.option("--data-dir", type=click.Path(path_type=Path), help="The gateway's data directory."),
        click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override one value; repeatable."),
        click.option("--config", type=click.Path(path_type=Path), help="The configuration file."),
    ):
        option(call)
    return call  # type: ignore[return-value]  # the same command, with options in front


def reading(command: Command) -> Command:
    """Add ``--json``; the command gets it as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def confirmed(what: str, *, yes: bool) -> None:
    """Ask the person at the terminal; ``--yes`` answers beforehand.

    Raises:
        GatehookError: when nobody can be asked.
        click.Abort: when the answer is no.
    """
    if yes:
        return
    import sys

    from gatehook.diagnostics import GatehookError
    from gatehook.diagnostics.codes import cli as codes

    if not sys.stdin.isatty():
        raise GatehookError(codes.CONSENT_NEEDED(what=what))
    click.confirm(f"{what}?", abort=True, err=True)
