"""The full look at the configSchema of the plugins that take part; a schema that is none fails only its own plugin."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

import attrs

from gatehook.catalog.admission import Decision
from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import CandidateState
from gatehook.catalog.manifest import MANIFEST_NAME
from gatehook.diagnostics import Diagnostic


def lint(candidates: tuple[Candidate, ...], decisions: Sequence[Decision] | None) -> tuple[Candidate, ...]:
    """Return the candidates, those with a bad schema marked invalid; with decisions, only admitted ones are linted."""
    if decisions is None:
        return tuple(_linted(one) for one in candidates)
    return tuple(_linted(one) if decided.admitted else one for one, decided in zip(candidates, decisions, strict=True))


def unmarked(candidates: Sequence[Candidate]) -> Iterator[Diagnostic]:
    """Yield what the authors of good plugins are asked to mark as a secret."""
    from gatehook.config import unmarked_secrets

    for one in candidates:
        if one.state is CandidateState.OK and one.manifest is not None:
            yield from unmarked_secrets(one.manifest.config_schema, plugin=one.id, path=_manifest_path(one))


def _manifest_path(candidate: Candidate) -> Path | None:
    return candidate.root / MANIFEST_NAME if candidate.root is not None else None


def _linted(candidate: Candidate) -> Candidate:
    from gatehook.config import lint_schema

    manifest = candidate.manifest
    if candidate.state is not CandidateState.OK or manifest is None or not manifest.config_schema:
        return candidate
    found = lint_schema(manifest.config_schema, plugin=candidate.id, path=_manifest_path(candidate))
    if not found:
        return candidate
    return attrs.evolve(candidate, state=CandidateState.INVALID, diagnostics=(*candidate.diagnostics, *found))
