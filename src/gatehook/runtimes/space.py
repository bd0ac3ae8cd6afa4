"""Private package names: ``gatehook_plugins.<origin>.<id>``, so that two plugins may both have ``utils.py``.

Nothing is added to ``sys.path``. A space is a finder on ``sys.meta_path`` while its host runs; closing it takes its
modules out of ``sys.modules`` again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from types import ModuleType
from typing import Final

from gatehook.runtimes.sources import ModuleSource

ROOT: Final = "gatehook_plugins"


class ModuleSpace(MetaPathFinder):
    """The private packages of one host."""

    def __init__(self) -> None:
        self._sources: dict[str, ModuleSource] = {}
        self._open = False

    def open(self) -> None:
        """Start to find modules."""
        if not self._open:
            self._open = True
            sys.meta_path.insert(0, self)

    def close(self) -> None:
        """Stop to find modules, and forget those that were imported."""
        if self._open:
            self._open = False
            sys.meta_path.remove(self)
        self._forget(*self._sources)
        self._sources.clear()

    def add(self, origin: str, plugin_id: str, source: ModuleSource) -> str:
        """Give a plugin its package; returns the package's name.

        The name gets a number where another host of this process, or an import that never ended, still holds it.
        """
        wanted = package = f"{ROOT}.{origin}.{plugin_id.replace('-', '_')}"
        number = 1
        while package in sys.modules or package in self._sources:
            number += 1
            package = f"{wanted}_{number}"
        self._sources[package] = source
        return package

    def load(self, package: str, module: str) -> ModuleType:
        """Import a module by its path below the plugin's root (``plugin.py``, ``__init__.py``, ``parts/entry.py``).

        Whatever the module raises is raised here; nothing of the package stays imported then.
        """
        parts = [part for part in module.removesuffix(".py").split("/") if part not in ("", ".")]
        if parts and parts[-1] == "__init__":
            parts.pop()
        try:
            if parts:
                self._begin(package)
            return import_module(".".join([package, *parts]))
        except BaseException:
            self._forget(package)
            raise

    def _begin(self, package: str) -> None:
        """Make a package without code of its own at once: the import system takes as long for it as for a module."""
        parent = package.rpartition(".")[0]
        holder, source = sys.modules.get(parent), self._sources.get(package)
        if package in sys.modules or holder is None or source is None:
            return
        spec = source.spec(package, ())
        if spec is not None and spec.loader is None:
            module = sys.modules[package] = module_from_spec(spec)
            setattr(holder, package.rpartition(".")[2], module)

    def claim(self, package: str, source: ModuleSource) -> None:
        """Serve an installed package under its real name; one that the program imported before stays as it is."""
        if package not in sys.modules:
            self._sources[package] = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of this space; every other name is somebody else's."""
        for package in _prefixes(fullname):
            source = self._sources.get(package)
            if source is not None:
                below = fullname[len(package) + 1 :]
                return source.spec(fullname, tuple(below.split(".")) if below else ())
        if fullname == ROOT or (fullname.startswith(f"{ROOT}.") and fullname.count(".") == 1):
            return ModuleSpec(fullname, None, is_package=True)
        return None

    def _forget(self, *packages: str) -> None:
        wanted = frozenset(packages)
        for name in list(sys.modules):  # a load that was abandoned may still import, in its own thread
            if not wanted.isdisjoint(_prefixes(name)):
                sys.modules.pop(name, None)
        for package in packages:
            parent, _, last = package.rpartition(".")
            holder = sys.modules.get(parent)
            if holder is not None:
                vars(holder).pop(last, None)


def _prefixes(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
