from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import gatehook

HEAVY = ["anyio", "attrs", "cattrs", "click", "httpx2", "jsonschema", "mcp", "pluggy", "pydantic", "rich", "starlette"]


def test_every_public_name_can_be_imported():
    for name in gatehook.__all__:
        assert getattr(gatehook, name) is not None


def test_what_type_checkers_see_is_what_is_public():
    tree = ast.parse(Path(gatehook.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen | {"API_VERSION", "__version__"} == set(gatehook.__all__)


def test_importing_gatehook_imports_nothing_heavy():
    code = f"import gatehook, sys; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_version_is_the_distributions():
    assert gatehook.__version__ == version("gatehook")


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(gatehook, "Brocker")
