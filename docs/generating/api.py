"""The public names of the package, by the module that each is from."""

from __future__ import annotations

import inspect
import sys
from itertools import groupby
from typing import Final

import gatehook
from generating.tables import code
from generating.tables import prose
from generating.tables import table

#: Names that have no docstring: where each is from, and what it is.
_NO_CLASSES: Final = {
    "BrokerEvent": ("gatehook.kinds.broker", "What a broker reports by itself: an order, a fill, positions or money."),
    "hookimpl": ("gatehook.hookspecs", "Marks a plugin's implementation of a hook."),
    "hookspec": ("gatehook.hookspecs", "Marks a hook; for programs that add hooks of their own."),
}


def section() -> str:
    """Return one table for each module."""
    names = [name for name in gatehook.__all__ if name not in ("API_VERSION", "__version__")]
    homes = sorted((_home(name), name) for name in names)
    return "\n\n".join(_module(home, [name for _, name in found]) for home, found in groupby(homes, lambda one: one[0]))


def _home(name: str) -> str:
    value = getattr(gatehook, name)
    return str(value.__module__) if inspect.isclass(value) else _NO_CLASSES[name][0]


def _module(home: str, names: list[str]) -> str:
    return f"## `{home}`\n\n{prose(_sentence(sys.modules[home].__doc__))}\n\n" + table(
        ("name", "what it is"), [(code(name), prose(_summary(name))) for name in names]
    )


def _summary(name: str) -> str:
    value = getattr(gatehook, name)
    return _sentence(value.__doc__) if inspect.isclass(value) else _NO_CLASSES[name][1]


def _sentence(text: str | None) -> str:
    """Return the first sentence of a docstring."""
    words = " ".join((text or "").partition("\n\n")[0].split())
    return words.partition(". ")[0].rstrip(".:") + "."
