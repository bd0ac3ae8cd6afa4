"""Admission: the table against an independent reading of its order, and each cause by itself."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.catalog import AdmissionStatus
from gatehook.catalog import Candidate
from gatehook.catalog import CandidateState
from gatehook.catalog import Consent
from gatehook.catalog import ConsentState
from gatehook.catalog import Manifest
from gatehook.catalog import Origin
from gatehook.catalog import Policy
from gatehook.catalog import Tree
from gatehook.catalog import admit
from gatehook.catalog import manifest_from
from gatehook.catalog.admission import ADMITTED_BECAUSE
from gatehook.catalog.admission import PRECEDENCE
from gatehook.catalog.policy import BlockedVersion
from gatehook.catalog.policy import LockedPlugin
from gatehook.catalog.policy import key_of
from gatehook.diagnostics.codes import manifest as manifest_codes
from gatehook.diagnostics.codes import plugins as codes
from gatehook.kinds.accounts import Mode
from tests.catalog.conftest import manifest_of

BLOCKED = codes.WRITABLE(path=Path("/x"), quoted="/x")
INVALID = manifest_codes.NOT_JSON(path=Path("/x"), reason="broken")


def candidate(
    plugin_id="one", origin=Origin.BUILTIN, *, place="", state=CandidateState.OK, dev=False, **changes
) -> Candidate:
    broken = {CandidateState.OK: (), CandidateState.BLOCKED: (BLOCKED,), CandidateState.INVALID: (INVALID,)}[state]
    return Candidate(
        id=plugin_id,
        origin=origin,
        directory=None if origin is Origin.EMBEDDED else f"/{origin}/{place or plugin_id}",
        manifest=None if state is CandidateState.INVALID else manifest_from(manifest_of(plugin_id, **changes)),
        state=state,
        diagnostics=broken,
        dev=dev,
    )


def granted(*candidates: Candidate) -> dict:
    return {
        key_of(one): Consent(state=ConsentState.GRANTED, tree=Tree(Path("/x"), "sha256:0", {})) for one in candidates
    }


def decide(one: Candidate, *others: Candidate, **policy):
    return admit((one, *others), Policy(**policy))[0]


@pytest.mark.parametrize(
    ("one", "policy", "status", "cause"),
    [
        (candidate(), {}, "admitted", "builtin"),
        (candidate(origin=Origin.EMBEDDED), {}, "admitted", "embedded"),
        (candidate(origin=Origin.CONFIG, dev=True), {}, "admitted", "dev"),
        (candidate(), {"enabled": False}, "denied", "plugins.off"),
        (candidate(), {"deny": ("One",)}, "denied", "plugins.denied"),
        (candidate("a-b"), {"deny": ("a_b",)}, "denied", "plugins.denied"),
        (
            candidate(),
            {"blocklist": (BlockedVersion(id="one", first_good="0.2", reason="bad", link="https://x"),)},
            "blocklisted",
            "plugins.blocklisted",
        ),
        (
            candidate(),
            {"blocklist": (BlockedVersion(id="one", first_good=None, reason="bad"),)},
            "blocklisted",
            "plugins.blocklisted",
        ),
        (
            candidate(),
            {"blocklist": (BlockedVersion(id="one", first_good="0.1.0", reason="bad"),)},
            "admitted",
            "builtin",
        ),
        (
            candidate(state=CandidateState.INVALID),
            {"blocklist": (BlockedVersion(id="one", first_good="0.1", reason="bad"),)},
            "blocklisted",
            "plugins.blocklisted",
        ),
        (candidate(state=CandidateState.BLOCKED), {}, "blocked", "plugins.writable-by-others"),
        (candidate(state=CandidateState.INVALID), {}, "invalid", "manifest.not-json"),
        (candidate(requires={"api": ">=2,<3"}), {}, "incompatible", "requires.api"),
        (candidate(requires={"api": ">=1.0,<2"}), {}, "admitted", "builtin"),
        (candidate(entry={"type": "node.module", "module": "x.mjs"}), {}, "incompatible", "runtime.unavailable"),
        (
            candidate(entry={"type": "external.mcp", "url": "http://x"}),
            {"runtimes": frozenset({"external.mcp"})},
            "admitted",
            "builtin",
        ),
        (
            candidate(entry={"type": "python.module", "module": "x.py", "isolation": "process"}),
            {},
            "incompatible",
            "runtime.unavailable",
        ),
        (candidate(origin=Origin.USER), {"allow": ("two",)}, "not-allowed", "plugins.not-allowed"),
        (candidate(), {"allow": ("two",)}, "admitted", "builtin"),
        (candidate("a-b", Origin.CONFIG, dev=True), {"allow": ("A_b",)}, "admitted", "dev"),
        (candidate(), {"locked": {}}, "not-locked", "lock.missing"),
        (candidate(origin=Origin.USER), {}, "needs-consent", "consent.missing"),
        (candidate(origin=Origin.CONFIG, dev=True), {"mode": Mode.DEMO}, "needs-consent", "consent.dev-paper-only"),
    ],
)
def test_each_cause(one, policy, status, cause):
    found = decide(one, **policy)
    assert (found.status, found.cause) == (status, cause)
    assert found.sentence
    assert (found.objection is None) is found.admitted


def test_missing_packages_are_named():
    one = candidate(requires={"packages": ["no-such-package>=1"]})
    found = decide(one, missing={key_of(one): ("no-such-package>=1 (not installed)",)})
    assert (found.status, found.cause) == ("incompatible", "requires.packages")
    assert 'pip install "no-such-package>=1"' in found.objection.remedy


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (ConsentState.MISSING, "consent.missing"),
        (ConsentState.TREE_CHANGED, "consent.changed"),
        (ConsentState.ASKS_CHANGED, "consent.changed"),
        (ConsentState.REFUSED, "consent.tree-refused"),
    ],
)
def test_consent_that_does_not_hold(state, cause):
    one = candidate(origin=Origin.USER)
    found = decide(one, consents={key_of(one): Consent(state=state, detail="why", path=Path("/x/y"))})
    assert (found.status, found.cause, found.tree) == ("needs-consent", cause, None)


def test_an_admitted_plugin_carries_the_tree_that_was_agreed_to():
    one = candidate(origin=Origin.USER)
    found = decide(one, consents=granted(one))
    assert (found.cause, found.tree.digest) == ("consent", "sha256:0")


def test_a_dev_plugin_outside_paper_mode_runs_by_consent_only():
    one = candidate(origin=Origin.CONFIG, dev=True)
    assert decide(one, mode=Mode.LIVE, consents=granted(one)).cause == "consent"


@pytest.mark.parametrize("what", ["version", "origin", "digest"])
def test_the_lock_names_what_differs(what):
    one = candidate()
    recorded = LockedPlugin(id="one", version="0.1.0", origin=Origin.BUILTIN, digest="sha256:0")
    other = {"version": "0.2", "origin": Origin.USER, "digest": "sha256:1"}[what]
    for lock, status in ((recorded, "admitted"), (attrs.evolve(recorded, **{what: other}), "not-locked")):
        found = decide(one, locked={"one": lock}, digests={key_of(one): "sha256:0"})
        assert found.status == status
    assert found.cause == "lock.differs"
    assert f"its {what} is" in found.sentence


def test_a_directory_that_could_not_be_hashed_differs_from_the_lock():
    recorded = LockedPlugin(id="one", version="0.1.0", origin=Origin.BUILTIN, digest="sha256:0")
    found = decide(candidate(), locked={"one": recorded})
    assert (found.status, found.cause) == ("not-locked", "lock.differs")
    assert "its digest is none" in found.sentence


def test_a_block_list_that_cannot_be_read_stops_all_but_trusted():
    fault = codes.BLOCKLIST_UNREADABLE(path=Path("/l"), reason="gone")
    assert decide(candidate(), blocklist_fault=fault).admitted
    found = decide(candidate(origin=Origin.USER), blocklist_fault=fault)
    assert (found.status, found.cause) == ("blocklisted", "blocklist.unreadable")


def test_fault_03_the_earlier_origin_wins_and_the_later_is_listed_with_its_rival():
    mine, theirs = candidate(), candidate(origin=Origin.USER)
    assert decide(mine, theirs).admitted
    found = decide(theirs, mine)
    assert (found.status, found.cause) == ("shadowed", "plugins.shadowed")
    assert [(one.origin, one.place) for one in found.rivals] == [(Origin.BUILTIN, "/builtin/one")]


@pytest.mark.parametrize("state", [CandidateState.BLOCKED, CandidateState.INVALID])
def test_a_bad_earlier_plugin_still_holds_its_id(state):
    assert decide(candidate(origin=Origin.USER), candidate(state=state)).status == "shadowed"
    assert decide(candidate(origin=Origin.USER), candidate(), deny=("other",)).status == "shadowed"


def test_look_alikes_are_one_id():
    assert decide(candidate("a-b", Origin.USER), candidate("a_b")).status == "shadowed"


def test_two_of_one_origin_are_both_out_until_told_which():
    one, two = candidate(origin=Origin.USER, place="1"), candidate(origin=Origin.USER, place="2")
    for found in admit((one, two), Policy()):
        assert (found.status, found.cause) == ("shadowed", "plugins.duplicate-id")
        assert "/user/1, /user/2" in found.sentence
    told = Policy(overrides={"one": "/user/2"}, consents=granted(one, two))
    assert [found.status for found in admit((one, two), told)] == ["shadowed", "admitted"]


def test_a_duplicate_holds_its_id_against_later_origins():
    one, two = candidate(origin=Origin.USER, place="1"), candidate(origin=Origin.USER, place="2")
    assert decide(candidate(origin=Origin.CONFIG), one, two).cause == "plugins.shadowed"


def test_an_override_takes_over_and_inherits_no_trust():
    ours, theirs = candidate(), candidate(origin=Origin.USER)
    policy = Policy(overrides={"one": "user"})
    assert [found.status for found in admit((ours, theirs), policy)] == ["shadowed", "needs-consent"]


def test_an_override_that_fits_nothing_changes_nothing():
    assert decide(candidate(), candidate(origin=Origin.USER), overrides={"one": "/nowhere"}).admitted


def test_fault_06_deny_wins_over_allow():
    one = candidate(origin=Origin.USER)
    assert decide(one, allow=("one",), deny=("one",), consents=granted(one)).status == "denied"


def test_plugins_that_are_off_are_not_called_denied():
    assert decide(candidate(), enabled=False, deny=("one",)).cause == "plugins.off"


def test_what_is_wrong_with_a_plugin_comes_before_what_this_gatehook_lacks():
    broken = attrs.evolve(candidate(), manifest=NODE, state=CandidateState.INVALID, diagnostics=(INVALID,))
    assert decide(broken).status == "invalid"


def test_the_tables_are_whole():
    assert {rule.status for rule in PRECEDENCE} | {AdmissionStatus.ADMITTED} == set(AdmissionStatus)
    assert len({rule.name for rule in PRECEDENCE}) == len(PRECEDENCE)
    named = [code.id for rule in PRECEDENCE for code in rule.codes]
    assert len(set(named)) == len(named)
    assert all(sentence.endswith(".") for sentence in ADMITTED_BECAUSE.values())


# An independent reading of the precedence: it shares no code with the table.

GOOD: Manifest = manifest_from(manifest_of("one"))
NODE: Manifest = manifest_from(manifest_of("one", entry={"type": "node.module", "module": "x.mjs"}))


@st.composite
def situations(draw):
    places = draw(st.lists(st.sampled_from(list(product(Origin, "12"))), min_size=1, max_size=4, unique=True))
    found = []
    for origin, place in places:
        made = candidate(
            draw(st.sampled_from(["one", "o-ne", "o_ne"])),
            origin,
            place=place,
            state=draw(st.sampled_from([*CandidateState, CandidateState.OK, CandidateState.OK])),
            dev=origin is Origin.CONFIG and draw(st.booleans()),
        )
        if made.manifest is not None and draw(st.integers(0, 3)) == 0:
            made = attrs.evolve(made, manifest=NODE)
        found.append(made)
    ids = st.sampled_from(["one", "o_ne", "other"])
    some = st.lists(ids, max_size=1).map(tuple)
    choices = [str(one.origin) for one in found] + [str(one.root) for one in found]
    policy = Policy(
        enabled=draw(st.integers(0, 9)) > 0,
        allow=draw(some),
        deny=draw(some),
        overrides=draw(st.dictionaries(st.sampled_from(["one", "o-ne"]), st.sampled_from(choices), max_size=1)),
        blocklist=tuple(BlockedVersion(id=one, first_good=None, reason="r") for one in draw(some)),
        locked=draw(st.none() | st.just({}) | st.just(_lock(found))),
        consents=granted(*(one for one in found if draw(st.booleans()))),
        mode=draw(st.sampled_from(Mode)),
    )
    return tuple(found), policy


def _lock(found):
    return {one.id: LockedPlugin(id=one.id, version=one.version or "", origin=one.origin, digest=None) for one in found}


def same(left: str, right: str) -> bool:
    return left.lower().replace("-", "_") == right.lower().replace("-", "_")


def expected(one: Candidate, everyone: tuple[Candidate, ...], policy: Policy) -> str:  # noqa: C901, PLR0911  one line a rule
    rivals = [other for other in everyone if same(other.id, one.id)]
    if not policy.enabled:
        return "denied"
    if any(same(one.id, denied) for denied in policy.deny):
        return "denied"
    if any(same(one.id, bad.id) for bad in policy.blocklist):
        return "blocklisted"
    if one.state is CandidateState.BLOCKED:
        return "blocked"
    if one.state is CandidateState.INVALID:
        return "invalid"
    if one.manifest is NODE and one.origin is not Origin.EMBEDDED:
        return "incompatible"
    choices = [choice for named, choice in policy.overrides.items() if same(named, one.id)]
    chosen = [other for other in rivals if choices and choices[0] in (other.origin, str(other.root))]
    if not chosen:
        order = list(Origin)
        first = min(order.index(other.origin) for other in rivals)
        chosen = [other for other in rivals if order.index(other.origin) == first]
    if len(chosen) != 1 or chosen[0] is not one:
        return "shadowed"
    if policy.allow and one.origin is not Origin.BUILTIN and not any(same(one.id, named) for named in policy.allow):
        return "not-allowed"
    if policy.locked is not None:
        recorded = policy.locked.get(one.id)
        if recorded is None or (recorded.version, recorded.origin) != (one.version, one.origin):
            return "not-locked"
    if one.origin in (Origin.EMBEDDED, Origin.BUILTIN) or (one.dev and policy.mode is Mode.PAPER):
        return "admitted"
    return "admitted" if (one.origin, str(one.root)) in policy.consents else "needs-consent"


@settings(max_examples=100, deadline=None)
@given(situations())
def test_admission_follows_its_precedence(situation):
    everyone, policy = situation
    decisions = admit(everyone, policy)
    assert [one.candidate for one in decisions] == list(everyone)
    assert [str(one.status) for one in decisions] == [expected(one, everyone, policy) for one in everyone]
    assert admit(everyone, policy) == decisions
    for one in decisions:
        assert one.sentence
        assert len(one.rivals) == sum(same(other.id, one.candidate.id) for other in everyone) - 1


@settings(max_examples=50, deadline=None)
@given(situations())
def test_the_order_in_which_plugins_are_found_decides_nothing(situation):
    everyone, policy = situation
    forwards = {id(one.candidate): one.status for one in admit(everyone, policy)}
    backwards = {id(one.candidate): one.status for one in admit(everyone[::-1], policy)}
    assert forwards == backwards
