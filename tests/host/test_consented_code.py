"""Code of the workspace runs after consent, exactly as it was agreed to."""

from __future__ import annotations

import sys

import pytest

from gatehook.catalog.consent import ConsentStore
from gatehook.catalog.places import Places
from tests.host.plugin_kit import QUOTES
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import lines
from tests.host.plugin_kit import recording
from tests.host.plugin_kit import state_of
from tests.host.plugin_kit import write_plugin

pytestmark = pytest.mark.anyio


@pytest.fixture
def consented(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    source = recording(tmp_path / "log", "from .utils import NAME\nrecord(NAME)\n" + QUOTES)
    root = write_plugin(tmp_path / "plugins", "quotes", source, files={"utils.py": "NAME = 'agreed'\n"})
    places = Places(workspace=tmp_path / "plugins")
    [candidate] = host_of(tmp_path, places=places).plan.candidates
    (tmp_path / "data").mkdir(mode=0o700)
    ConsentStore(tmp_path / "data" / "consent.json").grant(candidate)
    return root, places


async def test_it_runs_and_leaves_no_bytecode(tmp_path, consented):
    root, places = consented
    async with host_of(tmp_path, places=places) as host:
        assert state_of(host, "quotes") == "active"
        assert any(name.startswith("gatehook_plugins.workspace.quotes") for name in sys.modules)
    assert lines(tmp_path / "log") == ["agreed"]
    assert not list(root.rglob("__pycache__"))


async def test_a_file_that_changes_after_the_decision_is_not_run(tmp_path, consented):
    root, places = consented
    host = host_of(tmp_path, places=places)
    (root / "utils.py").write_text("NAME = 'swapped'\n")
    async with host:
        assert state_of(host, "quotes") == "failed"
        assert any("changed" in code for code in codes(host))
    assert lines(tmp_path / "log") == []


async def test_a_file_that_appears_after_the_decision_is_not_found(tmp_path, consented):
    root, places = consented
    (root / "plugin.py").write_text(recording(tmp_path / "log", "from . import late\n" + QUOTES))
    [candidate] = host_of(tmp_path, places=places).plan.candidates
    ConsentStore(tmp_path / "data" / "consent.json").grant(candidate)
    host = host_of(tmp_path, places=places)
    (root / "late.py").write_text("")
    async with host:
        assert state_of(host, "quotes") == "failed"
        assert "runtime.import-failed" in codes(host)
