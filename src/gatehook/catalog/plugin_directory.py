"""Reading one plugin's directory: is it safe, what does its manifest say, and is what it names there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import CandidateState
from gatehook.catalog.candidates import Origin
from gatehook.catalog.manifest import LARGEST_MANIFEST
from gatehook.catalog.manifest import MANIFEST_NAME
from gatehook.catalog.manifest import Entry
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.parsing import line_of
from gatehook.catalog.parsing import read_manifest
from gatehook.catalog.parsing import too_large
from gatehook.catalog.reader import shown
from gatehook.catalog.safe_files import Ownership
from gatehook.catalog.safe_files import TooLarge
from gatehook.catalog.safe_files import kind_of
from gatehook.catalog.safe_files import read_below
from gatehook.catalog.safe_files import real_below
from gatehook.catalog.safe_files import unreadable
from gatehook.catalog.strict_json import key_lines
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import manifest as codes
from gatehook.diagnostics.records import Code


def read_plugin(
    descriptor: int, path: str, directory: os.stat_result, origin: Origin, ownership: Ownership
) -> Candidate | None:
    """Read the plugin in an open directory whose real path is ``path``; ``None`` when it holds no ``plugin.json``."""
    unsafe: list[Diagnostic] = []
    if ownership.suspects(directory) and (fault := ownership.fault(Path(path), directory)) is not None:
        unsafe.append(fault)
    manifest: Manifest | None = None
    problems: tuple[Diagnostic, ...] = ()
    claimed: str | None = None
    try:
        data = read_below(descriptor, path, MANIFEST_NAME, LARGEST_MANIFEST, ownership)
        manifest, problems, claimed = read_manifest(data, f"{path}/{MANIFEST_NAME}")
        if manifest is not None and manifest.entry is not None:
            problems = _entry_problems(descriptor, path, manifest.entry, data, ownership)
    except FileNotFoundError:
        return None
    except TooLarge:
        problems = (too_large(Path(path, MANIFEST_NAME)),)
    except GatehookError as error:
        unsafe.extend(error.diagnostics)
    return _candidate(claimed, path, origin, manifest, unsafe, problems)


def unopened_plugin(path: str, origin: Origin, error: OSError) -> Candidate:
    """Return the candidate of a directory that the system does not open."""
    return _candidate(None, path, origin, None, [unreadable(Path(path), error)], ())


def _candidate(
    claimed: str | None,
    directory: str,
    origin: Origin,
    manifest: Manifest | None,
    unsafe: list[Diagnostic],
    problems: tuple[Diagnostic, ...],
) -> Candidate:
    plugin_id = claimed or shown(Path(directory).name)
    if not unsafe and not problems:
        return Candidate(id=plugin_id, origin=origin, directory=directory, manifest=manifest)
    found = [attrs.evolve(one, plugin=plugin_id, origin=str(origin)) for one in (*unsafe, *problems)]
    return Candidate(
        id=plugin_id,
        origin=origin,
        directory=directory,
        manifest=manifest,
        state=CandidateState.BLOCKED if unsafe else CandidateState.INVALID,
        diagnostics=tuple(found),
    )


def _entry_problems(
    descriptor: int, root: str, entry: Entry, data: bytes, ownership: Ownership
) -> tuple[Diagnostic, ...]:
    problems: tuple[Diagnostic, ...] = ()
    for key, file in entry.files.items():
        found = _fault_of_file(descriptor, root, file, ownership)
        if found is not None:
            code, facts = found
            pointer = f"/entry/{key}"
            line = line_of(pointer, key_lines(data.decode()))
            at: dict[str, Any] = {"path": Path(root, MANIFEST_NAME), "line": line, "pointer": pointer}
            problems += (code(**at, key=key, file=file, **facts),)
    return problems


def _fault_of_file(
    descriptor: int, root: str, file: str, ownership: Ownership
) -> tuple[Code, Mapping[str, Any]] | None:
    """Say why a file cannot be an entry; raise ``GatehookError`` for an unsafe one. It is looked at, never opened."""
    try:
        about = os.stat(file, dir_fd=descriptor, follow_symlinks=False)
        if "/" in file or stat.S_ISLNK(about.st_mode):
            if real_below(root, file) is None:
                return codes.ENTRY_ESCAPES, {}
            about = os.stat(file, dir_fd=descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return codes.ENTRY_MISSING, {}
    except OSError as error:
        raise GatehookError(unreadable(Path(root, file), error)) from None
    if not stat.S_ISREG(about.st_mode):
        return codes.ENTRY_NOT_A_FILE, {"found": kind_of(about.st_mode)}
    if ownership.suspects(about) and (fault := ownership.fault(Path(root, file), about)) is not None:
        raise GatehookError(fault)
    return None
