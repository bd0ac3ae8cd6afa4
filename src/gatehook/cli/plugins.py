"""``gatehook plugins list|show|why|doctor``: the plan, before any plugin's code runs."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import click

from gatehook.cli.failures import Exit
from gatehook.cli.failures import problem_of
from gatehook.cli.failures import problem_text
from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import Severity
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import cli as codes

if TYPE_CHECKING:
    from gatehook.catalog.admission import Decision
    from gatehook.catalog.manifest import Manifest
    from gatehook.catalog.plan import Plan


def plan_of(where: Where, *, dev: Iterable[Path] = (), no_plugins: bool = False) -> Plan:
    """Make the plan of a configuration.

    Raises:
        GatehookError: when the configuration cannot be read.
    """
    from gatehook.catalog.plan import make_plan

    return make_plan(where.load(), dev=tuple(dev), no_plugins=no_plugins)


def decisions_about(plan: Plan, plugin_id: str) -> list[Decision]:
    """Return the decisions about one id, in the order of precedence.

    Raises:
        GatehookError: when nothing found has this id.
    """
    from gatehook.catalog.manifest import fold

    found = [decision for decision in plan.decisions if fold(decision.candidate.id) == fold(plugin_id)]
    if not found:
        known = [decision.candidate.id for decision in plan.decisions]
        raise GatehookError(codes.UNKNOWN_PLUGIN(plugin=plugin_id, hint=did_you_mean(plugin_id, known)))
    return found


@click.command("list")
@located
@reading
@click.option("--no-plugins", is_flag=True, help="Safe mode: as if no plugin were there.")
def list_plugins(where: Where, *, as_json: bool, no_plugins: bool) -> None:
    """List every plugin found, and whether it may run."""
    plan = plan_of(where, no_plugins=no_plugins)
    if as_json:
        write_document(plan.to_json())
        return
    rows = [
        (
            decision.candidate.id,
            decision.candidate.manifest.version if decision.candidate.manifest else "",
            decision.candidate.origin,
            decision.status,
            _doing(plan, decision),
        )
        for decision in plan.decisions
    ]
    write_table(("id", "version", "origin", "status", "what"), rows, empty="No plugin was found.")


def _doing(plan: Plan, decision: Decision) -> str:
    if decision.status != "admitted":
        return decision.sentence
    entries = [one for one in plan.activations if one.plugin_id == decision.candidate.id]
    return ", ".join(f"{one.kind} {one.status}" for one in entries) or "no entry"


@click.command()
@click.argument("plugin_id", metavar="ID")
@located
@reading
def show(plugin_id: str, where: Where, *, as_json: bool) -> None:
    """Show a plugin: what it is, declares and asks for."""
    decisions = decisions_about(plan_of(where), plugin_id)
    if as_json:
        write_document({"plugins": [_described(decision) for decision in decisions]})
        return
    for decision in decisions:
        for name, value in _described(decision).items():
            if (text := in_a_line(value)) != "":
                write_text(f"{name:>13}  {text}")


def _described(decision: Decision) -> Mapping[str, Any]:
    candidate = decision.candidate
    described: dict[str, Any] = {
        "id": candidate.id,
        "origin": str(candidate.origin),
        "root": None if candidate.root is None else str(candidate.root),
        "status": str(decision.status),
        "cause": str(decision.cause),
        "sentence": decision.sentence,
    }
    if candidate.manifest is not None:
        described |= describe_manifest(candidate.manifest)
    described["diagnostics"] = [problem_of(one) for one in candidate.diagnostics]
    return described


def describe_manifest(manifest: Manifest) -> Mapping[str, Any]:
    """Return what a manifest says, as plain JSON values."""
    import attrs

    return {
        "name": manifest.name,
        "version": manifest.version,
        "kinds": [str(kind) for kind in manifest.kinds],
        "entry": _entry_facts(manifest),
        "description": manifest.description,
        "authors": list(manifest.authors),
        "license": manifest.license,
        "homepage": manifest.homepage,
        "requires": _plain(attrs.asdict(manifest.requires)),
        "permissions": _plain(attrs.asdict(manifest.permissions)),
        "capabilities": _plain(attrs.asdict(manifest.capabilities)),
    }


def _entry_facts(manifest: Manifest) -> Any:
    import attrs

    entry = manifest.entry
    return None if entry is None else {"type": str(entry.runtime), **_plain(attrs.asdict(entry))}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def in_a_line(value: Any) -> str:
    """Write a JSON value for a person; what is absent or empty is left out."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={in_a_line(one)}" for key, one in value.items() if one not in (None, [], {}, False))
    if isinstance(value, list):
        return "; ".join(in_a_line(one) for one in value)
    return "" if value is None else str(value)


@click.command()
@click.argument("plugin_id", metavar="ID")
@located
@reading
def why(plugin_id: str, where: Where, *, as_json: bool) -> None:
    """Print the chain of decisions about a plugin."""
    plan = plan_of(where)
    steps = [step for decision in decisions_about(plan, plugin_id) for step in _chain(plan, decision)]
    if as_json:
        write_document({"id": plugin_id, "steps": steps})
        return
    for step in steps:
        write_text(f"{step['step']:>10}  {step['status']} ({step['cause']}): {step['sentence']}")


def _chain(plan: Plan, decision: Decision) -> Iterable[Mapping[str, Any]]:
    candidate = decision.candidate
    yield {
        "step": "discover",
        "status": str(candidate.state),
        "cause": str(candidate.origin),
        "sentence": f"found in {candidate.root}" if candidate.root else "built into the program that embeds the host",
    }
    for diagnostic in candidate.diagnostics:
        yield {
            "step": "read",
            "status": str(diagnostic.severity),
            "cause": diagnostic.code,
            "sentence": f"{diagnostic.message} {diagnostic.remedy}",
        }
    yield {
        "step": "admit",
        "status": str(decision.status),
        "cause": str(decision.cause),
        "sentence": decision.sentence,
    }
    if decision.status != "admitted":
        return
    for one in plan.activations:
        if one.plugin_id == candidate.id:
            yield {
                "step": "activate",
                "status": str(one.status),
                "cause": str(one.cause),
                "sentence": f"entry {one.entry_id}, {one.kind}: {one.sentence}",
            }


@click.command()
@located
@reading
def doctor(where: Where, *, as_json: bool) -> None:
    """Print every finding about plugins and configuration."""
    from gatehook.cli.checks import WORST_FIRST
    from gatehook.cli.checks import all_problems

    problems = all_problems(where)
    bad = any(one["severity"] == Severity.ERROR for one in problems)
    if as_json:
        write_document({"ok": not bad, "findings": problems})
    else:
        for one in problems:
            write_text(problem_text(one))
        counted = [one["severity"] for one in problems]
        write_text("findings: " + ", ".join(f"{counted.count(one)} {one}" for one in WORST_FIRST))
    if bad:
        raise SystemExit(Exit.FAILURE)
