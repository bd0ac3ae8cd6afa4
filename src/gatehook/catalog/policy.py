"""What admission goes by, besides the candidates: plain values, gathered before."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Final

import attrs

from gatehook import API_VERSION
from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import Origin
from gatehook.diagnostics import Diagnostic
from gatehook.kinds.accounts import Mode

if TYPE_CHECKING:
    from gatehook.catalog.tree import Tree

#: What runs in this version; an entry that needs anything else is incompatible.
RUNTIMES: Final = frozenset({"python.module", "external.mcp"})

#: A candidate by origin and directory: (origin, directory or "")
CandidateKey = tuple[Origin, str]


def key_of(candidate: Candidate) -> CandidateKey:
    """Return what tells a candidate apart from all others with its id."""
    return candidate.origin, candidate.directory or ""


class ConsentState(StrEnum):
    """What is known of a person's consent to a plugin."""

    MISSING = "missing"
    GRANTED = "granted"
    TREE_CHANGED = "tree-changed"
    ASKS_CHANGED = "asks-changed"
    REFUSED = "refused"


@attrs.frozen(kw_only=True)
class Consent:
    """Consent to one candidate.

    Attributes:
        tree: the tree as it is now, hashed; for ``granted`` only its files may run.
        detail: what changed, or why the tree was refused.
        path: the file a refusal is about.
    """

    state: ConsentState
    tree: Tree | None = None
    detail: str = ""
    path: Path | None = None


@attrs.frozen(kw_only=True)
class BlockedVersion:
    """A plugin known to be bad: every version, or those before the first good one."""

    id: str
    first_good: str | None
    reason: str
    link: str = ""


@attrs.frozen(kw_only=True)
class LockedPlugin:
    """A plugin as the lock recorded it; ``digest`` is ``None`` for one without files of its own."""

    id: str
    version: str
    origin: Origin
    digest: str | None


@attrs.frozen(kw_only=True)
class Policy:
    """What admission goes by.

    Attributes:
        overrides: which origin or path provides an id, by id.
        locked: the lock by id, when only what it has may run; ``None`` otherwise.
        digests: the digest of each candidate as it is now, as far as the lock needs it.
        consents: what is known of each candidate's consent; a candidate that is not in it has none.
        missing: the Python packages each manifest requires in vain, as far as it requires any.
        blocklist_fault: why the block list could not be read; then only trusted origins run.
    """

    enabled: bool = True
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    overrides: Mapping[str, str] = attrs.field(factory=dict)
    blocklist: tuple[BlockedVersion, ...] = ()
    locked: Mapping[str, LockedPlugin] | None = None
    digests: Mapping[CandidateKey, str | None] = attrs.field(factory=dict)
    consents: Mapping[CandidateKey, Consent] = attrs.field(factory=dict)
    missing: Mapping[CandidateKey, tuple[str, ...]] = attrs.field(factory=dict)
    mode: Mode = Mode.PAPER
    runtimes: frozenset[str] = RUNTIMES
    api_version: str = API_VERSION
    blocklist_fault: Diagnostic | None = None
