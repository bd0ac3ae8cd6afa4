"""The decision whether an entry provides a kind: one pure function, with its order of causes as a table.

``disabled`` comes first, then a plugin that may not run, then configuration, then what the entry needs, then the slot.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from typing import Final
from typing import NamedTuple

import attrs

from gatehook.catalog.admission import Decision
from gatehook.catalog.manifest import fold
from gatehook.catalog.requirements import in_range
from gatehook.catalog.slots import Slot
from gatehook.catalog.slots import SlotChoice
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import plugins as codes
from gatehook.diagnostics.codes import slots as slot_codes
from gatehook.diagnostics.records import Code
from gatehook.kinds.kind import Kind


class ActivationStatus(StrEnum):
    """Whether an entry provides a kind."""

    ACTIVE = "active"
    DISABLED = "disabled"
    NEEDS_CONFIG = "needs-config"
    UNMET = "unmet"
    INACTIVE = "inactive"


@attrs.frozen(kw_only=True)
class Use:
    """Another entry that an entry uses: ``pointer`` is the property of its configuration that names it."""

    pointer: str
    entry: str
    kind: Kind


@attrs.frozen(kw_only=True)
class EntryPlan:
    """An entry as activation sees it.

    Attributes:
        implied: whether the configuration does not mention it; its id is the plugin's.
        problems: what its configuration lacks, or what is wrong with it.
        uses: the entries that it uses.
    """

    entry_id: str
    plugin_id: str
    enabled: bool = True
    implied: bool = False
    problems: tuple[Diagnostic, ...] = ()
    uses: tuple[Use, ...] = ()


@attrs.frozen(kw_only=True)
class Activation:
    """What was decided about an entry and a kind; ``kind`` is ``None`` when the plugin's kinds are not known.

    Attributes:
        cause: ``active``, or the id of the code that says why not.
        objection: the diagnostic behind the cause.
    """

    entry_id: str
    plugin_id: str
    kind: Kind | None
    status: ActivationStatus
    cause: str = "active"
    objection: Diagnostic | None = None

    @property
    def active(self) -> bool:
        """Whether the entry provides the kind."""
        return self.status is ActivationStatus.ACTIVE

    @property
    def sentence(self) -> str:
        """Why, in words."""
        return (
            self.objection.message if self.objection is not None else f"The entry {self.entry_id} provides {self.kind}."
        )


@attrs.define
class _State:
    """What is known while the entries are gone through."""

    entries: Mapping[str, EntryPlan]
    by_plugin: Mapping[str, Decision]
    known: tuple[str, ...]
    down: dict[str, tuple[ActivationStatus, Diagnostic]] = attrs.field(factory=dict)
    lost: dict[tuple[str, Kind], tuple[ActivationStatus, Diagnostic]] = attrs.field(factory=dict)

    def kinds(self, entry: EntryPlan) -> tuple[Kind, ...]:
        decision = self.by_plugin.get(fold(entry.plugin_id))
        return () if decision is None or decision.candidate.manifest is None else decision.candidate.manifest.kinds


class ActivationRule(NamedTuple):
    """One row of the table: it objects to an entry before slots are looked at.

    ``codes`` is empty where they are the entry's own problems.
    """

    name: str
    status: ActivationStatus
    objection: Callable[[EntryPlan, _State], Diagnostic | None]
    codes: tuple[Code, ...] = ()


def activate(
    entries: Sequence[EntryPlan], decisions: Iterable[Decision], slots: Sequence[SlotChoice]
) -> tuple[Activation, ...]:
    """Decide about every kind of every entry, in their order. A pure function."""
    return resolve(entries, decisions, slots)[0]


def resolve(
    entries: Sequence[EntryPlan], decisions: Iterable[Decision], slots: Sequence[SlotChoice]
) -> tuple[tuple[Activation, ...], tuple[Slot, ...]]:
    """Decide about every kind of every entry, and say who fills each slot."""
    by_plugin = _acting(decisions)
    known = tuple(one.candidate.id for one in by_plugin.values())
    state = _State({one.entry_id: one for one in entries}, by_plugin, known)
    for entry in entries:
        _apply_rules(entry, state)
    _check_uses(entries, state)
    resolved = tuple(_fill(choice, entries, state) for choice in slots)
    _check_uses(entries, state)
    return tuple([one for entry in entries for one in _activations(entry, state)]), tuple(
        [attrs.evolve(one, winner=None) if one.winner in state.down else one for one in resolved]
    )


def _acting(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Return the decision that speaks for each id: the admitted candidate's, else the first."""
    found: dict[str, Decision] = {}
    for one in decisions:
        known = found.get(one.candidate.folded)
        if known is None or (one.admitted and not known.admitted):
            found[one.candidate.folded] = one
    return found


def _apply_rules(entry: EntryPlan, state: _State) -> None:
    for rule in ACTIVATION_PRECEDENCE:
        objection = rule.objection(entry, state)
        if objection is not None:
            state.down[entry.entry_id] = rule.status, objection
            return


def _about(entry: EntryPlan) -> dict[str, Any]:
    return {"entry": entry.entry_id, "plugin": entry.plugin_id}


def _disabled(entry: EntryPlan, _state: _State) -> Diagnostic | None:
    return None if entry.enabled else codes.ENTRY_DISABLED(**_about(entry))


