"""What a configuration names in vain: plugins, origins and entries that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

import attrs

from gatehook.catalog.activation import EntryPlan
from gatehook.catalog.activation import Activation
from gatehook.catalog.admission import is_chosen
from gatehook.catalog.candidates import Candidate
from gatehook.catalog.manifest import fold
from gatehook.catalog.policy import Policy
from gatehook.catalog.slots import SLOTS
from gatehook.catalog.slots import Slot
from gatehook.config import Config
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import plugins as codes
from gatehook.diagnostics.codes import slots as slot_codes
from gatehook.kinds.kind import Kind


def at(diagnostic: Diagnostic, config: Config, *key: str) -> Diagnostic:
    """Place a diagnostic at a key of the configuration."""
    source = config.sources.of(key)
    return attrs.evolve(diagnostic, path=source.path, line=source.line)


def dangling_plugins(config: Config, candidates: Sequence[Candidate], policy: Policy) -> Iterator[Diagnostic]:
    """Yield a finding for every id in ``allow``, ``deny`` and ``overrides`` that no candidate has."""
    known = {one.folded: one.id for one in candidates}
    for setting in ("allow", "deny", "overrides"):
        for plugin_id in getattr(config.plugins, setting):
            if fold(plugin_id) not in known:
                hint = did_you_mean(plugin_id, known.values())
                found = codes.UNKNOWN_REFERENCE(plugin=plugin_id, setting=f"plugins.{setting}", hint=hint)
                yield at(found, config, "plugins", setting)
    for plugin_id, choice in policy.overrides.items():
        rivals = [one for one in candidates if one.folded == fold(plugin_id)]
        if rivals and not any(is_chosen(one, choice) for one in rivals):
            places = ", ".join(f"{one.origin} ({one.place})" for one in rivals)
            found = codes.UNKNOWN_OVERRIDE(plugin=plugin_id, choice=choice, known=places)
            yield at(found, config, "plugins", "overrides", plugin_id)


def slot_findings(
    config: Config, slots: Sequence[Slot], entries: Sequence[EntryPlan], activations: Sequence[Activation]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with the slots: unknown ones, entries that do not exist or do not fit, and slots that are down."""
    for slot in config.plugins.slots:
        if slot not in SLOTS:
            hint = did_you_mean(slot, SLOTS)
            yield at(slot_codes.UNKNOWN_SLOT(slot=slot, hint=hint, known=", ".join(SLOTS)), config, "plugins", "slots")
    for one in slots:
        for finding in _findings(one, entries, activations):
            yield at(finding, config, "plugins", "slots", one.choice.slot)


def _findings(
    slot: Slot, entries: Sequence[EntryPlan], activations: Sequence[Activation]
) -> Iterator[Diagnostic]:
    choice, known = slot.choice, {one.entry_id for one in entries}
    fitting = [one.entry_id for one in activations if one.kind is choice.kind]
    facts = {"slot": choice.slot, "fitting": ", ".join(fitting) or "none"}
    for entry in choice.entries if choice.explicit else ():
        if entry not in known:
            yield slot_codes.UNKNOWN_ENTRY(entry=entry, hint=did_you_mean(entry, fitting), **facts)
        elif entry not in fitting:
            yield slot_codes.WRONG_KIND(entry=entry, kind=choice.kind, **facts)
    if slot.down:
        why = _why(choice.entries[0], choice.kind, activations)
        yield slot_codes.DOWN(entry=choice.entries[0], slot=choice.slot, why=why)
    elif slot.winner is not None and slot.winner != choice.entries[0]:
        why = _why(choice.entries[0], choice.kind, activations)
        yield slot_codes.FALLBACK(entry=slot.winner, slot=choice.slot, preferred=choice.entries[0], why=why)
    elif not choice.entries:
        yield slot_codes.EMPTIED(slot=choice.slot)


def _why(entry: str, kind: Kind, activations: Sequence[Activation]) -> str:
    for one in activations:
        if one.entry_id == entry and one.kind in (kind, None):
            return one.sentence.rstrip(".")
    return f"there is no entry {entry} that provides {kind}"


