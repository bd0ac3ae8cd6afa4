"""``gatehook plugins enable|disable|lock``: what a person says about code from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import click

from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text
from gatehook.cli.plugins import decisions_about
from gatehook.cli.plugins import describe_manifest
from gatehook.cli.plugins import in_a_line
from gatehook.cli.plugins import plan_of
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import cli as codes

if TYPE_CHECKING:
    from gatehook.catalog.candidates import Candidate
    from gatehook.catalog.plan import Plan


@click.command()
@click.argument("plugin_id", metavar="ID")
@located
@reading
@click.option("--yes", is_flag=True, help="Consent without being asked.")
@click.option("--dry-run", is_flag=True, help="Only show what would be consented to.")
def enable(plugin_id: str, where: Where, *, as_json: bool, yes: bool, dry_run: bool) -> None:
    """Consent to a plugin's code, as it is now, and to its server's tools."""
    from gatehook.catalog.manifest import fold
    from gatehook.cli.tool_changes import accept_tools

    plan = plan_of(where)
    candidate = _runnable(plan, plugin_id)
    asked = _asked(candidate)
    if not as_json:
        for name, value in asked.items():
            write_text(f"{name:>12}  {in_a_line(value)}")
    granted = False
    if candidate.origin == "builtin":
        note(f"{plugin_id} ships with Gatehook: it needs no consent")
    elif not dry_run:
        confirmed(f"Let {plugin_id} run with your rights", yes=yes)
        _grant(where, candidate, asked["digest"])
        granted = True
        note(f"{plugin_id} may run, as it is now; a change of its files asks again")
    entries = [one.entry_id for one in plan.entries if fold(one.plugin_id) == fold(plugin_id)]
    tools = accept_tools(where, candidate.id, entries, as_json=as_json, yes=yes, dry_run=dry_run)
    if as_json:
        write_document({"granted": granted, **asked, "tools": tools})


def _runnable(plan: Plan, plugin_id: str) -> Candidate:
    decisions = decisions_about(plan, plugin_id)
    wanted = [one for one in decisions if one.status in ("admitted", "needs-consent")]
    if not wanted:
        first = decisions[0]
        raise GatehookError(codes.NOT_RUNNABLE(plugin=plugin_id, status=first.status, sentence=first.sentence))
    return wanted[0].candidate


def _grant(where: Where, candidate: Candidate, shown: str | None) -> None:
    """Consent to exactly what was shown.

    Raises:
        GatehookError: when the files are others by now, or the audit cannot be written; no consent is recorded then.
    """
    from gatehook.audit import kinds
    from gatehook.catalog.gathering import consent_store
    from gatehook.cli.recording import recording

    config = where.load()
    store = consent_store(config)
    with recording(config, kinds.PLUGIN_CONSENTED, **_named(candidate), version=candidate.version, digest=shown):
        consent = store.grant(candidate)
        if consent.tree is None or consent.tree.digest != shown:
            store.revoke(candidate)
            raise GatehookError(codes.CHANGED_MEANWHILE(plugin=candidate.id))


def _named(candidate: Candidate) -> dict[str, Any]:
    return {"plugin": candidate.id, "origin": str(candidate.origin), "root": str(candidate.root)}


def _asked(candidate: Candidate) -> dict[str, Any]:
    from gatehook.catalog.consent import tree_of
    from gatehook.catalog.tree import TreeRefused

    assert candidate.manifest is not None, "what is admitted or waits for consent has a manifest"
    facts = describe_manifest(candidate.manifest)
    try:
        digest = tree_of(candidate).digest
    except TreeRefused as refused:
        raise GatehookError(codes.NOT_RUNNABLE(plugin=candidate.id, status="refused", sentence=f"{refused}.")) from None
    return {
        "id": candidate.id,
        "version": facts["version"],
        "origin": str(candidate.origin),
        "root": str(candidate.root),
        "kinds": facts["kinds"],
        "entry": facts["entry"],
        "permissions": facts["permissions"],
        "digest": digest,
    }


@click.command()
@click.argument("plugin_id", metavar="ID")
@located
@reading
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def disable(plugin_id: str, where: Where, *, as_json: bool, yes: bool, dry_run: bool) -> None:
    """Take back the consent to a plugin's code."""
    from gatehook.audit import kinds
    from gatehook.catalog.gathering import consent_store
    from gatehook.cli.recording import recording

    candidate = decisions_about(plan_of(where), plugin_id)[0].candidate
    if candidate.origin == "builtin":
        raise GatehookError(codes.BUILTIN_NEEDS_DENY(plugin=plugin_id))
    if not dry_run:
        confirmed(f"Take back the consent to {plugin_id}", yes=yes)
        config = where.load()
        with recording(config, kinds.PLUGIN_CONSENT_REVOKED, **_named(candidate)):
            consent_store(config).revoke(candidate)
    note(f"{plugin_id} {'would not run' if dry_run else 'does not run'} from the next start")
    for one in plan_of(where).entries:
        if one.plugin_id == plugin_id:
            note(f"the configuration still has the entry {one.entry_id} for it")
    if as_json:
        write_document({"id": plugin_id, "revoked": not dry_run})


@click.command()
@located
@reading
@click.option("--yes", is_flag=True, help="Replace an existing lock without being asked.")
@click.option("--dry-run", is_flag=True, help="Only say what would be locked.")
def lock(where: Where, *, as_json: bool, yes: bool, dry_run: bool) -> None:
    """Write the set of plugins that `run --locked` insists on."""
    from gatehook.catalog.gathering import lock_path
    from gatehook.catalog.lock import write_lock

    plan = plan_of(where)
    path = lock_path(where.load())
    admitted = [one.candidate.id for one in plan.decisions if one.status == "admitted"]
    if not dry_run:
        if path.exists():
            confirmed(f"Replace {path}", yes=yes)
        write_lock(plan, path)
    if as_json:
        write_document({"path": str(path), "plugins": admitted, "written": not dry_run})
        return
    note(f"{'would be locked' if dry_run else 'locked'} in {path}")
    for plugin_id in admitted:
        write_text(plugin_id)
