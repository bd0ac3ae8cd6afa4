"""Packages that export names of their modules, each imported when it is first used: a listing pays for nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from collections.abc import Mapping
from importlib import import_module
from typing import Any


def lazy_exports(
    package: str, modules: Mapping[str, str], own: tuple[str, ...] = ()
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__all__``, ``__getattr__`` and ``__dir__``.

    ``modules`` has the names, separated by spaces, of each module of the package; ``own`` are names it defines itself.
    """
    homes = {name: f"{package}.{module}" for module, names in modules.items() for name in names.split()}
    exported = sorted([*homes, *own])

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return exported, find, lambda: exported
