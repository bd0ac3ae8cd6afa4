"""What a configuration names in vain: plugins, origins and entries that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import attrs

from gatehook.catalog.activation import Activation
from gatehook.catalog.admission import is_chosen
from gatehook.catalog.candidates import Candidate
from gatehook.catalog.manifest import fold
from gatehook.catalog.policy import Policy
from gatehook.catalog.slots import Slot
from gatehook.config import Config
from gatehook.config import dangling_references
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import news as news_codes
from gatehook.diagnostics.codes import plugins as codes
from gatehook.diagnostics.codes import slots as slot_codes
from gatehook.kinds.kind import Kind


def at(diagnostic: Diagnostic, config: Config, *key: str) -> Diagnostic:
    """Place a diagnostic at a key of the configuration."""
    source = config.sources.of(key)
    return attrs.evolve(diagnostic, path=source.path, line=source.line)


def dangling(config: Config, candidates: Sequence[Candidate], policy: Policy) -> Iterator[Diagnostic]:
    """Yield a finding for every id, entry and path that the configuration names in vain."""
    yield from dangling_references(config, [one.id for one in candidates])
    for plugin_id, choice in policy.overrides.items():
        rivals = [one for one in candidates if one.folded == fold(plugin_id)]
        if rivals and not any(is_chosen(one, choice) for one in rivals):
            places = ", ".join(f"{one.origin} ({one.place})" for one in rivals)
            found = codes.UNKNOWN_OVERRIDE(plugin=plugin_id, choice=choice, known=places)
            yield at(found, config, "plugins", "overrides", plugin_id)


def slot_findings(config: Config, slots: Sequence[Slot], activations: Sequence[Activation]) -> Iterator[Diagnostic]:
    """Yield what is wrong with the slots: entries that do not fit, slots that are down or on a fall-back."""
    for one in slots:
        for finding in _findings(one, activations):
            yield at(finding, config, "plugins", "slots", one.choice.slot)


def _findings(slot: Slot, activations: Sequence[Activation]) -> Iterator[Diagnostic]:
    choice = slot.choice
    fitting = [one.entry_id for one in activations if one.kind is choice.kind]
    known = {one.entry_id for one in activations}
    facts: dict[str, Any] = {"slot": choice.slot, "fitting": ", ".join(fitting) or "none"}
    for entry in choice.entries:
        if entry in known and entry not in fitting:
            yield slot_codes.WRONG_KIND(entry=entry, kind=choice.kind, **facts)
    if not choice.entries:
        yield slot_codes.EMPTIED(slot=choice.slot)
    elif slot.winner != choice.entries[0]:
        first = choice.entries[0]
        why = _why(first, choice.kind, activations)
        if slot.winner is None:
            yield slot_codes.DOWN(entry=first, why=why, **facts)
        else:
            yield slot_codes.FALLBACK(entry=slot.winner, slot=choice.slot, preferred=first, why=why)


def _why(entry: str, kind: Kind, activations: Sequence[Activation]) -> str:
    for one in activations:
        if one.entry_id == entry and one.kind in (kind, None):
            return one.sentence.rstrip(".")
    return f"there is no entry {entry} that provides {kind}"


def news_findings(config: Config, activations: Sequence[Activation]) -> Iterator[Diagnostic]:
    """Yield each entry whose news are to be remembered, and which is no feed."""
    fitting = sorted({one.entry_id for one in activations if one.kind is Kind.FEED})
    known = {one.entry_id for one in activations}
    for place, one in enumerate(config.memory.news):
        if one.feed in known and one.feed not in fitting:
            found = news_codes.NO_FEED(entry=one.feed, fitting=", ".join(fitting) or "none")
            yield at(found, config, "memory", "news", str(place), "feed")
