"""``gatehook mode``: whose money the gateway trades with, and the one confirmation that live trading needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import click

from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import cli as codes

if TYPE_CHECKING:
    from gatehook.config import Config
    from gatehook.host.live import Confirmation


@click.command()
@located
@reading
def show(where: Where, *, as_json: bool) -> None:
    """Show the mode, and whether live trading is confirmed."""
    from gatehook.host.live import read_confirmation

    config = where.load()
    facts = _facts(config, read_confirmation(config.gateway.data_dir))
    if as_json:
        write_document(facts)
        return
    _print(facts)
    confirmed = facts["confirmed"]
    if confirmed is None:
        write_text("live trading: not confirmed")
    else:
        write_text(f"live trading: confirmed by {confirmed['by']} at {confirmed['at']}")


@click.command("confirm-live")
@located
@reading
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would be confirmed.")
def confirm_live(where: Where, *, as_json: bool, yes: bool, dry_run: bool) -> None:
    """Confirm, once for a data directory, that live trading is meant."""
    config = where.load()
    facts = _facts(config, None)
    if not as_json:
        _print(facts)
    if not dry_run:
        _ask_for_name(config, yes=yes)
        _confirm(config)
        note(f"live trading is confirmed for {config.gateway.data_dir}")
    if as_json:
        write_document({**facts, "written": not dry_run})


def _facts(config: Config, confirmation: Confirmation | None) -> Mapping[str, Any]:
    return {
        "schemaVersion": 1,
        "mode": str(config.gateway.mode),
        "data_dir": str(config.gateway.data_dir),
        "config": "" if config.path is None else str(config.path),
        "accounts": {entry: list(listed) for entry, listed in _accounts(config).items()},
        "limits": sorted(config.limits),
        "confirmed": None if confirmation is None else confirmation.to_json(),
    }


def _print(facts: Mapping[str, Any]) -> None:
    write_text(f"mode: {facts['mode']}")
    write_text(f"data directory: {facts['data_dir']}")
    write_text(f"configuration: {facts['config'] or 'defaults'}")
    for entry, listed in facts["accounts"].items():
        write_text(f"allowed accounts of {entry}: {', '.join(listed)}")
    write_text(f"limits: {', '.join(facts['limits']) or 'no limits'}")


def _accounts(config: Config) -> Mapping[str, tuple[str, ...]]:
    allowed = {entry.entry_id: entry.config.get("allowedAccounts") for entry in config.plugins.entries.values()}
    return {entry: tuple(map(str, listed)) for entry, listed in allowed.items() if isinstance(listed, (list, tuple))}


def _ask_for_name(config: Config, *, yes: bool) -> None:
    """Let the person type the name of the data directory.

    Raises:
        GatehookError: when nobody can be asked.
        click.Abort: when something else is typed.
    """
    if yes:
        return
    import sys

    name = config.gateway.data_dir.name
    if not sys.stdin.isatty():
        raise GatehookError(codes.CONSENT_NEEDED(what=f"Trade live on {config.gateway.data_dir}"))
    if click.prompt(f"Type {name} to confirm that live trading is meant", err=True) != name:
        note("that is another name; nothing was confirmed")
        raise click.Abort


def _confirm(config: Config) -> None:
    import time

    from gatehook.audit.kinds import LIVE_CONFIRMED
    from gatehook.cli.recording import person
    from gatehook.cli.recording import recording
    from gatehook.host.live import Confirmation
    from gatehook.host.live import confirm_live as write

    confirmation = Confirmation(
        by=person(),
        at=time.time_ns(),
        config="" if config.path is None else str(config.path),
        accounts=_accounts(config),
    )
    facts = confirmation.to_json()
    with recording(config, LIVE_CONFIRMED, file=facts["config"], accounts=facts["accounts"]):
        write(config.gateway.data_dir, confirmation)
