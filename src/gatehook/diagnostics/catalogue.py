"""The whole catalogue of codes, collected from the modules in ``codes``."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from gatehook.diagnostics import codes
from gatehook.diagnostics.records import Code


def catalogue() -> Mapping[str, Code]:
    """Return every code by its id, sorted.

    Raises:
        ValueError: when two codes share an id.
    """
    found: dict[str, Code] = {}
    for module in pkgutil.iter_modules(codes.__path__):
        for value in vars(import_module(f"{codes.__name__}.{module.name}")).values():
            if isinstance(value, Code):
                if value.id in found:
                    raise ValueError(f"two codes have the id {value.id}")
                found[value.id] = value
    return dict(sorted(found.items()))
