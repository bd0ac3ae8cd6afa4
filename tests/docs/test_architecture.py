"""The walk through the architecture is true: everything that it names exists."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from importlib.util import find_spec

import pytest

from tests.docs.stories import DOCS
from tests.docs.stories import ROOT

PAGES = (DOCS / "architecture.md", DOCS / "providers.md", *sorted((DOCS / "decisions").glob("*.md")))
TEXTS = {path: path.read_text("utf-8") for path in PAGES}
NO_MODULES = {"gatehook.toml", "gatehook.lock"}
NAMES = sorted({name for text in TEXTS.values() for name in re.findall(r"`(gatehook(?:\.\w+)+)`", text)} - NO_MODULES)
FILES = sorted({name for text in TEXTS.values() for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)+)`", text)})


def found(name: str) -> object:
    """Return the module or attribute with a dotted name."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        if _is_module(module):
            value = import_module(module)
            for attribute in parts[length:]:
                value = getattr(value, attribute)
            return value
    raise LookupError(name)


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module without parts
        return False


@pytest.mark.parametrize("name", NAMES)
def test_the_name_exists(name):
    assert found(name) is not None


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("entries/")])
def test_the_file_exists(name):
    assert (ROOT / name).exists()


def test_the_rooms_are_the_layers_in_their_order():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = [
        {f"gatehook.{room.strip()}" for room in layer.split("|") if "(" not in room} for layer in contracts[0]["layers"]
    ]
    table = TEXTS[DOCS / "architecture.md"].partition("## The rooms")[2].partition("## Threads")[0]
    rows = [
        set(re.findall(r"`(gatehook\.\w+)`", line.split("|")[1])) for line in table.splitlines() if line[:3] == "| `"
    ]
    assert rows == [layer for layer in layers if layer]
