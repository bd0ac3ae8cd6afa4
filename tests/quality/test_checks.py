"""The checks that hold for every change, so that one command runs them all."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("ruff", "check", "."), id="style"),
        pytest.param(("ruff", "format", "--check", "."), id="format"),
        pytest.param(("mypy",), id="types"),
        pytest.param(("lint-imports",), id="layers"),
    ],
)
@pytest.mark.timeout(300)
def test_the_check_passes(command, tmp_path):
    program = shutil.which(command[0], path=str(SCRIPTS))
    assert program is not None, f"{command[0]} is not beside {sys.executable}: it comes with the extra test"
    caches = {"mypy": ("--cache-dir", tmp_path), "ruff": ("--no-cache",), "lint-imports": ("--no-cache",)}
    done = subprocess.run(
        [program, *command[1:], *map(str, caches[command[0]])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_has_two_subjects():
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("src", "builtin_plugins", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert not long
