"""The worked example as a stranger's: built, installed with its entry point, tested as a distribution."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_tox_installs_and_tests_each_distribution_under_plugins():
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    environment = tox["testenv:plugins"]
    folders = [path.parent.relative_to(ROOT) for path in ROOT.glob("plugins/*/pyproject.toml")]
    assert folders
    for folder in folders:
        assert f"{{tox_root}}/{folder}" in environment["commands_pre"].split()
        assert f"{{tox_root}}/{folder}/tests" in environment["commands"].split()


@pytest.mark.timeout(300)
def test_the_dealer_is_found_by_its_entry_point_and_keeps_the_statements(tmp_path):
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    # Everything it depends on is in the environment that runs this test: nothing has to be fetched.
    path = os.pathsep.join([str(ROOT / "src"), sysconfig.get_path("purelib")])
    environment = {**os.environ, "PYTHONPATH": path, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    install = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-build-isolation",
        "--no-deps",
        ROOT / "plugins" / "dealer",
    ]
    subprocess.run(install, env=environment, check=True, capture_output=True, timeout=200)
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_dealer.py").write_text((ROOT / "plugins/dealer/tests/test_dealer.py").read_text("utf-8"))
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "05 or 23 or 01", tests],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dealer as broker: 2 held (5 23)" in done.stdout, done.stdout
    assert sys.version_info >= (3, 11)
