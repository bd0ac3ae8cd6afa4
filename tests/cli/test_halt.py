"""Halting and resuming: without a gateway, with one, and with one that is stuck."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from tests.cli.process import DEADLINE
from tests.cli.process import GATEHOOK
from tests.cli.process import eventually

BUY = ("orders", "place", "buy", "1000", "EURUSD.SIMULATED")
RESTING = (*BUY, "--type", "limit", "--price", "0.5")
STOP = ("orders", "place", "sell", "1000", "EURUSD.SIMULATED", "--type", "stop", "--trigger", "0.5", "--reduce-only")


@pytest.fixture
def running(run):
    return run()


def kinds(gatehook):
    lines = (gatehook.data_dir / "audit.jsonl").read_text().splitlines()
    return [json.loads(line)["kind"] for line in lines]


def test_a_halt_needs_no_gateway_and_is_audited(gatehook):
    halted = gatehook("halt", "--reason", "nobody at the desk", "--json")
    assert halted.code == 0, halted
    (record,) = halted.json["records"]
    assert (record["scope"], record["reason"]) == ("all", "nobody at the desk")
    assert record["by"].startswith("cli:")
    assert json.loads((gatehook.data_dir / "halt.json").read_text())["records"][0]["scope"] == "all"

    resumed = gatehook("resume", "--reason", "back again", "--json")
    assert (resumed.code, resumed.json["records"]) == (0, [])
    assert kinds(gatehook)[-2:] == ["trading.halted", "trading.resumed"]
    again = gatehook("resume", "--reason", "twice")
    assert (again.code, "halt.not-halted" in again.err) == (1, True)


def test_scopes_are_halted_together_and_lifted_one_by_one(gatehook):
    gatehook("halt", "entry:paper", "account:mt5/12", "subscription:copy", "--reason", "news")
    left = gatehook("resume", "entry:paper", "--reason", "over", "--json").json["records"]
    assert {one["scope"] for one in left} == {"account:mt5/12", "subscription:copy"}


@pytest.mark.parametrize("scope", ["everything", "entry:", "account:paper", "paper"])
def test_a_scope_that_is_none_halts_nothing(gatehook, scope):
    refused = gatehook("halt", "all", scope, "--reason", "x")
    assert (refused.code, "halt.scope" in refused.err) == (1, True)
    assert not gatehook.data_dir.exists()


def test_a_broken_configuration_does_not_hold_up_a_halt(gatehook):
    gatehook.config.write_text("[gateway\n")
    assert gatehook("halt", "--reason", "x").code == 1
    assert gatehook("halt", "--reason", "x", "--data-dir", gatehook.data_dir).code == 0
    assert (gatehook.data_dir / "halt.json").exists()


def test_what_is_tried_or_misused_halts_nothing(gatehook):
    assert gatehook("halt", "--reason", "x", "--dry-run").code == 0
    assert gatehook("halt", "--reason", "x", "--include-protective").code == 2
    assert gatehook("halt").code == 2
    assert not (gatehook.data_dir / "halt.json").exists()


def test_without_a_gateway_nothing_is_canceled_and_that_is_said(gatehook):
    answer = gatehook("halt", "--reason", "x", "--cancel-all", "--json")
    assert answer.code == 1
    assert "nothing was canceled" in answer.json["failed"][0]
    assert (gatehook.data_dir / "halt.json").exists()


def test_a_halted_gateway_takes_no_risk_and_still_closes(gatehook, running, run):
    assert gatehook(*BUY).code == 0
    assert gatehook(*RESTING, "--client-order-id", "resting").code == 0
    halted = gatehook("halt", "account:paper/main", "--reason", "enough", "--json")
    assert halted.code == 0
    assert [one["request"]["client_order_id"] for one in halted.json["orders"]] == ["resting"]
    refused = gatehook(*BUY, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "halted")
    assert "enough" in refused.json["error"]["message"]
    assert "HALTED: account:paper/main" in gatehook("status").out
    closed = gatehook("positions", "close", "paper/main", "EURUSD.SIMULATED", "--yes", "--json")
    assert (closed.code, closed.json["order"]["status"]) == (0, "filled")
    assert running.stop() == 0

    again = run()
    assert any(line.startswith("halt: account:paper/main HALTED by cli:") for line in again.lines)
    assert gatehook(*BUY).code == 1
    assert gatehook("resume", "account:paper/main", "--reason", "looked").code == 0
    assert gatehook(*BUY).code == 0
    assert again.stop() == 0
    assert kinds(gatehook).count("trading.halted") == 1


def test_cancel_all_leaves_what_protects(gatehook, running):
    gatehook(*BUY)
    gatehook(*RESTING, "--client-order-id", "entry")
    gatehook(*STOP, "--client-order-id", "protection")
    tried = gatehook("halt", "--reason", "x", "--cancel-all", "--dry-run", "--json").json
    assert [line.split()[1] for line in tried["canceled"]] == ["entry"]
    answer = gatehook("halt", "--reason", "x", "--cancel-all", "--json")
    assert answer.code == 0, answer
    assert [line.split()[1] for line in answer.json["canceled"]] == ["entry"]
    assert "order protection" in answer.json["left"][0]
    assert open_ids(gatehook) == ["protection"]
    assert gatehook("halt", "--reason", "x", "--cancel-all", "--include-protective").code == 0
    assert open_ids(gatehook) == []
    assert running.stop() == 0


def open_ids(gatehook):
    return [one["request"]["client_order_id"] for one in gatehook("orders", "list", "--json").json["orders"]]


def test_flatten_asks_closes_and_then_takes_the_protection_away(gatehook, running):
    gatehook(*BUY)
    gatehook(*RESTING)
    gatehook(*STOP)
    asked = gatehook("halt", "--reason", "x", "--flatten")
    assert (asked.code, "cli.consent-needed" in asked.err) == (3, True)
    assert (gatehook.data_dir / "halt.json").exists()
    assert len(gatehook("positions", "--json").json["positions"]) == 1
    answer = gatehook("halt", "--reason", "x", "--flatten", "--yes", "--json")
    assert answer.code == 0, answer
    assert (len(answer.json["canceled"]), len(answer.json["closed"]), answer.json["failed"]) == (2, 1, [])
    assert gatehook("positions", "--json").json["positions"] == []
    assert open_ids(gatehook) == []
    assert running.stop() == 0


def test_a_stuck_gateway_is_halted_from_the_disk(gatehook, running):
    gatehook(*RESTING, "--client-order-id", "resting")
    running.process.send_signal(signal.SIGSTOP)
    asked_before = subprocess.Popen([*GATEHOOK, *BUY], cwd=gatehook.here, stderr=subprocess.DEVNULL)
    halted = gatehook("halt", "--reason", "it does not answer", "--json")
    assert halted.code == 1, "the gateway did not confirm it, and that is said"
    assert halted.json["records"][0]["scope"] == "all"
    assert [one["request"]["client_order_id"] for one in halted.json["orders"]] == ["resting"]
    running.process.send_signal(signal.SIGCONT)
    assert asked_before.wait(DEADLINE) == 1
    refused = gatehook(*BUY, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "halted")
    assert gatehook("positions", "--json").json["positions"] == []
    eventually(lambda: kinds(gatehook).count("trading.halted") == 2)
    assert running.stop() == 0
