"""The plan as JSON: what ``plugins list --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from gatehook.catalog.activation import Activation
from gatehook.catalog.activation import EntryPlan
from gatehook.catalog.admission import Decision
from gatehook.catalog.slots import Slot

if TYPE_CHECKING:
    from gatehook.catalog.plan import Plan


def plan_to_json(plan: Plan, version: int) -> Mapping[str, Any]:
    """Return plain JSON values, ``schemaVersion`` first."""
    return {
        "schemaVersion": version,
        "plugins": [_decision(one) for one in plan.decisions],
        "entries": [_entry(one, plan.activations) for one in plan.entries],
        "slots": [_slot(one) for one in plan.slots],
        "diagnostics": [one.to_json() for one in plan.diagnostics],
    }


def _decision(one: Decision) -> Mapping[str, Any]:
    candidate = one.candidate
    manifest = candidate.manifest
    return {
        "id": candidate.id,
        "name": None if manifest is None else manifest.name,
        "version": candidate.version,
        "origin": str(candidate.origin),
        "path": candidate.directory,
        "distribution": candidate.distribution,
        "dev": candidate.dev,
        "kinds": [] if manifest is None else [str(kind) for kind in manifest.kinds],
        "status": str(one.status),
        "cause": one.cause,
        "sentence": one.sentence,
        "remedy": None if one.objection is None else one.objection.remedy,
        "rivals": [
            {"id": rival.id, "origin": str(rival.origin), "place": rival.place, "version": rival.version}
            for rival in one.rivals
        ],
        "diagnostics": [found.to_json() for found in candidate.diagnostics],
    }


def _entry(one: EntryPlan, activations: tuple[Activation, ...]) -> Mapping[str, Any]:
    return {
        "id": one.entry_id,
        "plugin": one.plugin_id,
        "enabled": one.enabled,
        "implied": one.implied,
        "uses": [{"entry": use.entry, "kind": str(use.kind), "pointer": use.pointer} for use in one.uses],
        "kinds": [_activation(activation) for activation in activations if activation.entry_id == one.entry_id],
    }


def _activation(one: Activation) -> Mapping[str, Any]:
    return {
        "kind": None if one.kind is None else str(one.kind),
        "status": str(one.status),
        "cause": one.cause,
        "sentence": one.sentence,
        "remedy": None if one.objection is None else one.objection.remedy,
    }


def _slot(one: Slot) -> Mapping[str, Any]:
    return {
        "slot": one.choice.slot,
        "kind": str(one.choice.kind),
        "entries": list(one.choice.entries),
        "explicit": one.choice.explicit,
        "winner": one.winner,
        "down": one.down,
    }