def _not_admitted(entry: EntryPlan, state: _State) -> Diagnostic | None:
    about = _about(entry)
    decision = state.by_plugin.get(fold(entry.plugin_id))
    if decision is None:
        return codes.ENTRY_UNKNOWN_PLUGIN(**about, hint=did_you_mean(entry.plugin_id, state.known))
    if decision.objection is None:
        return None
    advice = decision.objection.remedy
    return codes.ENTRY_NOT_ADMITTED(**about, why=decision.sentence, advice=advice)


def _needs_config(entry: EntryPlan, _state: _State) -> Diagnostic | None:
    return entry.problems[0] if entry.problems else None


def _requires_plugins(entry: EntryPlan, state: _State) -> Diagnostic | None:
    manifest = state.by_plugin[fold(entry.plugin_id)].candidate.manifest
    for needed, versions in (manifest.requires.plugins if manifest else {}).items():
        why = _why_not(state.by_plugin.get(fold(needed)), versions)
        if why:
            return codes.UNMET_PLUGIN(**_about(entry), needed=needed, why=why)
    return None


def _why_not(decision: Decision | None, versions: str) -> str | None:
    if decision is None:
        return "was not found"
    if not decision.admitted:
        return f"may not run ({decision.status})"
    version = decision.candidate.version
    if versions and version is not None and not in_range(version, versions):
        return f"has the version {version}, not {versions}"
    return None


ACTIVATION_PRECEDENCE: Final[tuple[ActivationRule, ...]] = (
    ActivationRule("disabled", ActivationStatus.DISABLED, _disabled, (codes.ENTRY_DISABLED,)),
    ActivationRule(
        "plugin not admitted",
        ActivationStatus.UNMET,
        _not_admitted,
        (codes.ENTRY_UNKNOWN_PLUGIN, codes.ENTRY_NOT_ADMITTED),
    ),
    ActivationRule("configuration", ActivationStatus.NEEDS_CONFIG, _needs_config),
    ActivationRule("required plugins", ActivationStatus.UNMET, _requires_plugins, (codes.UNMET_PLUGIN,)),
)


def _check_uses(entries: Sequence[EntryPlan], state: _State) -> None:
    """Take down what uses something that is down, until nothing changes; then what uses itself, by way of others."""
    changed = True
    while changed:
        changed = False
        for entry in entries:
            objection = None if entry.entry_id in state.down else _broken_use(entry, state)
            if objection is not None:
                state.down[entry.entry_id] = ActivationStatus.UNMET, objection
                changed = True
    circles = {entry.entry_id: circle for entry in entries if (circle := _circle(entry.entry_id, state))}
    for entry_id, circle in circles.items():
        objection = codes.UNMET_CYCLE(**_about(state.entries[entry_id]), cycle=" → ".join(circle))
        state.down[entry_id] = ActivationStatus.UNMET, objection
    if circles:
        _check_uses(entries, state)


def _broken_use(entry: EntryPlan, state: _State) -> Diagnostic | None:
    for use in entry.uses:
        why = _why_unusable(use, state)
        if why:
            about = _about(entry)
            return codes.UNMET_ENTRY(
                **about, pointer=use.pointer, needed=use.entry, kind=use.kind, setting=use.pointer, why=why
            )
    return None


def _why_unusable(use: Use, state: _State) -> str | None:
    target = state.entries.get(use.entry)
    if target is None:
        return f"does not exist{did_you_mean(use.entry, state.entries)}"
    if use.entry in state.down:
        status, objection = state.down[use.entry]
        return f"is {status}: {objection.message.rstrip('.')}"
    if use.kind not in state.kinds(target):
        return "does not provide that"
    return "does not fill its slot" if (use.entry, use.kind) in state.lost else None


def _circle(start: str, state: _State) -> list[str]:
    """Return a way from an entry to itself, if there is one that is not down already."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for use in state.entries[way[-1]].uses if way[-1] not in state.down else ():
            if use.entry == start:
                return [*way, start]
            if use.entry not in seen and use.entry in state.entries:
                seen.add(use.entry)
                ways.append([*way, use.entry])
    return []


def _fill(choice: SlotChoice, entries: Sequence[EntryPlan], state: _State) -> Slot:
    fit = [one.entry_id for one in entries if choice.kind in state.kinds(one) and one.entry_id not in state.down]
    winner = next((one for one in choice.entries if one in fit), None)
    for entry_id in fit:
        if entry_id == winner:
            continue
        code = slot_codes.STANDBY if entry_id in choice.entries and winner else slot_codes.LOST
        objection = code(**_about(state.entries[entry_id]), slot=choice.slot, winner=_words(choice, winner))
        state.lost[entry_id, choice.kind] = ActivationStatus.INACTIVE, objection
    return Slot(choice=choice, winner=winner)


def _words(choice: SlotChoice, winner: str | None) -> str:
    if winner is not None:
        return winner
    return choice.entries[0] if choice.entries else "nothing (it is emptied)"


def _activations(entry: EntryPlan, state: _State) -> list[Activation]:
    return [_activation(entry, kind, state) for kind in state.kinds(entry) or (None,)]


def _activation(entry: EntryPlan, kind: Kind | None, state: _State) -> Activation:
    outcome = state.down.get(entry.entry_id)
    if outcome is None and kind is not None:
        outcome = state.lost.get((entry.entry_id, kind))
    status, objection = outcome if outcome is not None else (ActivationStatus.ACTIVE, None)
    return Activation(
        entry_id=entry.entry_id,
        plugin_id=entry.plugin_id,
        kind=kind,
        status=status,
        cause=objection.code if objection is not None else "active",
        objection=objection,
    )
