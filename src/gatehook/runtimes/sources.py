"""Where the modules of a plugin's private package come from: its directory, or bytes that were verified before."""

from __future__ import annotations

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
class CachedFiles:
    """Python's own machinery over a directory, bytecode cache included: for what ships with Gatehook."""

    root: Path

    def spec(self, name: str, parts: tuple[str, ...]) -> ModuleSpec | None:
        """Return a spec over the file, or over the directory as a package."""
        base = self.root.joinpath(*parts)
        package, module = base / "__init__.py", base.parent / f"{base.name}.py"
        if package.is_file():
            return _file_spec(name, package, [str(base)])
        if parts and module.is_file():
            return _file_spec(name, module, None)
        return _namespace(name) if base.is_dir() else None


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


def _file_spec(name: str, path: Path, search: list[str] | None) -> ModuleSpec | None:
    loader = SourceFileLoader(name, str(path))
    return spec_from_file_location(name, path, loader=loader, submodule_search_locations=search)


def _namespace(name: str) -> ModuleSpec:
    return ModuleSpec(name, None, is_package=True)


def read_sources(root: Path) -> Mapping[str, bytes]:
    """Read every Python file below a directory, symbolic links left out: what is read is what is compiled."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*.py"))
        if path.is_file() and not path.is_symlink()
    }
