"""A plugin that is taken away, or switched off: whatever still names it is said, with the line of the file."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import CommandLine

CONFIG = """\
[plugins]
allow = ["prices"]
deny = ["prices"]
paths = ["PLACE"]
[plugins.overrides]
prices = "user"
[plugins.slots]
memory = "prices"
[plugins.entries.prices]
enabled = true
[plugins.entries.paper.config]
prices = "prices"
"""


@pytest.fixture
def line(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    line = CommandLine(tmp_path)
    monkeypatch.setenv("GATEHOOK__GATEWAY__DATA_DIR", str(line.data_dir))
    line.here.mkdir()
    monkeypatch.chdir(line.here)
    return line


def test_regression_22_a_plugin_that_was_removed_is_reported_wherever_it_is_still_named(line, tmp_path):
    place = tmp_path / "place"
    line.plugin("prices", root=place)
    line.config.write_text(CONFIG.replace("PLACE", str(place)))
    shutil.rmtree(place)
    findings = line("plugins", "doctor", "--json").json["findings"]
    lines = {one["line"]: one["code"] for one in findings if one["line"] is not None}
    wanted = {2: "allow", 3: "deny", 4: "paths", 6: "overrides", 8: "slots"}
    assert set(wanted) <= set(lines), findings
    said = " ".join(one["message"] for one in findings)
    assert "The entry prices names the plugin prices, which was not found" in said
    assert all(one["remedy"] for one in findings)


def test_regression_22_a_plugin_that_was_disabled_leaves_its_slot_and_its_users_reported(line):
    line.config.write_text(
        "[plugins.entries.sqlite_fts]\nenabled = false\n[plugins.entries.simulated]\nenabled = false\n"
    )
    found = {one["code"]: one for one in line("plugins", "doctor", "--json").json["findings"]}
    assert "sqlite_fts is switched off" in found["slots.down"]["message"]
    assert found["entry.requires-entry"]["entry"] == "paper"
