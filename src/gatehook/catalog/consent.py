"""Consent to run code from outside: pinned to the digest of the plugin's tree and to what it asks for.

A record that cannot be used holds no consent; it never stops the gateway.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Final
from typing import NamedTuple

from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import Origin
from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.manifest import NodeModule
from gatehook.catalog.manifest import PythonModule
from gatehook.catalog.policy import Consent
from gatehook.catalog.policy import ConsentState
from gatehook.catalog.records import RecordUnusable
from gatehook.catalog.records import read_record
from gatehook.catalog.records import write_record
from gatehook.catalog.tree import Tree
from gatehook.catalog.tree import TreeRefused
from gatehook.catalog.tree import hash_tree
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import plugins as codes

SCHEMA_VERSION: Final = 1
FILE_NAME: Final = "consent.json"


def asks_of(manifest: Manifest) -> tuple[str, ...]:
    """Return what a plugin asks for, as words: its kinds, how its code is run, its permissions."""
    entry = manifest.entry
    words = [f"kind:{kind}" for kind in manifest.kinds]
    if isinstance(entry, PythonModule | NodeModule):
        words.append(f"runs:{entry.runtime}:{entry.module}")
    elif isinstance(entry, ExternalMcp):
        words.append(f"runs:{entry.runtime}:{entry.url or ' '.join(entry.command or ())}")
    return (*words, *(f"permission:{one}" for one in manifest.permissions.listed()))


def tree_of(candidate: Candidate) -> Tree:
    """Hash a candidate's tree as consent sees it.

    Raises:
        TreeRefused: for a tree that cannot be trusted, or a candidate without files.
    """
    if candidate.root is None:
        raise TreeRefused("it has no files", Path())
    return hash_tree(candidate.root, packaged=candidate.origin in (Origin.BUILTIN, Origin.INSTALLED))


class _Record(NamedTuple):
    digest: str
    asks: tuple[str, ...]


class ConsentStore:
    """The record of consents: one file, readable and writable by its owner only."""

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self._now = now

    def grant(self, candidate: Candidate) -> Consent:
        """Record consent to a candidate as it is now.

        Raises:
            GatehookError: it has no valid manifest, its tree is refused, or the record cannot be used or written.
        """
        if candidate.manifest is None or candidate.diagnostics:
            raise GatehookError(*candidate.diagnostics)
        try:
            tree = tree_of(candidate)
        except TreeRefused as refused:
            raise GatehookError(_refusal(candidate, refused)) from None
        raw = self._raw()
        raw[_name(candidate)] = {
            "id": candidate.id,
            "version": candidate.version,
            "digest": tree.digest,
            "asks": list(asks_of(candidate.manifest)),
            "grantedAt": int(self._now()),
        }
        self._write(raw)
        return Consent(state=ConsentState.GRANTED, tree=tree)

    def revoke(self, candidate: Candidate) -> bool:
        """Forget consent to a candidate; say whether there was any.

        Raises:
            GatehookError: the record cannot be used or written.
        """
        raw = self._raw()
        if raw.pop(_name(candidate), None) is None:
            return False
        self._write(raw)
        return True

    def state_of(self, candidate: Candidate) -> Consent:
        """Say what is known of one candidate.

        Raises:
            GatehookError: the record cannot be used.
        """
        return consent_to(candidate, _record(self._raw().get(_name(candidate))))

    def states_of(self, candidates: tuple[Candidate, ...]) -> tuple[Mapping[int, Consent], tuple[Diagnostic, ...]]:
        """Return what is known, by the candidate's place in the tuple; only those with a record are hashed."""
        try:
            raw = self._raw()
        except GatehookError as error:
            return {}, error.diagnostics
        found = {}
        for index, candidate in enumerate(candidates if raw else ()):
            record = _record(raw.get(_name(candidate)))
            if record is not None:
                found[index] = consent_to(candidate, record)
        return found, ()

    def _raw(self) -> dict[str, Any]:
        try:
            value = read_record(self.path, private=True)
        except FileNotFoundError:
            return {}
        except RecordUnusable as unusable:
            raise GatehookError(codes.STORE_UNREADABLE(path=self.path, reason=unusable)) from None
        consents = value.get("consents") if isinstance(value, dict) else None
        if not isinstance(consents, dict) or value.get("schemaVersion") != SCHEMA_VERSION:
            raise GatehookError(codes.STORE_UNREADABLE(path=self.path, reason="another version of Gatehook wrote it"))
        return consents

    def _write(self, consents: Mapping[str, Any]) -> None:
        try:
            write_record(self.path, {"schemaVersion": SCHEMA_VERSION, "consents": consents})
        except OSError as error:
            reason = error.strerror or str(error)
            raise GatehookError(codes.STORE_UNREADABLE(path=self.path, reason=reason)) from None


def consent_to(candidate: Candidate, record: _Record | None) -> Consent:
    """Compare a candidate with the record of its consent."""
    if record is None or candidate.manifest is None:
        return Consent(state=ConsentState.MISSING)
    try:
        tree = tree_of(candidate)
    except TreeRefused as refused:
        return Consent(state=ConsentState.REFUSED, detail=refused.reason, path=refused.path)
    asks = asks_of(candidate.manifest)
    if asks != record.asks:
        more = ", ".join(sorted(set(asks) - set(record.asks)))
        detail = f"it also asks for {more}" if more else "it asks for less"
        return Consent(state=ConsentState.ASKS_CHANGED, tree=tree, detail=detail)
    if tree.digest != record.digest:
        return Consent(state=ConsentState.TREE_CHANGED, tree=tree, detail="its files are not the same")
    return Consent(state=ConsentState.GRANTED, tree=tree)


def _refusal(candidate: Candidate, refused: TreeRefused) -> Diagnostic:
    return codes.TREE_REFUSED(
        plugin=candidate.id, origin=str(candidate.origin), path=refused.path, reason=refused.reason
    )


def _name(candidate: Candidate) -> str:
    return f"{candidate.id} {candidate.origin} {candidate.directory}"


def _record(raw: Any) -> _Record | None:
    """Read one consent; whatever is not exactly what ``grant`` writes is none."""
    if not isinstance(raw, dict):
        return None
    digest, asks = raw.get("digest"), raw.get("asks")
    if not isinstance(digest, str) or not isinstance(asks, list) or not all(isinstance(one, str) for one in asks):
        return None
    return _Record(digest, tuple(asks))
