"""Gathers from the disk what admission goes by: block list, lock, consents, installed packages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import Origin
from gatehook.catalog.consent import FILE_NAME as CONSENT_FILE
from gatehook.catalog.consent import ConsentStore
from gatehook.catalog.policy import BlockedVersion
from gatehook.catalog.policy import CandidateKey
from gatehook.catalog.policy import LockedPlugin
from gatehook.catalog.policy import Policy
from gatehook.catalog.policy import key_of
from gatehook.catalog.requirements import missing_packages
from gatehook.catalog.requirements import missing_sdk
from gatehook.catalog.requirements import needs_sdk
from gatehook.config import Config
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import plugins as codes

LOCK_FILE: Final = "gatehook.lock"


def gather_policy(
    config: Config, candidates: tuple[Candidate, ...], *, locked: bool = False
) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """Return the policy of a configuration for these candidates, and what went wrong with its files."""
    findings: list[Diagnostic] = []
    lock = _lock(config, findings) if locked or config.plugins.locked else None
    if lock is not None:
        present = {one.id for one in candidates}
        findings.extend(codes.LOCKED_ABSENT(plugin=one) for one in lock if one not in present)
    blocklist, fault = _blocklist(config.plugins.blocklist, findings)
    states, diagnostics = consent_store(config).states_of(candidates)
    findings.extend(diagnostics)
    policy = Policy(
        enabled=config.plugins.enabled,
        allow=config.plugins.allow,
        deny=config.plugins.deny,
        overrides={plugin_id: _choice(choice) for plugin_id, choice in config.plugins.overrides.items()},
        blocklist=blocklist,
        blocklist_fault=fault,
        locked=lock,
        digests=_digests(candidates, lock) if lock else {},
        consents={key_of(candidates[index]): state for index, state in states.items()},
        missing=_missing(candidates),
        mode=config.gateway.mode,
    )
    return policy, tuple(findings)


def consent_store(config: Config) -> ConsentStore:
    """Return the record of consents of a configuration."""
    return ConsentStore(config.gateway.data_dir / CONSENT_FILE)


def lock_path(config: Config) -> Path:
    """Return where the lock is: beside the configuration file, else in the current directory."""
    return (config.path.parent if config.path is not None else Path.cwd()) / LOCK_FILE


def _lock(config: Config, findings: list[Diagnostic]) -> Mapping[str, LockedPlugin]:
    """A lock that cannot be read admits nothing."""
    from gatehook.catalog.lock import read_lock

    try:
        return read_lock(lock_path(config))
    except GatehookError as error:
        findings.extend(error.diagnostics)
        return {}


def _blocklist(path: Path | None, findings: list[Diagnostic]) -> tuple[tuple[BlockedVersion, ...], Diagnostic | None]:
    if path is None:
        return (), None
    from gatehook.catalog.blocklist import read_blocklist

    try:
        return read_blocklist(path), None
    except GatehookError as error:
        findings.extend(error.diagnostics)
        return (), error.diagnostics[0]


def _choice(said: str) -> str:
    return said if said in tuple(Origin) else os.path.realpath(Path(said).expanduser())


def _digests(candidates: tuple[Candidate, ...], lock: Mapping[str, LockedPlugin]) -> Mapping[CandidateKey, str | None]:
    from gatehook.catalog.lock import digest_of
    from gatehook.catalog.tree import TreeRefused

    found: dict[CandidateKey, str | None] = {}
    for one in candidates:
        if one.id in lock:
            try:
                found[key_of(one)] = digest_of(one)
            except TreeRefused as refused:
                found[key_of(one)] = f"refused: {refused.reason}"
    return found


def _missing(candidates: tuple[Candidate, ...]) -> Mapping[CandidateKey, tuple[str, ...]]:
    return {
        key_of(one): missing_packages(one.manifest.requires.packages) + missing_sdk(one.manifest.entry)
        for one in candidates
        if one.manifest is not None and (one.manifest.requires.packages or needs_sdk(one.manifest.entry))
    }
