"""Orders on a demo account wait for a person, who sees exactly what is sent."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.cli.process import eventually

BUY = ("orders", "place", "buy", "3", "XYZ.DEMO", "--account", "demo/main")


def configure(gatehook, mode, proven=None):
    """Run in a mode; the broker proves the same, or another."""
    gatehook.config.write_text(
        f'[gateway]\nmode = "{mode}"\n\n'
        f'[plugins.entries.demo.config]\nmode = "{proven or mode}"\nallowedAccounts = ["main"]\n'
    )


@pytest.fixture
def demo(gatehook):
    """Install the demo broker."""
    gatehook.plugin(
        "demo",
        Path(__file__).with_name("demo.py").read_text(),
        kinds=["connector.broker"],
        capabilities={
            "orderTypes": ["market", "limit", "stop"],
            "supportsReduceOnly": True,
            "supportsAmend": True,
            "supportsClosePosition": True,
            "positionModes": ["netting"],
        },
        configSchema={"type": "object", "properties": {"mode": {"type": "string"}, "outside": {"type": "string"}}},
    )
    assert gatehook("plugins", "enable", "demo", "--yes").code == 0
    configure(gatehook, "demo")
    return gatehook


@pytest.fixture
def running(demo, run):
    return run()


def waiting(gatehook, client_order_id, *more):
    placed = gatehook(*BUY, "--client-order-id", client_order_id, *more, "--json")
    assert (placed.code, placed.json["order"]["status"]) == (3, "initialized"), placed
    return placed.json["approval"]


def test_an_order_waits_is_shown_and_sent(demo, running):
    assert "mode: demo" in running.lines
    assert "approvals: a person is asked before an order leaves" in running.lines
    placed = demo(*BUY, "--client-order-id", "first")
    assert placed.code == 3
    (approval,) = demo("approvals", "--json").json["approvals"]
    command = f"gatehook approvals approve {approval['approval_id']}"
    assert command in placed.err
    eventually(lambda: any(command in line for line in running.errors))
    assert demo("orders", "list", "--all", "--json").json["orders"][0]["status"] == "initialized"

    asked = demo("approvals", "approve", approval["approval_id"])
    assert (asked.code, "cli.consent-needed" in asked.err) == (3, True)
    for fact in ("XYZ.DEMO", "buy", "3 base", "demo"):
        assert fact in asked.out
    sent = demo("approvals", "approve", approval["approval_id"], "--yes", "--json")
    assert (sent.code, sent.json["orders"][0]["status"]) == (0, "filled")
    assert demo(*BUY, "--client-order-id", "first", "--json").json["order"]["status"] == "filled"
    again = demo("approvals", "approve", approval["approval_id"], "--yes")
    assert (again.code, "guard.approval-answered" in again.err) == (1, True)
    assert running.stop() == 0


def test_a_no_sends_nothing_and_the_id_is_free(demo, running):
    approval = waiting(demo, "second")
    assert demo("approvals", "reject", approval).code == 0
    assert demo("approvals", "--json").json["approvals"] == []
    assert demo("positions", "--json").json["positions"] == []
    assert waiting(demo, "second") != approval
    unknown = demo("approvals", "show", "NOBODY")
    assert (unknown.code, "guard.approval-unknown" in unknown.err) == (1, True)
    assert running.stop() == 0


def test_a_halt_stands_against_what_was_asked_for_before_it(demo, running):
    approval = waiting(demo, "third")
    assert demo("halt", "--reason", "x").code == 0
    refused = demo("approvals", "approve", approval, "--yes", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "halted")
    assert demo("positions", "--json").json["positions"] == []
    assert running.stop() == 0


def test_a_grant_answers_in_advance_as_often_as_it_says(demo, running):
    shown = demo("permissions", "--json").json
    assert (shown["defaults"], shown["grants"]) == ({"trade": "ask"}, [])
    given = demo(
        "permissions",
        "grant",
        "--caller",
        "cli",
        "--expires",
        "1h",
        "--uses",
        "1",
        "--symbol",
        "XYZ.*",
        "--yes",
        "--json",
    )
    assert given.code == 0, given
    assert demo(*BUY, "--client-order-id", "granted").code == 0
    waiting(demo, "not-granted")
    given = demo("permissions", "grant", "--caller", "cli", "--expires", "1h", "--account", "demo", "--yes", "--json")
    grant_id = given.json["grant"]["grant_id"]
    assert grant_id in demo("permissions").out
    assert demo("permissions", "revoke", grant_id).code == 0
    waiting(demo, "revoked")
    kinds = [json.loads(line)["kind"] for line in (demo.data_dir / "audit.jsonl").read_text().splitlines()]
    assert (kinds.count("grant.given"), kinds.count("grant.revoked")) == (2, 1)
    assert running.stop() == 0


def test_nobody_there_to_grant_and_a_time_that_is_none(demo, running):
    assert demo("permissions", "grant", "--caller", "*", "--expires", "1h").code == 3
    bad = demo("permissions", "grant", "--caller", "*", "--expires", "soon", "--yes")
    assert (bad.code, "gateway.bad-request" in bad.err) == (1, True)
    assert running.stop() == 0


def test_an_amend_waits_too_and_its_error_names_the_approval(demo, running):
    resting = ("--type", "limit", "--price", "90", "--client-order-id", "resting")
    approval = demo(*BUY, *resting, "--json").json["approval"]
    assert demo("approvals", "approve", approval, "--yes").code == 0
    asked = demo("orders", "amend", "resting", "--price", "91", "--json")
    assert (asked.code, asked.json["error"]["code"]) == (3, "approval_pending"), asked
    assert f"gatehook approvals approve {asked.json['error']['approval']}" in asked.err
    done = demo("approvals", "approve", asked.json["error"]["approval"], "--yes", "--json")
    assert done.json["orders"][0]["request"]["price"] == "91"
    assert running.stop() == 0


def test_what_waits_is_withdrawn_by_a_stop(demo, running):
    waiting(demo, "left")
    assert running.stop(signal.SIGINT) == 0
    assert demo("orders", "list", "--all", "--json").json["orders"][0]["status"] == "denied"
    records = [json.loads(line) for line in (demo.data_dir / "audit.jsonl").read_text().splitlines()]
    answers = [one["subject"]["answer"] for one in records if one["kind"] == "approval.answered"]
    assert answers == ["withdrawn"]


def test_a_live_account_is_not_traded_in_mode_demo(demo, run):
    configure(demo, "demo", proven="live")
    running = run()
    refused = demo(*BUY, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "mode_not_allowed")
    assert running.stop() == 0


def test_live_runs_once_it_is_confirmed(demo, run):
    configure(demo, "live")
    assert demo("run").code == 1
    assert demo("mode", "confirm-live", "--yes").code == 0
    running = run()
    assert "mode: live" in running.lines
    assert waiting(demo, "live")
    assert running.stop() == 0
