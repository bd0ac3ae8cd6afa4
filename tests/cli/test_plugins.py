"""The plan on the command line: listed, explained, examined, and never run."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SENTINEL = "import pathlib; pathlib.Path(__file__).with_name('ran').touch()\n"


def test_list_shows_the_built_in_plugins(gatehook):
    answer = gatehook("plugins", "list")
    assert answer.code == 0
    assert answer.err == ""
    assert {"paper", "simulated", "replay", "sqlite_fts"} <= set(answer.out.split())


def test_list_as_json_is_the_plan(gatehook):
    plan = gatehook("plugins", "list", "--json").json
    assert plan["schemaVersion"] == 1
    assert {one["id"]: one["status"] for one in plan["plugins"]}["paper"] == "admitted"


def test_regression_09_looking_at_plugins_never_runs_their_code(gatehook):
    directory = gatehook.plugin("nosy", SENTINEL + "def register(api): pass\n")
    for words in (
        ["plugins", "list"],
        ["plugins", "show", "nosy"],
        ["plugins", "why", "nosy"],
        ["plugins", "doctor"],
        ["plugins", "enable", "nosy", "--yes"],
        ["plugins", "list", "--json"],
        ["plugins", "lock"],
        ["config", "check"],
        ["slots"],
        ["--help"],
    ):
        gatehook(*words)
    assert not (directory / "ran").exists()
    assert not (directory / "__pycache__").exists()


def test_show_has_what_a_person_wants_to_know(gatehook):
    gatehook.plugin("prices", permissions={"network": ["api.example.com"]})
    shown = gatehook("plugins", "show", "prices", "--json").json["plugins"][0]
    assert shown["status"] == "needs-consent"
    assert shown["entry"] == {"type": "python.module", "module": "plugin.py", "isolation": None}
    assert shown["permissions"]["network"] == ["api.example.com"]
    assert "api.example.com" in gatehook("plugins", "show", "prices").out


def test_an_unknown_plugin_is_named_with_the_nearest(gatehook):
    answer = gatehook("plugins", "show", "papr")
    assert answer.code == 1
    assert 'did you mean "paper"?' in answer.err


def test_why_prints_the_chain_of_decisions(gatehook):
    gatehook.plugin("prices")
    steps = gatehook("plugins", "why", "prices", "--json").json["steps"]
    assert [step["step"] for step in steps] == ["discover", "admit"]
    assert steps[-1]["status"] == "needs-consent"
    steps = gatehook("plugins", "why", "simulated", "--json").json["steps"]
    assert [step["step"] for step in steps] == ["discover", "admit", "activate"]


def test_regression_21_the_json_of_doctor_has_every_code_of_its_text(gatehook):
    gatehook.plugin("broken", version=7)
    gatehook.plugin("look_alike")
    gatehook.plugin("look-alike")
    gatehook.config.write_text('[plugins]\nallow = ["ghost"]\ndeny = ["paper"]\n')
    text, document = gatehook("plugins", "doctor"), gatehook("plugins", "doctor", "--json")
    assert text.code == document.code == 1
    codes = {finding["code"] for finding in document.json["findings"]}
    severities = {finding["severity"] for finding in document.json["findings"]}
    assert codes == {line.rpartition("[")[2].rstrip("]") for line in text.out.splitlines() if line.endswith("]")}
    assert {"error", "warning"} <= severities
    assert len(codes) >= 3
    assert all(finding["remedy"] for finding in document.json["findings"])


def test_doctor_of_a_broken_configuration_says_where_it_is_broken(gatehook):
    gatehook.config.write_text("[gateway]\nmode = 'papr'\n")
    answer = gatehook("plugins", "doctor")
    assert answer.code == 1
    assert f"{gatehook.config}:2" in answer.out


def test_regression_19_a_canary_secret_is_in_no_output_of_the_control_plane(gatehook):
    canary = "canary-4711-secret"
    schema = {"type": "object", "properties": {"token": {"type": "string"}, "limit": {"type": "integer"}}}
    gatehook.plugin("venue", configSchema=schema)
    gatehook("plugins", "enable", "venue", "--yes")
    gatehook.config.write_text(f'[plugins.entries.venue.config]\ntoken = "{canary}"\nlimit = "many"\n')
    for words in (
        ["plugins", "list"],
        ["plugins", "show", "venue"],
        ["plugins", "why", "venue"],
        ["plugins", "doctor"],
        ["config", "show"],
        ["config", "check"],
        ["config", "get", "plugins.entries.venue.config.token"],
        ["config", "explain", "plugins.entries.venue.config.token"],
        ["config", "explain", "plugins.entries.venue.config"],
    ):
        for form in ([], ["--json"]):
            answer = gatehook(*words, *form)
            assert canary not in answer.out + answer.err, words


def test_enable_shows_what_it_consents_to_and_needs_a_person(gatehook):
    gatehook.plugin("prices", permissions={"trading": True})
    answer = gatehook("plugins", "enable", "prices")
    assert answer.code == 3
    assert all(word in answer.out for word in ("connector.marketData", "plugin.py", "trading=True", "sha256:"))
    assert "--yes" in answer.err
    assert gatehook("plugins", "why", "prices", "--json").json["steps"][-1]["status"] == "needs-consent"


def test_consent_is_given_tried_and_taken_back(gatehook):
    gatehook.plugin("prices")

    def status():
        return gatehook("plugins", "why", "prices", "--json").json["steps"][1]["status"]

    assert gatehook("plugins", "enable", "prices", "--dry-run").code == 0
    assert status() == "needs-consent"
    granted = gatehook("plugins", "enable", "prices", "--yes", "--json")
    assert granted.json["granted"] is True
    assert status() == "admitted"
    assert gatehook("plugins", "disable", "prices").code == 3
    assert gatehook("plugins", "disable", "prices", "--yes").code == 0
    assert status() == "needs-consent"


def test_consent_ends_when_a_file_changes(gatehook):
    directory = gatehook.plugin("prices")
    gatehook("plugins", "enable", "prices", "--yes")
    (directory / "plugin.py").write_text("changed = True\n")
    assert gatehook("plugins", "why", "prices", "--json").json["steps"][1]["status"] == "needs-consent"


def test_what_cannot_run_cannot_be_enabled(gatehook):
    gatehook.plugin("broken", version=7)
    answer = gatehook("plugins", "enable", "broken", "--yes")
    assert answer.code == 1
    assert "cli.not-runnable" in answer.err


def test_a_built_in_plugin_needs_no_consent_and_has_none_to_take_back(gatehook):
    assert "needs no consent" in gatehook("plugins", "enable", "paper").err
    answer = gatehook("plugins", "disable", "paper", "--yes")
    assert answer.code == 1
    assert "plugins.deny" in answer.err


def test_the_lock_is_written_once_and_replaced_only_with_a_yes(gatehook):
    written = gatehook("plugins", "lock", "--json").json
    assert "paper" in written["plugins"]
    assert gatehook("plugins", "lock").code == 3
    assert gatehook("plugins", "lock", "--yes").code == 0


FORBIDDEN = ("mcp", "pydantic", "starlette", "rich", "anyio", "tomlkit", "httpx2", "structlog", "gatehook_plugins")


def modules_after(*words, cwd) -> set[str]:
    program = (
        "import sys, json\n"
        "from gatehook.cli.app import app\n"
        "try:\n    app(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        env=dict(os.environ),
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_regression_25_listing_fifty_plugins_imports_none_of_them_and_nothing_heavy(gatehook):
    for number in range(50):
        gatehook.plugin(f"plugin{number}", SENTINEL)
    loaded = modules_after("plugins", "list", "--json", cwd=gatehook.here)
    assert not [name for name in loaded if name.partition(".")[0] in FORBIDDEN]
    assert not list(gatehook.here.glob("plugins/*/ran"))


@pytest.mark.parametrize("words", [["--help"], ["orders", "--help"], ["plugins", "--help"]])
def test_help_imports_no_command(gatehook, words):
    loaded = modules_after(*words, cwd=gatehook.here)
    assert not loaded & {"gatehook.cli.orders", "gatehook.cli.plugins", "gatehook.cli.run", "gatehook.config", "rich"}


def test_files_that_change_while_they_are_read_get_no_consent(gatehook, monkeypatch):
    directory = gatehook.plugin("prices")
    from gatehook.cli import consent

    asked = consent._asked

    def changing(candidate):
        shown = asked(candidate)
        (directory / "plugin.py").write_text("other = True\n")
        return shown

    monkeypatch.setattr(consent, "_asked", changing)
    answer = gatehook("plugins", "enable", "prices", "--yes")
    assert answer.code == 1
    assert "cli.changed-meanwhile" in answer.err
    assert gatehook("plugins", "why", "prices", "--json").json["steps"][1]["status"] == "needs-consent"
