"""The public names of the catalog."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gatehook.catalog


def test_what_type_checkers_see_is_what_there_is():
    tree = ast.parse(Path(gatehook.catalog.__file__).read_text())
    (block,) = (one for one in tree.body if isinstance(one, ast.If))
    seen = {alias.asname: one.module for one in block.body for alias in one.names}
    assert sorted(seen) == list(gatehook.catalog.__all__) == dir(gatehook.catalog)
    for name, module in seen.items():
        value = getattr(gatehook.catalog, name)
        assert getattr(value, "__module__", module) == module


def test_other_names_are_missing():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gatehook.catalog.nothing  # noqa: B018  the look-up is the test
