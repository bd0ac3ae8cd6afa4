"""Where the modules of a plugin's private package come from: its directory, or bytes that were verified before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source
from importlib.util import spec_from_file_location
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType
from typing import Protocol

import attrs


class ModuleSource(Protocol):
    """Finds the modules of one plugin. ``parts`` is the module's name below the plugin's package."""

    def spec(self, name: str, parts: tuple[str, ...]) -> ModuleSpec | None:
        """Return how to load it, or ``None`` where there is no such module."""


@attrs.frozen
class Files:
    """Python's own machinery over a directory; its bytecode cache is used only for what ships with Gatehook."""

    root: Path
    bytecode: bool = False

    def spec(self, name: str, parts: tuple[str, ...]) -> ModuleSpec | None:
        """Return a spec over the file, or over the directory as a package."""
        base = os.path.join(self.root, *parts)  # noqa: PTH118  a third of the time of a Path, for each of a thousand
        package = os.path.join(base, "__init__.py")  # noqa: PTH118
        if os.path.isfile(package):  # noqa: PTH113
            return self._file(name, package, [base])
        if parts and os.path.isfile(f"{base}.py"):  # noqa: PTH113
            return self._file(name, f"{base}.py", None)
        return _namespace(name) if os.path.isdir(base) else None  # noqa: PTH112

    def _file(self, name: str, path: str, search: list[str] | None) -> ModuleSpec | None:
        loader = SourceFileLoader(name, path) if self.bytecode else _SourceOnlyLoader(name, path)
        return spec_from_file_location(name, path, loader=loader, submodule_search_locations=search)


class _SourceOnlyLoader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


@attrs.frozen
class VerifiedBytes:
    """Compiles exactly these bytes, by their path below ``root``; no bytecode is read or written, no file opened."""

    root: Path
    files: Mapping[str, bytes]

    def spec(self, name: str, parts: tuple[str, ...]) -> ModuleSpec | None:
        """Return a spec over the bytes, or over the directory as a package."""
        base = "/".join(parts)
        package = f"{base}/__init__.py" if base else "__init__.py"
        for relative, is_package in ((package, True), (f"{base}.py", False)):
            if relative in self.files:
                loader = _BytesLoader(self.files[relative], str(self.root / relative), is_package)
                return spec_from_loader(name, loader, origin=loader.path, is_package=is_package)
        below = f"{base}/" if base else ""
        return _namespace(name) if any(path.startswith(below) for path in self.files) else None


class _BytesLoader(InspectLoader):
    def __init__(self, data: bytes, path: str, package: bool) -> None:
        self._data = data
        self._package = package
        self.path = path

    def is_package(self, fullname: str) -> bool:
        return self._package

    def get_source(self, fullname: str) -> str:
        return decode_source(self._data)

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._data, self.path)

    def exec_module(self, module: object) -> None:
        namespace = vars(module)
        namespace["__file__"] = self.path
        exec(self.get_code(namespace["__name__"]), namespace)  # noqa: S102  running the plugin is what a loader does


def _namespace(name: str) -> ModuleSpec:
    return ModuleSpec(name, None, is_package=True)
