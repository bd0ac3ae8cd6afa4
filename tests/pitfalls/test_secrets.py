"""A secret in the configuration, however it got there: no command prints it, in no form, also not when it fails."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.conftest import CommandLine

CANARY = "canary-4711-secret"
SCHEMA = {
    "type": "object",
    "properties": {
        "token": {"type": "string", "writeOnly": True},
        "apiKey": {"type": "string"},
        "seed": {"type": "string", "x-sensitive": True},
        "login": {"type": "object", "properties": {"password": {"type": "string"}}},
        "accounts": {"type": "array", "items": {"type": "object", "properties": {"secret": {"type": "string"}}}},
    },
    "required": ["token"],
    "additionalProperties": False,
}
ENTRY = "[plugins.entries.venue.config]\n"
WAYS = {
    "in clear": f'{ENTRY}token = "{CANARY}"\n',
    "by its name": f'{ENTRY}token = "x-x-x-x"\napiKey = "{CANARY}"\n',
    "by the author's mark alone": f'{ENTRY}token = "x-x-x-x"\nseed = "{CANARY}"\n',
    "inside a table": f'{ENTRY}token = "x-x-x-x"\nlogin = {{ password = "{CANARY}" }}\n',
    "inside a list": f'{ENTRY}token = "x-x-x-x"\naccounts = [{{ secret = "{CANARY}" }}]\n',
    "by a variable": f'{ENTRY}token = {{ env = "CANARY_VARIABLE" }}\n',
    "by a variable in a text": f'{ENTRY}token = "${{CANARY_VARIABLE}}"\n',
    "by a file": f'{ENTRY}token = {{ file = "FOLDER/canary" }}\n',
    "of a wrong type": f'{ENTRY}token = ["{CANARY}"]\n',
    "under a key that there is not": f'{ENTRY}tokn = "{CANARY}"\nx = {{ y = "{CANARY}" }}\n',
    "beside the configuration": f'[plugins.entries.venue]\ntoken = "{CANARY}"\n',
    "in an address": f'[plugins.entries.venue]\nurl = "https://me:{CANARY}@example.com/?token={CANARY}"\n',
    "in broken TOML": f'{ENTRY}token = "{CANARY}\n',
    "for a setting": f'[gateway]\nmode = "{CANARY}"\n',
}
COMMANDS = (
    ("plugins", "list"),
    ("plugins", "show", "venue"),
    ("plugins", "why", "venue"),
    ("plugins", "doctor"),
    ("plugins", "enable", "venue", "--dry-run"),
    ("slots", "list"),
    ("config", "check"),
    ("config", "show"),
    ("config", "schema"),
    ("config", "get", "plugins.entries.venue.config"),
    ("config", "get", "plugins.entries.venue.config.token"),
    ("config", "explain", "plugins.entries.venue.config.token"),
    ("config", "explain", "plugins.entries"),
    ("config", "get", "plugins"),
    ("config", "set", "plugins.entries.venue.config.token", CANARY),
    ("status",),
)


@pytest.fixture
def line(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("CANARY_VARIABLE", CANARY)
    line = CommandLine(tmp_path)
    monkeypatch.setenv("GATEHOOK__GATEWAY__DATA_DIR", str(line.data_dir))
    line.here.mkdir()
    monkeypatch.chdir(line.here)
    line.plugin("venue", configSchema=SCHEMA)
    line("plugins", "enable", "venue", "--yes")
    (tmp_path / "canary").write_text(CANARY)
    (tmp_path / "canary").chmod(0o600)
    return line


@pytest.mark.parametrize("way", WAYS)
def test_regression_19_no_command_prints_a_secret_of_the_configuration(line, tmp_path, way):
    line.config.write_text(WAYS[way].replace("FOLDER", str(tmp_path)))
    for words in COMMANDS:
        for form in ([], ["--json"], ["--debug"]):
            answer = line(*words, *form)
            assert CANARY not in answer.out + answer.err, (words, form)


@pytest.mark.parametrize("where", ["variable", "argument"])
def test_regression_19_no_command_prints_a_secret_that_came_from_outside_the_file(line, monkeypatch, where):
    if where == "variable":
        monkeypatch.setenv("GATEHOOK__PLUGINS__ENTRIES__VENUE__CONFIG__TOKEN", CANARY)
    extra = ["--set", f"plugins.entries.venue.config.token={CANARY}"] if where == "argument" else []
    for words in COMMANDS[:-1]:
        for form in ([], ["--json"], ["--debug"]):
            answer = line(*words, *extra, *form)
            assert CANARY not in answer.out + answer.err, (words, form)


def test_regression_19_a_run_that_cannot_start_prints_no_secret(line, tmp_path):
    """A journal that is damaged, after the secret is known; with --debug, the traceback too."""
    line.config.write_text(WAYS["by a variable"])
    line.data_dir.mkdir(exist_ok=True)
    (line.data_dir / "journal.sqlite").write_bytes(b"no journal " * 1000)
    done = subprocess.run(
        [sys.executable, "-m", "gatehook", "run", "--debug"],
        capture_output=True,
        text=True,
        cwd=line.here,
        env=dict(os.environ),
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "journal.corrupt" in done.stderr
    assert "Traceback" in done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert CANARY.encode() not in b"".join(path.read_bytes() for path in line.data_dir.rglob("*") if path.is_file())
