"""The decision whether a plugin may take part: one pure function over a table of rules.

``PRECEDENCE`` is the order of causes. The first rule that objects to a candidate decides; the page of
causes in the documentation is made from the same table.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import NamedTuple

import attrs

from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import CandidateState
from gatehook.catalog.candidates import Origin
from gatehook.catalog.manifest import fold
from gatehook.catalog.policy import Consent
from gatehook.catalog.policy import ConsentState
from gatehook.catalog.policy import Policy
from gatehook.catalog.policy import key_of
from gatehook.catalog.requirements import SDK
from gatehook.catalog.requirements import in_range
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import plugins as codes
from gatehook.diagnostics.records import Code
from gatehook.kinds.accounts import Mode

if TYPE_CHECKING:
    from gatehook.catalog.tree import Tree


class AdmissionStatus(StrEnum):
    """Whether a plugin may take part, and if not, which kind of reason it is."""

    ADMITTED = "admitted"
    DENIED = "denied"
    BLOCKLISTED = "blocklisted"
    BLOCKED = "blocked"
    INVALID = "invalid"
    INCOMPATIBLE = "incompatible"
    SHADOWED = "shadowed"
    NOT_ALLOWED = "not-allowed"
    NOT_LOCKED = "not-locked"
    NEEDS_CONSENT = "needs-consent"


@attrs.frozen
class Rival:
    """Another candidate with the same id, or one that looks the same."""

    id: str
    origin: Origin
    place: str
    version: str | None


@attrs.frozen
class Objection:
    """Why a rule stops a candidate: a code and its facts, or a diagnostic that was there before."""

    candidate: Candidate
    code: Code | Diagnostic
    facts: Mapping[str, Any] = MappingProxyType({})

    @property
    def cause(self) -> str:
        """The id of the code."""
        return self.code.code if isinstance(self.code, Diagnostic) else self.code.id

    @property
    def diagnostic(self) -> Diagnostic:
        """The objection as a diagnostic; made when somebody looks, for it costs more than the decision."""
        if isinstance(self.code, Diagnostic):
            return self.code
        one = self.candidate
        return self.code(**{"plugin": one.id, "origin": str(one.origin), "path": one.root, **self.facts})


@attrs.frozen(kw_only=True)
class Decision:
    """What was decided about a candidate.

    Attributes:
        cause: the id of the code that says why; for an admitted plugin a key of ``ADMITTED_BECAUSE``.
        because: what the deciding rule objected; ``None`` when it is admitted.
        rivals: all others with its id.
        tree: the hashed tree that a consent is pinned to; only its bytes may run. ``None``: no consent is needed.
    """

    candidate: Candidate
    status: AdmissionStatus
    cause: str
    because: Objection | None = attrs.field(default=None, repr=False)
    rivals: tuple[Rival, ...] = ()
    tree: Tree | None = attrs.field(default=None, repr=False)

    @property
    def admitted(self) -> bool:
        """Whether it may take part."""
        return self.status is AdmissionStatus.ADMITTED

    @property
    def objection(self) -> Diagnostic | None:
        """The diagnostic behind the cause; ``None`` when it is admitted."""
        return None if self.because is None else self.because.diagnostic

    @property
    def sentence(self) -> str:
        """Why, in words."""
        return self.because.diagnostic.message if self.because is not None else ADMITTED_BECAUSE[self.cause]


#: Why an admitted plugin may run.
ADMITTED_BECAUSE: Final[Mapping[str, str]] = {
    "embedded": "It is part of the program that runs the host.",
    "builtin": "It ships with Gatehook.",
    "dev": "It is being worked on (--dev): no consent, paper mode only.",
    "consent": "Its code was looked at and agreed to, and has not changed since.",
}


class Group(NamedTuple):
    """All candidates that share an id, and who holds it; nobody does when two of one origin claim it."""

    members: tuple[Candidate, ...]
    holder: Candidate | None
    claimants: tuple[Candidate, ...]


@attrs.define
class Case:
    """A candidate, what it is measured by, and who else claims its id."""

    candidate: Candidate
    policy: Policy
    group: Group
    sets: _Sets

    def objection(self, code: Code | Diagnostic, **facts: Any) -> Objection:
        """Make an objection to the candidate."""
        return Objection(self.candidate, code, facts)

    def own(self) -> Objection:
        """Return what was found wrong when the candidate was read."""
        return Objection(self.candidate, self.candidate.diagnostics[0])


@attrs.define
class _Sets:
    """The lists of a policy, folded once."""

    deny: frozenset[str]
    allow: frozenset[str]


class Rule(NamedTuple):
    """One row of the precedence table.

    Attributes:
        name: what the row is about, in words.
        status: what a plugin is that it objects to.
        objection: returns the objection, or ``None``.
        codes: the causes it can give; empty where they are the candidate's own diagnostics.
    """

    name: str
    status: AdmissionStatus
    objection: Callable[[Case], Objection | None]
    codes: tuple[Code, ...] = ()


def admit(candidates: Iterable[Candidate], policy: Policy) -> tuple[Decision, ...]:
    """Decide about every candidate, in their order. A pure function: no file, clock or environment is looked at."""
    found = tuple(candidates)
    groups = _groups(found, policy)
    sets = _Sets(frozenset(map(fold, policy.deny)), frozenset(map(fold, policy.allow)))
    return tuple([_decide(Case(one, policy, groups[one.folded], sets)) for one in found])


def _decide(case: Case) -> Decision:
    candidate = case.candidate
    members = case.group.members
    rivals = () if len(members) == 1 else _rivals(candidate, members)
    for rule in PRECEDENCE:
        objection = rule.objection(case)
        if objection is not None:
            return Decision(
                candidate=candidate, status=rule.status, cause=objection.cause, because=objection, rivals=rivals
            )
    cause = _why_admitted(candidate, case.policy)
    consent = case.policy.consents.get(key_of(candidate)) if cause == "consent" else None
    return Decision(
        candidate=candidate,
        status=AdmissionStatus.ADMITTED,
        cause=cause,
        rivals=rivals,
        tree=consent.tree if consent is not None else None,
    )


def _why_admitted(candidate: Candidate, policy: Policy) -> str:
    if candidate.origin.trusted:
        return str(candidate.origin)
    return "dev" if candidate.dev and policy.mode is Mode.PAPER else "consent"


def _rivals(candidate: Candidate, members: tuple[Candidate, ...]) -> tuple[Rival, ...]:
    return tuple(Rival(one.id, one.origin, one.place, one.version) for one in members if one is not candidate)


def _groups(candidates: tuple[Candidate, ...], policy: Policy) -> Mapping[str, Group]:
    by_id: dict[str, list[Candidate]] = {}
    for one in candidates:
        by_id.setdefault(one.folded, []).append(one)
    overrides = {fold(plugin_id): choice for plugin_id, choice in policy.overrides.items()}
    return {folded: _group(tuple(members), overrides.get(folded)) for folded, members in by_id.items()}


def _group(members: tuple[Candidate, ...], override: str | None) -> Group:
    if len(members) == 1 and override is None:
        return Group(members, members[0], members)
    claimants = tuple(one for one in members if override is not None and is_chosen(one, override))
    if not claimants:
        first = min(one.origin.rank for one in members)
        claimants = tuple(one for one in members if one.origin.rank == first)
    return Group(members, claimants[0] if len(claimants) == 1 else None, claimants)


def is_chosen(candidate: Candidate, choice: str) -> bool:
    """Say whether an override (an origin, or a real path) means this candidate."""
    return choice in (candidate.origin, candidate.directory)


def _off(case: Case) -> Objection | None:
    return None if case.policy.enabled else case.objection(codes.OFF)


def _denied(case: Case) -> Objection | None:
    deny = case.sets.deny
    return case.objection(codes.DENIED) if deny and case.candidate.folded in deny else None


def _blocklisted(case: Case) -> Objection | None:
    if case.policy.blocklist_fault is not None and not case.candidate.origin.trusted:
        return case.objection(attrs.evolve(case.policy.blocklist_fault, plugin=case.candidate.id))
    for one in case.policy.blocklist:
        if fold(one.id) == case.candidate.folded and _is_bad(case.candidate.version, one.first_good):
            advice = f"Update it to {one.first_good} or later." if one.first_good else "Remove it; no version is good."
            link = f" ({one.link})" if one.link else ""
            version = case.candidate.version or "of unknown version"
            return case.objection(codes.BLOCKLISTED, version=version, reason=one.reason, link=link, advice=advice)
    return None


def _is_bad(version: str | None, first_good: str | None) -> bool:
    return version is None or first_good is None or in_range(version, f"<{first_good}")


def _blocked(case: Case) -> Objection | None:
    return case.own() if case.candidate.state is CandidateState.BLOCKED else None


def _invalid(case: Case) -> Objection | None:
    return case.own() if case.candidate.state is CandidateState.INVALID else None


def _incompatible(case: Case) -> Objection | None:
    manifest, policy = case.candidate.manifest, case.policy
    if manifest is None:
        return None
    if manifest.requires.api is not None and not in_range(policy.api_version, manifest.requires.api):
        return case.objection(codes.API_MISMATCH, wanted=manifest.requires.api, found=policy.api_version)
    missing = policy.missing.get(key_of(case.candidate)) if policy.missing else None
    if missing:
        wanted = manifest.requires.packages or (SDK,)
        install = " ".join(f'"{one}"' for one in wanted)
        return case.objection(codes.PACKAGES_MISSING, missing=", ".join(missing), install=install)
    needed = manifest.entry.runtime if manifest.entry is not None else None
    if needed is None or case.candidate.origin is Origin.EMBEDDED or needed in policy.runtimes:
        return None
    return case.objection(codes.RUNTIME_UNAVAILABLE, runtime=needed, available=", ".join(sorted(policy.runtimes)))


def _shadowed(case: Case) -> Objection | None:
    group, candidate = case.group, case.candidate
    if group.holder is candidate:
        return None
    if group.holder is not None or candidate not in group.claimants:
        holder = group.holder or group.claimants[0]
        choice = _choice(candidate, group.members)
        return case.objection(codes.SHADOWED, holder=f"{holder.origin} ({holder.place})", choice=choice)
    paths = ", ".join(one.place for one in group.claimants)
    return case.objection(codes.DUPLICATE_ID, paths=paths, choice=candidate.place)


def _choice(candidate: Candidate, members: tuple[Candidate, ...]) -> str:
    alone = sum(one.origin is candidate.origin for one in members) == 1
    return str(candidate.origin) if alone else candidate.place


def _not_allowed(case: Case) -> Objection | None:
    allow = case.sets.allow
    if not allow or case.candidate.origin is Origin.BUILTIN or case.candidate.folded in allow:
        return None
    return case.objection(codes.NOT_ALLOWED)


def _not_locked(case: Case) -> Objection | None:
    candidate, policy = case.candidate, case.policy
    if policy.locked is None:
        return None
    recorded = policy.locked.get(candidate.id)
    if recorded is None:
        return case.objection(codes.NOT_LOCKED)
    found = {
        "version": (candidate.version, recorded.version),
        "origin": (str(candidate.origin), str(recorded.origin)),
        "digest": (policy.digests.get(key_of(candidate)), recorded.digest),
    }
    for what, (now, then) in found.items():
        if now != then:
            return case.objection(codes.LOCK_DIFFERS, what=what, found=now or "none", recorded=then or "none")
    return None


def _no_consent(case: Case) -> Objection | None:
    candidate, policy = case.candidate, case.policy
    if candidate.origin.trusted:
        return None
    if candidate.dev and policy.mode is Mode.PAPER:
        return None
    consent = policy.consents.get(key_of(candidate), _NO_CONSENT) if policy.consents else _NO_CONSENT
    if consent.state is ConsentState.GRANTED:
        return None
    if consent.state is ConsentState.REFUSED:
        return case.objection(codes.TREE_REFUSED, reason=consent.detail, path=consent.path)
    if consent.state is ConsentState.MISSING:
        code = codes.DEV_PAPER_ONLY if candidate.dev else codes.NEEDS_CONSENT
        return case.objection(code, mode=policy.mode)
    return case.objection(codes.CONSENT_CHANGED, what=consent.detail)


_NO_CONSENT: Final = Consent(state=ConsentState.MISSING)

PRECEDENCE: Final[tuple[Rule, ...]] = (
    Rule("plugins are off", AdmissionStatus.DENIED, _off, (codes.OFF,)),
    Rule("denied", AdmissionStatus.DENIED, _denied, (codes.DENIED,)),
    Rule("block list", AdmissionStatus.BLOCKLISTED, _blocklisted, (codes.BLOCKLIST_UNREADABLE, codes.BLOCKLISTED)),
    Rule("unsafe files", AdmissionStatus.BLOCKED, _blocked),
    Rule("invalid manifest", AdmissionStatus.INVALID, _invalid),
    Rule(
        "incompatible",
        AdmissionStatus.INCOMPATIBLE,
        _incompatible,
        (codes.API_MISMATCH, codes.PACKAGES_MISSING, codes.RUNTIME_UNAVAILABLE),
    ),
    Rule("shadowed", AdmissionStatus.SHADOWED, _shadowed, (codes.DUPLICATE_ID, codes.SHADOWED)),
    Rule("not in allow", AdmissionStatus.NOT_ALLOWED, _not_allowed, (codes.NOT_ALLOWED,)),
    Rule("not in the lock", AdmissionStatus.NOT_LOCKED, _not_locked, (codes.NOT_LOCKED, codes.LOCK_DIFFERS)),
    Rule(
        "no consent",
        AdmissionStatus.NEEDS_CONSENT,
        _no_consent,
        (codes.TREE_REFUSED, codes.CONSENT_CHANGED, codes.DEV_PAPER_ONLY, codes.NEEDS_CONSENT),
    ),
)
