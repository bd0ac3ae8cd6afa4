"""The command line in this process, on directories of its own."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from gatehook.cli.app import app
from tests.cli.process import Running


@attrs.frozen
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class CommandLine:
    """Runs commands in a directory of their own, with a home of their own."""

    def __init__(self, home: Path):
        self.home = home
        self.here = home / "here"
        self.data_dir = home / "data"
        self.config = self.here / "gatehook.toml"

    def __call__(self, *words, stdin=None) -> Answer:
        result = CliRunner().invoke(app, [str(word) for word in words], input=stdin, prog_name="gatehook")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    def plugin(self, plugin_id: str, source: str = "", root: Path | None = None, **manifest) -> Path:
        """Write a plugin to disk, by default into the workspace."""
        directory = (root or self.here / "plugins") / plugin_id
        directory.mkdir(parents=True)
        facts = {
            "id": plugin_id,
            "name": plugin_id.title(),
            "version": "1.0.0",
            "kinds": ["connector.marketData"],
            "entry": {"type": "python.module", "module": "plugin.py"},
            "capabilities": {"supportsTicks": True},
        }
        (directory / "plugin.json").write_text(json.dumps({**facts, **manifest}))
        (directory / "plugin.py").write_text(source)
        return directory


@pytest.fixture
def gatehook(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    line = CommandLine(tmp_path)
    monkeypatch.setenv("GATEHOOK__GATEWAY__DATA_DIR", str(line.data_dir))
    line.here.mkdir()
    monkeypatch.chdir(line.here)
    return line


@pytest.fixture
def run(gatehook):
    """Start gateways in processes of their own; what still runs at the end of the test is killed."""
    started = []

    def start(*options, wait=True):
        started.append(Running(gatehook, *options, wait=wait))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.end()
