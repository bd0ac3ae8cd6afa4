"""The whole control plane as one value: what was found, what was decided, and why. No plugin code is touched."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import Final

import attrs

from gatehook.catalog.activation import Activation
from gatehook.catalog.activation import EntryPlan
from gatehook.catalog.activation import resolve
from gatehook.catalog.admission import Decision
from gatehook.catalog.admission import admit
from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import Origin
from gatehook.catalog.discovery import survey
from gatehook.catalog.entry_plans import entry_plans
from gatehook.catalog.gathering import gather_policy
from gatehook.catalog.linting import lint
from gatehook.catalog.linting import unmarked
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.manifest import fold
from gatehook.catalog.places import Places
from gatehook.catalog.places import builtin_directory
from gatehook.catalog.references import dangling
from gatehook.catalog.references import news_findings
from gatehook.catalog.references import slot_findings
from gatehook.catalog.slots import Slot
from gatehook.catalog.slots import slot_choices
from gatehook.config import Config
from gatehook.config import user_data_dir
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import Severity
from gatehook.diagnostics.codes import plugins as codes

SCHEMA_VERSION: Final = 1
WORKSPACE_DIRECTORY: Final = "plugins"


@attrs.frozen(kw_only=True)
class Plan:
    """What will run, what will not, and why.

    Attributes:
        decisions: one for each candidate, in the same order.
        entries: configured entries in their order, then the implied ones.
        activations: one for each entry and kind.
        slots: who fills each slot.
        diagnostics: everything worth saying, also what the parts above carry.
    """

    candidates: tuple[Candidate, ...]
    decisions: tuple[Decision, ...]
    entries: tuple[EntryPlan, ...]
    activations: tuple[Activation, ...]
    slots: tuple[Slot, ...]
    diagnostics: tuple[Diagnostic, ...]

    def decision(self, plugin_id: str) -> Decision | None:
        """Return the decision that counts for an id or a look-alike: the admitted candidate's, else the first."""
        found = [one for one in self.decisions if one.candidate.folded == fold(plugin_id)]
        return next((one for one in found if one.admitted), found[0] if found else None)

    def entry(self, entry_id: str) -> EntryPlan | None:
        """Return an entry."""
        return next((one for one in self.entries if one.entry_id == entry_id), None)

    def slot(self, name: str) -> Slot:
        """Return a slot.

        Raises:
            KeyError: there is no such slot.
        """
        for one in self.slots:
            if one.choice.slot == name:
                return one
        raise KeyError(name)

    def to_json(self) -> Mapping[str, Any]:
        """Return the plan as plain JSON values."""
        from gatehook.catalog.plan_json import plan_to_json

        return plan_to_json(self, SCHEMA_VERSION)


def make_plan(
    config: Config,
    *,
    embedded: Sequence[tuple[Manifest | Mapping[str, Any], object]] = (),
    dev: Sequence[Path] = (),
    no_plugins: bool = False,
    locked: bool = False,
    builtin_dir: Path | None = None,
    places: Places | None = None,
    thorough: bool = False,
) -> Plan:
    """Find, read and decide; import and run nothing.

    Args:
        config: the configuration.
        embedded: plugins of the program that calls: a manifest and an object each.
        dev: directories whose plugins run without consent, in paper mode.
        no_plugins: safe mode: look for built-in plugins only.
        locked: insist on the lock, as if ``plugins.locked`` were set.
        builtin_dir: where the built-in plugins are, in place of the usual directory.
        places: where to look, in place of everything that configuration and ``dev`` say.
        thorough: lint the schema of every plugin, not only of those that take part; say what authors should mark.
    """
    where = places or places_of(config, dev=dev, no_plugins=no_plugins, builtin_dir=builtin_dir)
    found = survey(where, embedded)
    candidates = found.candidates
    policy, findings = gather_policy(config, candidates, locked=locked)
    decisions = admit(candidates, policy)
    linted = lint(candidates, None if thorough else decisions)
    if linted != candidates:
        candidates = linted
        decisions = admit(candidates, policy)
    entries, entry_findings = entry_plans(config, decisions)
    activations, slots = resolve(entries, decisions, slot_choices(config.plugins.slots))
    diagnostics = [
        *found.diagnostics,
        *findings,
        *_about(decisions, config),
        *entry_findings,
        *_objections(activations),
    ]
    if no_plugins:
        diagnostics.append(codes.SAFE_MODE())
    else:
        diagnostics.extend(dangling(config, candidates, policy))
    diagnostics.extend(slot_findings(config, slots, activations))
    diagnostics.extend(news_findings(config, activations))
    if thorough:
        diagnostics.extend(unmarked(candidates))
    return Plan(
        candidates=candidates,
        decisions=decisions,
        entries=entries,
        activations=activations,
        slots=slots,
        diagnostics=tuple(dict.fromkeys(diagnostics)),
    )


def places_of(
    config: Config, *, dev: Sequence[Path] = (), no_plugins: bool = False, builtin_dir: Path | None = None
) -> Places:
    """Return where a configuration looks: safe mode is decided here, before anything is looked at."""
    builtin = builtin_directory() if builtin_dir is None else builtin_dir
    if no_plugins:
        return Places(builtin=builtin)
    return Places(
        builtin=builtin,
        workspace=Path.cwd() / WORKSPACE_DIRECTORY,
        user=user_data_dir() / "plugins",
        config=config.plugins.paths,
        installed=True,
        dev=tuple(dev),
        trusted_uids=frozenset(config.plugins.trusted_uids),
    )


def _about(decisions: Iterable[Decision], config: Config) -> Iterable[Diagnostic]:
    named = _named(config)
    for one in decisions:
        yield from one.candidate.diagnostics
        if one.objection is not None:
            yield _in_proportion(one, one.objection, named)
        elif one.cause == "dev":
            yield codes.DEV(plugin=one.candidate.id, path=one.candidate.root)


def _named(config: Config) -> frozenset[str]:
    """Return what the configuration asks for, folded: plugins of its entries, and what its slots name."""
    slots = (one for named in config.plugins.slots.values() for one in ([named] if isinstance(named, str) else named))
    return frozenset(map(fold, (*(one.plugin_id for one in config.plugins.entries.values()), *slots)))


def _in_proportion(decision: Decision, objection: Diagnostic, named: frozenset[str]) -> Diagnostic:
    """What ships with Gatehook and was not asked for may lack its packages: that is no error, only worth knowing."""
    candidate = decision.candidate
    is_spare = candidate.origin is Origin.BUILTIN and candidate.folded not in named
    if is_spare and decision.cause == codes.PACKAGES_MISSING.id:
        return attrs.evolve(objection, severity=Severity.INFO)
    return objection


def _objections(activations: Iterable[Activation]) -> Iterable[Diagnostic]:
    return (one.objection for one in activations if one.objection is not None)
