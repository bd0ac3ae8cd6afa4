"""A secret in the running gateway: in no line, no log, no answer, no argument."""

from __future__ import annotations

import psutil

from tests.cli.process import Running

CANARY = 'canary"4711\\secret'

PLUGIN = """\
from gatehook import MarketData, hookimpl


class Leaky(MarketData):
    def __init__(self, context):
        self.token = context.config["token"].reveal()
        self.context = context
        context.logger.warning("the token is %s", self.token)

    async def list_instruments(self, *, query=None):
        try:
            raise RuntimeError(f"refused {self.token}")
        except RuntimeError:
            self.context.logger.exception("while asking %r", {"token": self.token})
        return []

    async def quote(self, instrument_id):
        raise RuntimeError(f"refused {self.token}")


class Broken(Leaky):
    async def __aenter__(self):
        raise RuntimeError(f"cannot connect with {self.token}")


@hookimpl
def provide_market_data(context):
    return (Broken if context.entry_id == "broken" else Leaky)(context)
"""

CONFIG = """\
[plugins.entries.leaky.config]
token = { env = "LEAKY_TOKEN" }
[plugins.entries.broken]
plugin = "leaky"
[plugins.entries.broken.config]
token = { env = "LEAKY_TOKEN" }
"""


def test_regression_19_a_canary_secret_is_in_nothing_that_leaves_the_running_gateway(gatehook, monkeypatch):
    monkeypatch.setenv("LEAKY_TOKEN", CANARY)
    schema = {"type": "object", "properties": {"token": {"type": "string"}}, "required": ["token"]}
    gatehook.plugin("leaky", PLUGIN, configSchema=schema)
    gatehook("plugins", "enable", "leaky", "--yes")
    gatehook.config.write_text(CONFIG)
    running = Running(gatehook, "--set", "logging.level=debug", "--debug")
    answers = [
        gatehook(*words)
        for words in (
            ["status", "--json"],
            ["status"],
            ["instruments"],
            ["quote", "X.LEAKY"],
            ["plugins", "restart", "broken"],
            ["plugins", "doctor", "--json"],
            ["config", "show", "--json"],
            ["logs", "--json"],
            ["logs"],
        )
    ]
    arguments = psutil.Process(running.process.pid).cmdline()
    assert running.stop() == 0
    logged = "".join(path.read_text() for path in (gatehook.data_dir / "logs").iterdir())
    everything = [*(answer.out + answer.err for answer in answers), *running.lines, *running.errors, *arguments, logged]
    assert "cannot connect with ********" in "".join(everything)
    assert "while asking" in logged
    for form in (CANARY, CANARY.replace("\\", "\\\\").replace('"', '\\"'), repr(CANARY)[1:-1]):
        assert [text for text in everything if form in text] == []
    binary = b"".join(path.read_bytes() for path in gatehook.data_dir.rglob("*") if path.is_file())
    assert CANARY.encode() not in binary
