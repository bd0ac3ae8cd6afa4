"""From the plan to what the host runs: the specification of each active entry, and how its plugin's code is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from functools import partial

from gatehook.catalog.activation import Activation
from gatehook.catalog.activation import ActivationStatus
from gatehook.catalog.activation import EntryPlan
from gatehook.catalog.admission import Decision
from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import Origin
from gatehook.catalog.manifest import Entry
from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import PythonModule
from gatehook.catalog.manifest import fold
from gatehook.catalog.plan import Plan
from gatehook.catalog.tree import verified_sources
from gatehook.config.model import Config
from gatehook.config.model import EntryConfig
from gatehook.host.entry import EntrySpec
from gatehook.kinds.kind import Kind
from gatehook.runtimes import LoadRequest


def entry_specs(plan: Plan, config: Config) -> Mapping[str, EntrySpec]:
    """Return every entry that runs, or that could fill a slot; the latter have no active kind."""
    decisions = {fold(one.candidate.id): one for one in plan.decisions if one.admitted}
    activations: dict[str, list[Activation]] = {}
    for activation in plan.activations:
        activations.setdefault(activation.entry_id, []).append(activation)
    return {
        entry.entry_id: _spec(entry, decisions[fold(entry.plugin_id)], activations[entry.entry_id], config)
        for entry in plan.entries
        if _can_run(activations.get(entry.entry_id, ()))
    }


def _can_run(activations: list[Activation] | tuple[()]) -> bool:
    return any(one.status in (ActivationStatus.ACTIVE, ActivationStatus.INACTIVE) for one in activations)


def _spec(entry: EntryPlan, decision: Decision, activations: list[Activation], config: Config) -> EntrySpec:
    manifest = decision.candidate.manifest
    assert manifest is not None, "an admitted plugin has a manifest"
    settings = config.plugins.entries.get(entry.entry_id)
    settings = settings or EntryConfig(entry_id=entry.entry_id, plugin_id=entry.plugin_id)
    return EntrySpec(
        entry_id=entry.entry_id,
        manifest=manifest,
        config=settings,
        kinds=frozenset(one.kind for one in activations if one.active and isinstance(one.kind, Kind)),
        uses={use.entry: use.kind for use in entry.uses},
        venue=settings.venue or default_venue(entry.entry_id),
        root=decision.candidate.root,
        tree=decision.tree,
        pinned=decision.cause != "dev",
    )


def default_venue(entry_id: str) -> str:
    """Return the venue part of an entry's instrument ids where the configuration says nothing."""
    return entry_id.upper().replace(".", "-")


def load_requests(plan: Plan) -> Mapping[str, LoadRequest]:
    """Return how each admitted plugin is loaded, by its id."""
    return dict(_requests(plan))


def _requests(plan: Plan) -> Iterator[tuple[str, LoadRequest]]:
    for decision in plan.decisions:
        candidate = decision.candidate
        if decision.admitted and candidate.manifest is not None:
            yield candidate.manifest.id, _request(candidate, decision)


def _request(candidate: Candidate, decision: Decision) -> LoadRequest:
    manifest = candidate.manifest
    assert manifest is not None, "an admitted plugin has a manifest"
    return LoadRequest(
        manifest=manifest,
        origin=str(candidate.origin),
        module=_module(manifest.entry),
        embedded=candidate.embedded,
        package=candidate.package,
        root=candidate.root,
        cached=candidate.origin is Origin.BUILTIN,
        files=None if decision.tree is None else partial(verified_sources, decision.tree),
    )


def _module(entry: Entry | None) -> str:
    if isinstance(entry, PythonModule):
        return entry.module
    return (entry.adapter or "") if isinstance(entry, ExternalMcp) else ""
