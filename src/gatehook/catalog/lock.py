"""The lock: which plugins were admitted, by id, version, origin and digest. ``run --locked`` insists on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import Origin
from gatehook.catalog.consent import tree_of
from gatehook.catalog.policy import LockedPlugin
from gatehook.catalog.records import RecordUnusable
from gatehook.catalog.records import read_record
from gatehook.catalog.records import write_record
from gatehook.catalog.tree import TreeRefused
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import plugins as codes

if TYPE_CHECKING:
    from gatehook.catalog.plan import Plan

SCHEMA_VERSION: Final = 1


def digest_of(candidate: Candidate) -> str | None:
    """Return the digest of a candidate's tree; ``None`` for one without files.

    Raises:
        TreeRefused: for a tree that has none.
    """
    return None if candidate.root is None else tree_of(candidate).digest


def write_lock(plan: Plan, path: Path) -> tuple[LockedPlugin, ...]:
    """Write what a plan admits.

    Raises:
        GatehookError: a tree cannot be trusted, or the file cannot be written.
    """
    locked = tuple(_lock(one.candidate) for one in plan.decisions if one.admitted)
    value = {"schemaVersion": SCHEMA_VERSION, "plugins": [_to_json(one) for one in locked]}
    try:
        write_record(path, value, mode=0o644)
    except OSError as error:
        raise GatehookError(codes.LOCK_UNREADABLE(path=path, reason=error.strerror or str(error))) from None
    return locked


def read_lock(path: Path) -> Mapping[str, LockedPlugin]:
    """Return the lock by plugin id.

    Raises:
        GatehookError: there is none, or it cannot be used.
    """
    try:
        value = read_record(path)
    except FileNotFoundError:
        raise GatehookError(codes.LOCK_UNREADABLE(path=path, reason="there is no such file")) from None
    except RecordUnusable as unusable:
        raise GatehookError(codes.LOCK_UNREADABLE(path=path, reason=unusable)) from None
    try:
        if value["schemaVersion"] != SCHEMA_VERSION:
            raise GatehookError(codes.LOCK_UNREADABLE(path=path, reason="another version of Gatehook wrote it"))
        return {one["id"]: _from_json(one) for one in value["plugins"]}
    except (TypeError, KeyError, ValueError):
        raise GatehookError(codes.LOCK_UNREADABLE(path=path, reason="it is not what a lock looks like")) from None


def _lock(candidate: Candidate) -> LockedPlugin:
    try:
        digest = digest_of(candidate)
    except TreeRefused as refused:
        found = codes.TREE_REFUSED(plugin=candidate.id, path=refused.path, reason=refused.reason)
        raise GatehookError(found) from None
    return LockedPlugin(id=candidate.id, version=candidate.version or "", origin=candidate.origin, digest=digest)


def _to_json(one: LockedPlugin) -> dict[str, Any]:
    return {"id": one.id, "version": one.version, "origin": str(one.origin), "digest": one.digest}


def _from_json(raw: Any) -> LockedPlugin:
    digest = raw["digest"]
    if not isinstance(raw["id"], str) or not isinstance(digest, str | None):
        raise TypeError
    return LockedPlugin(id=raw["id"], version=str(raw["version"]), origin=Origin(raw["origin"]), digest=digest)
