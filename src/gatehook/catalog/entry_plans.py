"""The entries of a configuration, and those that admitted plugins imply, as activation sees them."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from gatehook.catalog.activation import EntryPlan
from gatehook.catalog.activation import Use
from gatehook.catalog.admission import Decision
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.manifest import fold
from gatehook.catalog.schema_shape import missing_when_empty
from gatehook.config import Config
from gatehook.config import EntryConfig
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import config as config_codes
from gatehook.diagnostics.codes import plugins as codes


def entry_plans(config: Config, decisions: Sequence[Decision]) -> tuple[tuple[EntryPlan, ...], tuple[Diagnostic, ...]]:
    """Return the configured entries, then an implied one for each admitted plugin that no entry uses."""
    admitted = {one.candidate.folded: one for one in decisions if one.admitted}
    plans = [_configured(entry, admitted.get(fold(entry.plugin_id))) for entry in config.plugins.entries.values()]
    used = {fold(one.plugin_id) for one in plans}
    findings: list[Diagnostic] = []
    for folded, decision in admitted.items():
        plugin_id = decision.candidate.id
        if folded in used:
            continue
        if plugin_id in config.plugins.entries:
            findings.append(codes.ENTRY_ID_TAKEN(plugin=plugin_id, entry=plugin_id))
        else:
            plans.append(_implied(plugin_id, decision.candidate.manifest))
    return tuple(plans), tuple(findings)


def _configured(entry: EntryConfig, decision: Decision | None) -> EntryPlan:
    """A plugin that does not run has no say about its configuration: it may not even be what the entry means."""
    manifest = decision.candidate.manifest if decision is not None else None
    problems: tuple[Diagnostic, ...] = ()
    uses: tuple[Use, ...] = ()
    if entry.enabled and manifest is not None:
        problems = _problems(entry, manifest.config_schema)
        uses = () if problems else _uses(entry, manifest.config_schema)
    return EntryPlan(
        entry_id=entry.entry_id, plugin_id=entry.plugin_id, enabled=entry.enabled, problems=problems, uses=uses
    )


def _implied(plugin_id: str, manifest: Manifest | None) -> EntryPlan:
    entry = EntryConfig(entry_id=plugin_id)
    schema = manifest.config_schema if manifest is not None else {}
    problems = _problems(entry, schema)
    return EntryPlan(
        entry_id=plugin_id,
        plugin_id=plugin_id,
        implied=True,
        problems=problems,
        uses=() if problems else _uses(entry, schema),
    )


def _problems(entry: EntryConfig, schema: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    missing = None if entry.config else missing_when_empty(schema)
    if missing is None:
        from gatehook.config import check_structure

        return check_structure(entry, schema)
    if not missing:
        return ()
    found = config_codes.NEEDS_CONFIG(entry=entry.entry_id, plugin=entry.plugin_id, needed=", ".join(missing))
    return (found,)


def _uses(entry: EntryConfig, schema: Mapping[str, Any]) -> tuple[Use, ...]:
    if not schema.get("properties"):
        return ()
    from gatehook.config import named_entries

    return tuple(Use(pointer=one.pointer, entry=one.entry_id, kind=one.kind) for one in named_entries(entry, schema))
