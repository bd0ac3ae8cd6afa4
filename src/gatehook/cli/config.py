"""``gatehook config check|show|schema|get|set|explain``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from gatehook.cli.checks import all_findings
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


@click.command()
@located
@reading
def check(where: Where, *, as_json: bool) -> None:
    """Check the configuration; nothing is started."""
    findings = [one for one in all_findings(where) if one.code.partition(".")[0] in ("config", "secrets", "slots")]
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
    config = where.load()
    shown = _explained(config)
    if as_json:
        write_document({"layers": [str(layer) for layer in config.layers], "settings": shown})
        return
    for layer in config.layers:
        note(f"layer: {layer}")
    for key, one in shown.items():
        write_text(f"{key} = {json.dumps(one['value'], ensure_ascii=False)}   # {one['layer']}")


def _explained(config: Any) -> Mapping[str, Mapping[str, Any]]:
    from gatehook.config import setting_keys

    return {key: _explanation(config.explain(key)) for key in setting_keys(config)}


def _explanation(explanation: Any) -> Mapping[str, Any]:
    return {
        "value": explanation.value,
        "layer": str(explanation.layer),
        "origin": explanation.origin,
        "path": None if explanation.path is None else str(explanation.path),
        "line": explanation.line,
        "restartNeeded": explanation.restart_needed,
    }


@click.command()
@located
def schema(where: Where) -> None:
    """Print the JSON Schema of gatehook.toml."""
    from gatehook.catalog import make_plan
    from gatehook.config import config_json_schema
    from gatehook.config import config_from

    plan = make_plan(config_from({}))
    manifests = [one.manifest for one in plan.candidates if one.manifest is not None]
    click.echo(json.dumps(config_json_schema(manifests), indent=2))


@click.command()
@click.argument("key")
@located
@reading
def get(key: str, where: Where, *, as_json: bool) -> None:
    """Print one value of the configuration."""
    value = where.load().explain(key).value
    if as_json:
        write_document({"key": key, "value": value})
    else:
        write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


@click.command("set")
@click.argument("key")
@click.argument("value", required=False)
@located
@reading
@click.option("--unset", is_flag=True, help="Remove the key instead.")
@click.option("--dry-run", is_flag=True, help="Only check that it could be written.")
def set_value(key: str, value: str | None, where: Where, *, as_json: bool, unset: bool, dry_run: bool) -> None:
    """Set or remove one value; comments are kept."""
    from gatehook.config import UNSET
    from gatehook.config import edit_config
    from gatehook.config import find_config
    from gatehook.config import parse_value
    from gatehook.config import user_config_file

    if unset is (value is not None):
        raise click.UsageError("give a value, or --unset")
    path = find_config(where.config) or where.config or user_config_file()
    if not dry_run:
        edit_config(path, key, UNSET if value is None else parse_value(value))
    restart = where.load().explain(key).restart_needed if not unset else True
    note(f"{'would write' if dry_run else 'wrote'} {path}{'; a running gateway needs a restart' if restart else ''}")
    if as_json:
        write_document({"path": str(path), "key": key, "written": not dry_run, "restartNeeded": restart})


@click.command()
@click.argument("key")
@located
@reading
def explain(key: str, where: Where, *, as_json: bool) -> None:
    """Say where a value comes from, and what a change needs."""
    found = _explanation(where.load().explain(key))
    if as_json:
        write_document({"key": key, **found})
        return
    place = found["path"] or found["origin"]
    line = f":{found['line']}" if found["line"] else ""
    write_text(f"{key} = {json.dumps(found['value'], ensure_ascii=False)}")
    write_text(f"from {found['layer']}{f' ({place}{line})' if place else ''}")
    write_text("a change needs a restart" if found["restartNeeded"] else "a change needs no restart")
