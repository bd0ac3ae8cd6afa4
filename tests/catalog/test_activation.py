"""Activation: the order of causes, what entries use, and slots; against an independent reading."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.catalog import ActivationStatus
from gatehook.catalog import Candidate
from gatehook.catalog import Consent
from gatehook.catalog import ConsentState
from gatehook.catalog import EntryPlan
from gatehook.catalog import Origin
from gatehook.catalog import Policy
from gatehook.catalog import SlotChoice
from gatehook.catalog import Use
from gatehook.catalog import activate
from gatehook.catalog import admit
from gatehook.catalog import manifest_from
from gatehook.catalog.activation import ACTIVATION_PRECEDENCE
from gatehook.catalog.activation import resolve
from gatehook.catalog.policy import key_of
from gatehook.catalog.slots import slot_choices
from gatehook.diagnostics.codes import config as config_codes
from gatehook.kinds.kind import Kind
from tests.catalog.conftest import manifest_of

BROKER, MEMORY = "connector.broker", "memory.backend"


def plugin(plugin_id: str, *kinds: str, origin: Origin = Origin.BUILTIN, **changes) -> Candidate:
    return Candidate(
        id=plugin_id, origin=origin, manifest=manifest_from(manifest_of(plugin_id, kinds=list(kinds), **changes))
    )


PLUGINS = (
    plugin("broker", BROKER),
    plugin("memory-a", MEMORY),
    plugin("memory-b", MEMORY),
    plugin("both", BROKER, MEMORY),
    plugin("denied", BROKER),
)
DECISIONS = admit(PLUGINS, Policy(deny=("denied",)))


def entry(entry_id: str, plugin_id: str = "broker", **about) -> EntryPlan:
    uses = tuple(
        Use(pointer=f"/{number}", entry=name, kind=Kind(kind))
        for number, (name, kind) in enumerate(about.pop("uses", ()))
    )
    return EntryPlan(entry_id=entry_id, plugin_id=plugin_id, uses=uses, **about)


def lacking(entry_id: str):
    return (config_codes.NEEDS_CONFIG(entry=entry_id, needed="token"),)


def memory(*entries: str) -> tuple[SlotChoice, ...]:
    return (SlotChoice(slot="memory", kind=Kind.MEMORY, entries=entries, explicit=True),)


def outcome(*entries: EntryPlan, slots=(), decisions=DECISIONS) -> dict:
    return {
        (one.entry_id, one.kind and str(one.kind)): (str(one.status), one.cause)
        for one in activate(entries, decisions, slots)
    }


@pytest.mark.parametrize(
    ("one", "status", "cause"),
    [
        (entry("e"), "active", "active"),
        (entry("e", enabled=False), "disabled", "entry.disabled"),
        (entry("e", "denied"), "unmet", "entry.plugin-not-admitted"),
        (entry("e", problems=lacking("e")), "needs-config", "config.needs-config"),
        (entry("e", uses=[("none", BROKER)]), "unmet", "entry.requires-entry"),
        (entry("e", uses=[("e", BROKER)]), "unmet", "entry.requires-cycle"),
        (entry("e", "denied", enabled=False), "disabled", "entry.disabled"),
        (entry("e", enabled=False, problems=lacking("e")), "disabled", "entry.disabled"),
        (entry("e", "denied", problems=lacking("e")), "unmet", "entry.plugin-not-admitted"),
        (entry("e", problems=lacking("e"), uses=[("none", BROKER)]), "needs-config", "config.needs-config"),
    ],
)
def test_each_cause_in_its_order(one, status, cause):
    assert outcome(one) == {("e", BROKER): (status, cause)}


def test_an_entry_of_an_unknown_plugin_has_no_kind_and_names_a_near_one():
    (found,) = activate([entry("e", "brokr")], DECISIONS, ())
    assert (found.kind, found.status, found.cause) == (None, ActivationStatus.UNMET, "entry.unknown-plugin")
    assert 'did you mean "broker"' in found.sentence


@pytest.mark.parametrize(
    ("needs", "cause"),
    [
        ({"broker": ""}, "active"),
        ({"broker": ">=0.1"}, "active"),
        ({"broker": ">=9"}, "entry.requires-plugin"),
        ({"denied": ""}, "entry.requires-plugin"),
        ({"gone": ""}, "entry.requires-plugin"),
    ],
)
def test_required_plugins(needs, cause):
    decisions = admit((*PLUGINS, plugin("needy", BROKER, requires={"plugins": needs})), Policy(deny=("denied",)))
    assert outcome(entry("e", "needy"), decisions=decisions)["e", BROKER][1] == cause


def test_what_uses_something_that_is_down_is_down_all_the_way():
    found = outcome(
        entry("first", uses=[("second", BROKER)]),
        entry("second", uses=[("third", BROKER)]),
        entry("third", enabled=False),
        entry("fourth"),
    )
    assert [found[name, BROKER][0] for name in ("first", "second", "third", "fourth")] == [
        "unmet",
        "unmet",
        "disabled",
        "active",
    ]


def test_a_long_way_to_something_that_is_down_is_gone_to_its_end():
    names = [f"e{number}" for number in range(6)]
    chain = [entry(one, uses=[(after, BROKER)]) for one, after in pairwise(names)]
    found = outcome(*chain, entry(names[-1], enabled=False))
    assert [found[name, BROKER][0] for name in names] == ["unmet"] * 5 + ["disabled"]


@pytest.mark.parametrize("override", [None, "user"])
def test_the_admitted_one_of_an_id_speaks_for_it(override):
    ours, theirs = plugin("same", BROKER), plugin("same", BROKER, origin=Origin.USER)
    consents = {key_of(theirs): Consent(state=ConsentState.GRANTED)}
    overrides = {} if override is None else {"same": override}
    decisions = admit((ours, theirs), Policy(overrides=overrides, consents=consents))
    assert outcome(entry("e", "same"), decisions=decisions)["e", BROKER] == ("active", "active")


def test_where_none_of_an_id_is_admitted_the_first_says_why():
    ours = plugin("same", BROKER, requires={"api": ">=9,<10"})
    (found,) = activate([entry("e", "same")], admit((ours, plugin("same", BROKER, origin=Origin.USER)), Policy()), ())
    assert "plugin API" in found.sentence


def test_a_used_entry_must_provide_the_kind():
    found = activate([entry("e", uses=[("m", BROKER)]), entry("m", "memory-a")], DECISIONS, memory("m"))
    assert found[0].cause == "entry.requires-entry"
    assert "does not provide that" in found[0].sentence


def test_a_circle_is_named_and_takes_down_what_leads_into_it():
    one, two = entry("one", uses=[("two", BROKER)]), entry("two", uses=[("one", BROKER)])
    outside = entry("outside", uses=[("one", BROKER)])
    found = activate([outside, one, two], DECISIONS, ())
    assert [each.cause for each in found] == ["entry.requires-entry", "entry.requires-cycle", "entry.requires-cycle"]
    assert "one → two → one" in found[1].sentence


def test_the_slot_has_one_winner_and_the_losers_are_inactive():
    found = outcome(entry("a", "memory-a"), entry("b", "memory-b"), slots=memory("b"))
    assert found == {("a", MEMORY): ("inactive", "slots.lost"), ("b", MEMORY): ("active", "active")}


def test_a_loser_of_a_slot_keeps_its_other_kinds():
    found = outcome(entry("a", "memory-a"), entry("x", "both"), slots=memory("a"))
    assert found["x", BROKER] == ("active", "active")
    assert found["x", MEMORY] == ("inactive", "slots.lost")


def test_a_list_is_an_order_and_the_rest_stands_by():
    entries = [entry("a", "memory-a"), entry("b", "memory-b"), entry("c", "memory-b")]
    activations, (slot,) = resolve(entries, DECISIONS, memory("b", "a"))
    assert slot.winner == "b"
    assert [one.cause for one in activations] == ["slots.standby", "active", "slots.lost"]
    activations, (slot,) = resolve([entry("b", "memory-b", enabled=False), *entries[:1]], DECISIONS, memory("b", "a"))
    assert slot.winner == "a"


def test_regression_06_a_disabled_owner_leaves_the_slot_down_and_nobody_else_in_it():
    activations, (slot,) = resolve(
        [entry("a", "memory-a", enabled=False), entry("b", "memory-b")], DECISIONS, memory("a")
    )
    assert (slot.winner, slot.down) == (None, True)
    assert [str(one.status) for one in activations] == ["disabled", "inactive"]


def test_an_emptied_slot_is_not_down():
    activations, (slot,) = resolve([entry("a", "memory-a")], DECISIONS, memory())
    assert (slot.winner, slot.down) == (None, False)
    assert activations[0].status is ActivationStatus.INACTIVE


def test_a_slot_that_nobody_chose_is_the_defaults_never_the_only_one_there():
    (choice,) = slot_choices({})
    assert (choice.slot, choice.entries, choice.explicit) == ("memory", ("sqlite_fts",), False)
    _, (slot,) = resolve([entry("a", "memory-a")], DECISIONS, (choice,))
    assert slot.down


def test_choices_of_slots():
    assert slot_choices({"memory": "none"})[0].entries == ()
    assert slot_choices({"memory": ("a", "a", "none", "b")})[0].entries == ("a", "b")
    assert slot_choices({"memory": "a"})[0] == memory("a")[0]


def test_what_leads_into_a_circle_leaves_the_slot_to_the_next():
    entries = [
        entry("a", "memory-a", uses=[("one", BROKER)]),
        entry("one", uses=[("two", BROKER)]),
        entry("two", uses=[("one", BROKER)]),
        entry("b", "memory-b"),
    ]
    _, (slot,) = resolve(entries, DECISIONS, memory("a", "b"))
    assert slot.winner == "b"


def test_an_entry_of_another_kind_fills_no_slot():
    _, (slot,) = resolve([entry("e"), entry("a", "memory-a")], DECISIONS, memory("e"))
    assert slot.down


def test_using_an_entry_that_lost_its_slot_is_unmet():
    found = outcome(entry("u", uses=[("a", MEMORY)]), entry("a", "memory-a"), entry("b", "memory-b"), slots=memory("b"))
    assert found["u", BROKER] == ("unmet", "entry.requires-entry")


def test_a_winner_that_uses_the_loser_leaves_the_slot_down():
    entries = [entry("a", "memory-a", uses=[("b", MEMORY)]), entry("b", "memory-b")]
    activations, (slot,) = resolve(entries, DECISIONS, memory("a"))
    assert [str(one.status) for one in activations] == ["unmet", "inactive"]
    assert slot.down


def test_regression_07_switching_a_slot_there_and_back_changes_nothing_else():
    entries = [entry("a", "memory-a"), entry("b", "memory-b")]
    there = resolve(entries, DECISIONS, memory("a"))
    assert resolve(entries, DECISIONS, memory("b")) != there
    assert resolve(entries, DECISIONS, memory("a")) == there


def test_the_table_is_whole():
    statuses = {rule.status for rule in ACTIVATION_PRECEDENCE}
    assert statuses | {ActivationStatus.ACTIVE, ActivationStatus.INACTIVE} == set(ActivationStatus)


# An independent reading: it shares no code with the table, and recurses where the code iterates.

NAMES = ["a", "b", "c", "d"]
KINDS = {one.id: [str(kind) for kind in one.manifest.kinds] for one in PLUGINS}


@st.composite
def situations(draw):
    entries = [
        entry(
            name,
            draw(st.sampled_from([*KINDS, "gone"])),
            enabled=draw(st.integers(0, 5)) > 0,
            problems=lacking(name) if draw(st.integers(0, 5)) == 0 else (),
            uses=draw(
                st.lists(st.tuples(st.sampled_from([*NAMES, "nowhere"]), st.sampled_from([BROKER, MEMORY])), max_size=1)
            ),
        )
        for name in NAMES[: draw(st.integers(1, 4))]
    ]
    return entries, memory(*draw(st.lists(st.sampled_from([*NAMES, "nowhere"]), max_size=2, unique=True)))


def expected(entries, slots):  # noqa: C901  one reading, in one place
    by_name = {one.entry_id: one for one in entries}

    def itself(one) -> str | None:
        if not one.enabled:
            return "disabled"
        if one.plugin_id in ("denied", "gone"):
            return "unmet"
        return "needs-config" if one.problems else None

    def ready(name: str, way: tuple[str, ...] = ()) -> bool:
        if name not in by_name or name in way or itself(by_name[name]):
            return False
        return all(
            kind in KINDS[by_name[target].plugin_id] and ready(target, (*way, name))
            if target in by_name and by_name[target].plugin_id in KINDS
            else False
            for target, kind in ((use.entry, str(use.kind)) for use in by_name[name].uses)
        )

    fit = [name for name in by_name if ready(name) and MEMORY in KINDS[by_name[name].plugin_id]]
    winner = next((name for name in slots[0].entries if name in fit), None)

    def serves(name: str) -> bool:
        return ready(name) and all(
            serves(use.entry) and (str(use.kind) != MEMORY or use.entry == winner) for use in by_name[name].uses
        )

    found = {}
    for name, one in by_name.items():
        for kind in KINDS.get(one.plugin_id, [None]):
            status = itself(one) or (None if serves(name) else "unmet")
            if status is None:
                status = "active" if kind != MEMORY or name == winner else "inactive"
            found[name, kind] = status
    return found


@settings(max_examples=100, deadline=None)
@given(situations())
def test_activation_follows_its_precedence(situation):
    entries, slots = situation
    found = {name: status for name, (status, _) in outcome(*entries, slots=slots).items()}
    assert found == expected(entries, slots)


@settings(max_examples=50, deadline=None)
@given(situations())
def test_the_order_of_entries_decides_nothing(situation):
    entries, slots = situation
    assert {name: status for name, (status, _) in outcome(*entries, slots=slots).items()} == {
        name: status for name, (status, _) in outcome(*entries[::-1], slots=slots).items()
    }
