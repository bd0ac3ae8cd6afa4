"""`gatehook run` with the built-in MetaTrader plugin against its stand-in, each in a process of its own: from the first
price to the last close, as a person types it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from decimal import Decimal

import pytest

from tests.cli.process import eventually

TOKEN = "a-token-nobody-may-see"
ACCOUNT = "metaapi-mcp/demo-1"
EURUSD = "EURUSD.METAAPI-MCP"
CONFIG = """
[gateway]
mode = "live"

[plugins]
deny = ["paper"]

[plugins.slots]
memory = "none"

[plugins.entries.metaapi-mcp]
url = "{url}"
config.token = {{ env = "METAAPI_TOKEN" }}
config.allowedAccounts = ["demo-1"]
config.symbols = ["EURUSD"]
config.poll = 0.1

[trading]
reconcile_every = 1

[[permissions]]
caller = "cli"
decision = "allow"
"""


class FakeVenue:
    """`gatehook dev fake-venue metaapi` in a process of its own."""

    def __init__(self):
        command = [
            sys.executable,
            "-m",
            "gatehook",
            "dev",
            "fake-venue",
            "metaapi",
            "--accounts",
            "demo-1",
            "--token",
            TOKEN,
        ]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ)
        )
        self.said = []
        self.url = self._until_url()

    def _until_url(self):
        for line in self.process.stdout:
            self.said.append(line)
            if match := re.search(r"http://127\.0\.0\.1:\d+/sse", line):
                return match[0]
        raise AssertionError(self.said)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0


@pytest.fixture
def venue():
    running = FakeVenue()
    yield running
    running.stop()


@pytest.fixture
def ask(gatehook):
    """Run a command and return its JSON document."""

    def command(*words, code=0):
        answer = gatehook(*words, "--json")
        assert answer.code == code, (words, answer)
        return answer.json

    return command


def test_prices_and_a_trade_from_its_first_to_its_last_order(gatehook, run, venue, ask, monkeypatch):
    monkeypatch.setenv("METAAPI_TOKEN", TOKEN)
    gatehook.config.write_text(CONFIG.format(url=venue.url))
    assert gatehook("mode", "confirm-live", "--yes").code == 0
    gateway = run()
    bid = Decimal(ask("quote", EURUSD)["quote"]["bid"])
    eventually(lambda: gatehook("reconciliation", "--json").json["accounts"])

    limit = ask("orders", "place", "buy", "0.02", EURUSD, "--type", "limit", "--price", f"{bid - Decimal('0.05'):.5f}")
    order = limit["order"]["request"]["client_order_id"]
    assert limit["order"]["status"] == "accepted"
    ask("orders", "amend", order, "--price", f"{bid - Decimal('0.06'):.5f}")
    assert ask("orders", "cancel", order, "--yes")["order"]["status"] == "canceled"

    above = f"{bid + Decimal('0.05'):.5f}"
    stop = ask("orders", "place", "buy", "0.02", EURUSD, "--type", "stop", "--trigger", above)["order"]
    assert stop["status"] == "accepted"
    ask("orders", "cancel", stop["request"]["client_order_id"], "--yes")

    bought = ask("orders", "place", "buy", "0.03", EURUSD)
    assert (bought["order"]["status"], Decimal(bought["order"]["filled"])) == ("filled", Decimal("0.03"))
    [position] = ask("positions", "list")["positions"]
    ask(
        "positions",
        "protect",
        ACCOUNT,
        EURUSD,
        "--stop-loss",
        f"{bid - Decimal('0.02'):.5f}",
        "--yes",
        "--position",
        position["position_id"],
    )
    ask("positions", "close", ACCOUNT, EURUSD, "--position", position["position_id"], "--yes")
    eventually(lambda: not ask("positions", "list")["positions"])
    eventually(lambda: len(ask("fills", "list")["fills"]) == 2)
    assert ask("audit", "verify")["ok"]

    assert gateway.stop() == 0
    written = [one.read_bytes() for one in gatehook.data_dir.rglob("*") if one.is_file()]
    assert not [one for one in [*written, *map(str.encode, gateway.lines + gateway.errors)] if TOKEN.encode() in one]
