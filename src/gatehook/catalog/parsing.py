"""From bytes, or from a program's own mapping, to a manifest or to everything that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehook.catalog.manifest import LARGEST_MANIFEST
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.reader import Problem
from gatehook.catalog.reader import Reader
from gatehook.catalog.requirements import ID
from gatehook.catalog.strict_json import Refused
from gatehook.catalog.strict_json import decode
from gatehook.catalog.strict_json import key_lines
from gatehook.catalog.structure import structure
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import manifest as codes


def parse_manifest(data: bytes, path: Path) -> tuple[Manifest | None, tuple[Diagnostic, ...]]:
    """Read the bytes of a ``plugin.json``; ``path`` is only named. Without a manifest there is at least one error."""
    manifest, diagnostics, _ = read_manifest(data, path)
    return manifest, diagnostics


def read_manifest(data: bytes, path: str | Path) -> tuple[Manifest | None, tuple[Diagnostic, ...], str | None]:
    """Read the bytes of a ``plugin.json``, and also say which id it claims when that much of it can be read."""
    if len(data) > LARGEST_MANIFEST:
        return None, (too_large(path),), None
    try:
        value, text = decode(data)
    except Refused as refused:
        found = [one.code(path=Path(path), line=one.line, pointer=one.pointer, **one.facts) for one in refused.findings]
        return None, tuple(found), None
    reader = Reader()
    manifest = structure(value, reader)
    if manifest is not None:
        return manifest, (), manifest.id
    claimed = claimed_id(value)
    return None, tuple(_placed(reader.problems, key_lines(text), path, claimed)), claimed


def too_large(path: str | Path) -> Diagnostic:
    """Return the diagnostic of a manifest over the cap."""
    return codes.TOO_LARGE(path=Path(path), cap=LARGEST_MANIFEST)


def claimed_id(value: Any) -> str | None:
    """Return the id that a broken manifest still holds."""
    said = value.get("id") if isinstance(value, dict) else None
    return said if isinstance(said, str) and ID.match(said) else None


def manifest_from(mapping: Mapping[str, Any]) -> Manifest:
    """Build the manifest of a plugin that a program embeds; it needs no ``entry``.

    Raises:
        GatehookError: with everything that is wrong.
    """
    manifest, diagnostics = embedded_manifest(mapping)
    if manifest is None:
        raise GatehookError(*diagnostics)
    return manifest


def embedded_manifest(mapping: Mapping[str, Any]) -> tuple[Manifest | None, tuple[Diagnostic, ...]]:
    """Do what ``manifest_from`` does, and return what is wrong instead of raising it."""
    path = Path("<embedded>")
    try:
        value = json.loads(json.dumps(dict(mapping), allow_nan=False))
    except (TypeError, ValueError) as error:
        return None, (codes.NOT_JSON(path=path, reason=str(error)),)
    reader = Reader()
    manifest = structure(value, reader, embedded=True)
    return manifest, tuple(_placed(reader.problems, None, path, claimed_id(value)))


def _placed(
    problems: Iterable[Problem], lines: Mapping[str, int] | None, path: str | Path, plugin: str | None
) -> Iterable[Diagnostic]:
    for one in problems:
        line = line_of(one.pointer, lines)
        yield one.code(path=Path(path), line=line, pointer=one.pointer or None, plugin=plugin, **one.facts)


def line_of(pointer: str, lines: Mapping[str, int] | None) -> int | None:
    """Return the line of a JSON pointer, or of the nearest thing around it."""
    if lines is None:
        return None
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer, 1)
