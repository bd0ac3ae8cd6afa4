"""The full look at the configSchema of the plugins that take part; a schema that is none fails only its own plugin."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from gatehook.catalog.admission import Decision
from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import CandidateState
from gatehook.catalog.manifest import MANIFEST_NAME


def lint(candidates: tuple[Candidate, ...], decisions: Sequence[Decision] | None) -> tuple[Candidate, ...]:
    """Return the candidates, those with a bad schema marked invalid; with decisions, only admitted ones are linted."""
    if decisions is None:
        return tuple(_linted(one) for one in candidates)
    return tuple(_linted(one) if decided.admitted else one for one, decided in zip(candidates, decisions, strict=True))


def _linted(candidate: Candidate) -> Candidate:
    from gatehook.config import lint_schema

    manifest = candidate.manifest
    if candidate.state is not CandidateState.OK or manifest is None or not manifest.config_schema:
        return candidate
    path = candidate.root / MANIFEST_NAME if candidate.root is not None else None
    found = lint_schema(manifest.config_schema, plugin=candidate.id, path=path)
    if not found:
        return candidate
    return attrs.evolve(candidate, state=CandidateState.INVALID, diagnostics=(*candidate.diagnostics, *found))
