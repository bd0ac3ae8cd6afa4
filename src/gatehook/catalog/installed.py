"""Plugins that installed distributions bring, found through their metadata; nothing of them is imported.

A distribution says so in the entry-point group ``gatehook.plugins``; the value is the package whose directory holds
``plugin.json``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Final
from typing import NamedTuple

if TYPE_CHECKING:
    from importlib.metadata import PathDistribution

GROUP: Final = "gatehook.plugins"
_SUFFIXES: Final = (".dist-info", ".egg-info")


class InstalledPackage(NamedTuple):
    """A package that a distribution names as a plugin; ``directory`` is ``None`` when ``fault`` says why."""

    distribution: str
    package: str
    directory: Path | None
    fault: str = ""


def installed_packages() -> Iterator[InstalledPackage]:
    """Yield what the distributions on ``sys.path`` name; of two copies of one the first counts, as for Python."""
    seen: set[str] = set()
    for metadata in _metadata_directories():
        text = _entry_points_text(metadata)
        if GROUP not in text:
            continue
        from importlib.metadata import PathDistribution

        found = PathDistribution(metadata)
        name = str(found.metadata["Name"] or metadata.stem)
        folded = name.lower().replace("_", "-").replace(".", "-")
        if folded in seen:
            continue
        seen.add(folded)
        yield from _named(found, name, metadata.parent)


def _named(found: PathDistribution, name: str, site: Path) -> Iterator[InstalledPackage]:
    try:
        values = [point.value.strip() for point in found.entry_points.select(group=GROUP)]
    except (TypeError, ValueError, AttributeError, KeyError):  # what the parser raises, by version, for a bad line
        yield InstalledPackage(
            distribution=name, package=GROUP, directory=None, fault="its entry points cannot be read"
        )
        return
    for value in values:
        yield _located(name, value, site)


def _metadata_directories() -> Iterator[Path]:
    for place in dict.fromkeys(sys.path):
        try:
            names = sorted(name for name in os.listdir(place or ".") if name.endswith(_SUFFIXES))  # noqa: PTH208  many
        except OSError:  # a path that is no directory (a zip file, a removed one) holds no plugin directories
            continue
        for name in names:
            yield Path(place or ".", name)


def _entry_points_text(metadata: Path) -> str:
    try:
        return (metadata / "entry_points.txt").read_text("utf-8")
    except (OSError, UnicodeDecodeError):  # most distributions have none
        return ""


def _located(distribution: str, package: str, site: Path) -> InstalledPackage:
    steps = package.split(".")
    if not all(step.isidentifier() for step in steps):
        return InstalledPackage(
            distribution=distribution, package=package, directory=None, fault="that is no package name"
        )
    for place in (site, *map(Path, sys.path)):
        directory = place.joinpath(*steps)
        if directory.is_dir():
            return InstalledPackage(distribution=distribution, package=package, directory=directory)
    return _editable(distribution, package, steps)


def _editable(distribution: str, package: str, steps: list[str]) -> InstalledPackage:
    """Ask the import system where the top package is; finding a top package imports nothing."""
    from importlib.util import find_spec

    try:
        spec = find_spec(steps[0])
    except (ImportError, ValueError):  # a finder's own failure, or a module without a spec
        spec = None
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        directory = Path(place).joinpath(*steps[1:])
        if directory.is_dir():
            return InstalledPackage(distribution=distribution, package=package, directory=directory)
    return InstalledPackage(
        distribution=distribution, package=package, directory=None, fault="no such package is installed"
    )
