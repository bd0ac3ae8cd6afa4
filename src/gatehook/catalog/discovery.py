"""From directories on disk to candidates. No plugin code is imported, and nothing here raises for a bad plugin."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from typing import Final

import attrs

from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import CandidateState
from gatehook.catalog.candidates import Origin
from gatehook.catalog.installed import InstalledPackage
from gatehook.catalog.installed import installed_packages
from gatehook.catalog.manifest import MANIFEST_NAME
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.parsing import embedded_manifest
from gatehook.catalog.places import Places
from gatehook.catalog.plugin_directory import read_plugin
from gatehook.catalog.plugin_directory import unopened_plugin
from gatehook.catalog.reader import shown
from gatehook.catalog.safe_files import DIRECTORY_FLAGS
from gatehook.catalog.safe_files import unreadable
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import plugins as codes

Embedded = Iterable[tuple[Manifest | Mapping[str, Any], object]]
_SKIPPED: Final = "._"


@attrs.frozen
class Discovery:
    """What was found, in the order of origins and names, and what is wrong with the places themselves."""

    candidates: tuple[Candidate, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


def discover(places: Places, embedded: Embedded = ()) -> tuple[Candidate, ...]:
    """Return every plugin of every origin, good or bad."""
    return survey(places, embedded).candidates


def survey(places: Places, embedded: Embedded = ()) -> Discovery:
    """Return every plugin of every origin, good or bad, and what is wrong with the places themselves."""
    with _collector_paused():
        return _survey(places, embedded)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Hold back the garbage collector: manifests make many objects and no rubbish, so it finds nothing, at a tenth."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _survey(places: Places, embedded: Embedded) -> Discovery:
    search = _Search(places)
    for origin, directory in (
        (Origin.BUILTIN, places.builtin),
        (Origin.WORKSPACE, places.workspace),
        (Origin.USER, places.user),
    ):
        if directory is not None:
            search.directory(directory, origin)
    for path in places.config:
        search.path(path)
    for path in places.dev:
        search.path(path, dev=True)
    if places.installed:
        search.installed()
    own = tuple(_embedded(manifest, plugin) for manifest, plugin in embedded)
    return Discovery(own + search.candidates(), tuple(search.diagnostics))


def _embedded(manifest: Manifest | Mapping[str, Any], plugin: object) -> Candidate:
    if isinstance(manifest, Manifest):
        return Candidate(id=manifest.id, origin=Origin.EMBEDDED, manifest=manifest, embedded=plugin)
    made, diagnostics = embedded_manifest(manifest)
    return Candidate(
        id=made.id if made else shown(str(manifest.get("id", "?"))),
        origin=Origin.EMBEDDED,
        manifest=made,
        state=CandidateState.INVALID if made is None else CandidateState.OK,
        diagnostics=diagnostics,
        embedded=plugin,
    )


class _Search:
    """One walk over the places; a directory that is reached twice, by whatever name, counts once."""

    def __init__(self, places: Places) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._ownership = {origin: places.ownership(origin) for origin in Origin}
        self._found: dict[tuple[int, int] | str, Candidate] = {}
        self._dev: set[tuple[int, int]] = set()

    def candidates(self) -> tuple[Candidate, ...]:
        """Return what was found, in the order of origins, which is the order they were searched in."""
        return tuple(
            [attrs.evolve(one, dev=True) if identity in self._dev else one for identity, one in self._found.items()]
        )

    def directory(self, directory: Path, origin: Origin, *, dev: bool = False) -> bool:
        """Read the plugins of a directory of plugins; say whether there is one. A missing directory has none."""
        try:
            with os.scandir(directory) as listing:
                names = sorted((one.name, one.is_symlink()) for one in listing if one.name[0] not in _SKIPPED)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            self.diagnostics.append(unreadable(directory, error))
            return False
        top = os.path.realpath(directory)
        found = False
        for name, linked in names:
            path = os.path.realpath(f"{top}/{name}") if linked else f"{top}/{name}"
            found = self._plugin(path, origin, dev=dev) or found
        return found

    def path(self, path: Path, *, dev: bool = False) -> None:
        """Read the plugin at a named path, or those in it. A missing one is a finding of the configuration's."""
        path = path.expanduser()
        if not path.exists() and not dev:
            return
        if (path / MANIFEST_NAME).is_symlink() or (path / MANIFEST_NAME).exists():
            self._plugin(os.path.realpath(path), Origin.CONFIG, dev=dev)
        elif not self.directory(path, Origin.CONFIG, dev=dev):
            self.diagnostics.append(codes.PATH_WITHOUT_PLUGIN(path=path))

    def installed(self) -> None:
        """Read the plugins that installed distributions bring."""
        for one in installed_packages():
            if one.directory is None:
                self._broken(one, one.fault)
            elif not self._plugin(os.path.realpath(one.directory), Origin.INSTALLED, brought_by=one):
                self._broken(one, f"{one.directory} has no {MANIFEST_NAME}")

    def _broken(self, one: InstalledPackage, reason: str) -> None:
        found = codes.DISTRIBUTION_BROKEN(distribution=one.distribution, package=one.package, reason=reason)
        self.diagnostics.append(found)

    def _plugin(
        self, path: str, origin: Origin, *, dev: bool = False, brought_by: InstalledPackage | None = None
    ) -> bool:
        try:
            descriptor = os.open(path, DIRECTORY_FLAGS)
        except (NotADirectoryError, FileNotFoundError):
            return False
        except OSError as error:
            self._found[path] = unopened_plugin(path, origin, error)
            return True
        try:
            directory = os.fstat(descriptor)
            identity = (directory.st_dev, directory.st_ino)
            if dev:
                self._dev.add(identity)
            if identity in self._found:
                return True
            found = read_plugin(descriptor, path, directory, origin, self._ownership[origin])
            if found is None:
                return False
            if brought_by is not None:
                found = attrs.evolve(found, distribution=brought_by.distribution, package=brought_by.package)
            self._found[identity] = found
            return True
        finally:
            os.close(descriptor)
