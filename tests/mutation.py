"""Seeded defects, one at a time, in a copy of a package's modules in memory; something must notice each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from importlib.abc import Loader
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import count
from pathlib import Path
from types import CodeType
from types import ModuleType
from typing import NamedTuple

import pytest

_NUMBERS = count(1)


class Mutant(NamedTuple):
    """A defect: in the source of a module, ``before`` is replaced by ``after``."""

    module: str
    before: str
    after: str


class _Copy(MetaPathFinder, Loader):
    """Imports a package under another name, from compiled code."""

    def __init__(self, name: str, code: Mapping[str, CodeType]) -> None:
        self.name = name
        self._code = code

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        package, _, module = fullname.partition(".")
        if package != self.name or (module and module not in self._code):
            return None
        return ModuleSpec(fullname, self, is_package=not module)

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.partition(".")[2]
        if name:
            exec(self._code[name], module.__dict__)


class Source:
    """The modules of a folder, compiled as they are."""

    def __init__(self, folder: Path, pattern: str = "[a-z]*.py") -> None:
        self._paths = {path.stem: path for path in folder.glob(pattern)}
        self._code = {name: compile(path.read_text(), str(path), "exec") for name, path in self._paths.items()}

    @contextmanager
    def copy(self, mutant: Mutant | None = None) -> Iterator[str]:
        """Make a copy importable, with the defect; yield the name of its package.

        Raises:
            LookupError: for a defect whose place is not in the source just once.
        """
        name = f"mutant_{next(_NUMBERS)}"
        changed = {} if mutant is None else {mutant.module: self._changed(mutant, name)}
        finder = _Copy(name, {**self._code, **changed})
        sys.meta_path.insert(0, finder)
        try:
            yield name
        finally:
            sys.meta_path.remove(finder)
            for one in [one for one in sys.modules if one.partition(".")[0] == name]:
                del sys.modules[one]

    def _changed(self, mutant: Mutant, name: str) -> CodeType:
        source = self._paths[mutant.module].read_text()
        if source.count(mutant.before) != 1:
            raise LookupError(f"{source.count(mutant.before)} times in {mutant.module}: {mutant.before!r}")
        return compile(source.replace(mutant.before, mutant.after), f"<{name}.{mutant.module}>", "exec")


def first_broken(checks: Iterable[tuple[str, Callable[[], object]]]) -> str | None:
    """Return the name of the first check that fails, ``None`` if all hold."""
    for name, check in checks:
        try:
            check()
        except (Exception, pytest.fail.Exception):  # a defect may break a check in any way
            return name
    return None
