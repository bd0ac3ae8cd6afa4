"""``gatehook config check|show|schema|get|set|explain``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import click

from gatehook.cli.checks import all_findings
from gatehook.cli.checks import schemas_of
from gatehook.cli.failures import Exit
from gatehook.cli.failures import problem_of
from gatehook.cli.failures import problem_text
from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text
from gatehook.diagnostics import Severity

if TYPE_CHECKING:
    from gatehook.config import Explanation

_SUBJECTS = ("config", "news", "secrets", "slots")


@click.command()
@located
@reading
def check(where: Where, *, as_json: bool) -> None:
    """Check the configuration; nothing is started."""
    findings = [one for one in all_findings(where) if one.code.partition(".")[0] in _SUBJECTS]
    bad = any(one.severity is Severity.ERROR for one in findings)
    if as_json:
        write_document({"ok": not bad, "findings": [problem_of(one) for one in findings]})
    else:
        for one in findings:
            write_text(problem_text(problem_of(one)))
        write_text("the configuration has errors" if bad else "the configuration is fine")
    if bad:
        raise SystemExit(Exit.FAILURE)


@click.command()
@located
@reading
def show(where: Where, *, as_json: bool) -> None:
    """Show the whole configuration, secrets as references."""
    from gatehook.config import shown

    config = where.load()
    settings = shown(config, schemas_of(config))
    if as_json:
        write_document({"layers": [str(layer) for layer in config.layers], "config": settings})
        return
    for layer in config.layers:
        note(f"layer: {layer}")
    for key, value in _flat(settings, ()):
        write_text(f"{key} = {json.dumps(value, ensure_ascii=False)}")


def _flat(value: Any, steps: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, one in value.items():
            yield from _flat(one, (*steps, str(name)))
    elif value is not None:
        yield ".".join(steps), value


@click.command()
@located
def schema(where: Where) -> None:
    """Print the JSON Schema of gatehook.toml."""
    from gatehook.catalog.plan import make_plan
    from gatehook.config import config_from
    from gatehook.config import config_json_schema
    from gatehook.diagnostics import GatehookError

    try:
        config = where.load()
    except GatehookError:  # a file that is wrong is when its schema is wanted most
        config = config_from({})
    manifests = [one.manifest for one in make_plan(config).candidates if one.manifest is not None]
    click.echo(json.dumps(config_json_schema(manifests), indent=2))


@click.command()
@click.argument("key")
@located
@reading
def get(key: str, where: Where, *, as_json: bool) -> None:
    """Print one value of the configuration."""
    value = _explain(where, key).value
    if as_json:
        write_document({"key": key, "value": value})
    else:
        write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _explain(where: Where, key: str) -> Explanation:
    config = where.load()
    return config.explain(key, schemas_of(config))


@click.command("set")
@click.argument("key")
@click.argument("value", required=False)
@located
@reading
@click.option("--unset", is_flag=True, help="Remove the key instead.")
@click.option("--dry-run", is_flag=True, help="Only check that it could be written.")
def set_value(key: str, value: str | None, where: Where, *, as_json: bool, unset: bool, dry_run: bool) -> None:
    """Set or remove one value; comments are kept."""
    from gatehook.cli.recording import changing
    from gatehook.config import UNSET
    from gatehook.config import parse_value
    from gatehook.config import plan_edit

    if unset is (value is not None):
        raise click.UsageError("give a value, or --unset")
    path = where.file_to_edit()
    config = where.load()
    schemas = schemas_of(config)
    edit = plan_edit(path, key, UNSET if value is None else parse_value(value), schemas=schemas)
    if edit.changes and not dry_run:
        with changing(config, edit, key, schemas):
            edit.write()
    says = "says so already" if not edit.changes else "would be written" if dry_run else "was written"
    note(f"{path} {says}; a running gateway takes it up when it is restarted")
    if as_json:
        write_document({"path": str(path), "key": key, "written": edit.changes and not dry_run})


@click.command()
@click.argument("key")
@located
@reading
def explain(key: str, where: Where, *, as_json: bool) -> None:
    """Say where a value comes from, and what a change needs."""
    found = _explain(where, key)
    if as_json:
        write_document(
            {
                "key": found.key,
                "value": found.value,
                "layer": str(found.layer),
                "origin": found.origin,
                "path": None if found.path is None else str(found.path),
                "line": found.line,
                "restartNeeded": found.restart_needed,
            }
        )
        return
    write_text(f"{found.key} = {json.dumps(found.value, ensure_ascii=False)}")
    place = f"{found.path}:{found.line}" if found.path and found.line else found.origin
    write_text(f"from: {found.layer}{f', {place}' if place else ''}")
    write_text("a change needs a restart" if found.restart_needed else "a change needs no restart")
