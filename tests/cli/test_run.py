"""`gatehook run` as a process of its own: up, trading, down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil

from tests.cli.process import GATEHOOK
from tests.cli.process import eventually


def test_up_an_order_filled_and_down_again(gatehook, run):
    running = run()
    subjects = [line.partition(":")[0] for line in running.lines]
    assert subjects == [
        "mode",
        "configuration",
        "data directory",
        "account",
        "prices",
        "memory",
        "halt",
        "unknown orders",
        "reconciliation",
        "limits",
        "approvals",
        "ready",
    ]
    assert "prices: simulated, SIMULATED" in running.lines
    assert f"data directory: {gatehook.data_dir} (pid {running.process.pid})" in running.lines
    assert stat_mode(gatehook.data_dir) == 0o700
    assert stat_mode(gatehook.data_dir / "control.sock") == 0o600

    status = gatehook("status", "--json")
    assert (status.code, status.json["health"]["status"], status.json["schemaVersion"]) == (0, "ok", 1)
    quote = gatehook("quote", "EURUSD.SIMULATED")
    assert "SIMULATED" in quote.out.split()

    words = ("orders", "place", "buy", "1000", "EURUSD.SIMULATED", "--client-order-id", "first", "--json")
    placed = gatehook(*words).json["order"]
    assert (placed["status"], placed["filled"], placed["request"]["quantity_unit"]) == ("filled", "1000", "base")
    assert gatehook(*words).json["order"]["venue_order_id"] == placed["venue_order_id"]
    (fill,) = gatehook("fills", "--json").json["fills"]
    assert fill["client_order_id"] == "first"
    (position,) = gatehook("positions", "--json").json["positions"]
    assert (position["side"], position["quantity"]) == ("buy", "1000")
    assert gatehook("accounts", "--json").json["accounts"][0]["currency"] == "USD"

    words = ("sell", "1000", "EURUSD.SIMULATED", "--type", "limit", "--price", "1.9", "--client-order-id", "resting")
    assert gatehook("orders", "place", *words).code == 0
    assert running.stop() == 0
    assert any("resting" in line and "remains at the venue" in line for line in running.lines)
    assert running.lines[-1] == "stopped; 1 open orders, 0 unknown"
    assert not (gatehook.data_dir / "control.sock").exists()

    offline = gatehook("orders", "list", "--json")
    assert [order["request"]["client_order_id"] for order in offline.json["orders"]] == ["resting"]
    assert gatehook("orders", "show", "first", "--json").json["fills"] == [fill]
    found = gatehook("memory", "search", "first", "--json").json
    assert {hit["kind"] for hit in found["hits"]} == {"order", "fill"}


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_fault_19_a_second_gateway_on_one_data_directory_says_who_holds_it(run):
    first = run()
    second = run(wait=False)
    assert second.end() == 1
    assert str(first.process.pid) in "".join(second.errors)
    assert first.stop() == 0


def test_dev_is_said_on_every_line(gatehook, run):
    directory = gatehook.plugin(
        "mine",
        "from gatehook import MarketData, hookimpl\n\n\n"
        "class Mine(MarketData):\n"
        "    async def list_instruments(self, *, query=None):\n        return []\n\n"
        "    async def quote(self, instrument_id):\n        raise LookupError\n\n\n"
        "@hookimpl\ndef provide_market_data(context):\n"
        "    context.logger.warning('made')\n    return Mine()\n",
        root=gatehook.home / "elsewhere",
    )
    running = run("--dev", directory)
    states = {one["entry_id"]: one["state"] for one in gatehook("status", "--json").json["entries"]}
    assert states["mine"] == "active"
    assert "plugins.dev" in {one["code"] for one in gatehook("plugins", "doctor", "--json").json["findings"]}
    assert running.stop() == 0
    everything = [*running.lines, *(line.rstrip("\n") for line in running.errors)]
    assert any("made" in line for line in everything)
    assert [line for line in everything if not line.startswith(f"[dev: {directory}] ")] == []


CSV = "time,open,high,low,close\n" + "".join(
    f"2024-01-0{1 + hour // 24}T{hour % 24:02d}:00:00Z,1.10,1.1{hour % 10},1.09,1.1000\n" for hour in range(48)
)


def test_a_replay_runs_to_its_end_and_says_how_far_it_is(gatehook, run):
    (gatehook.here / "EURUSD.csv").write_text(CSV)
    running = run("--replay", "EURUSD.csv", "--exit-at-end")
    assert "prices: replay, REPLAY" in running.lines
    assert running.end() == 0
    assert running.lines[-1] == "stopped; 0 open orders, 0 unknown"
    assert [line for line in running.errors if line.startswith("replay: ")][-1] == "replay: 100 %\n"


def test_a_replay_of_a_file_that_is_not_there_is_an_error_with_its_place(gatehook):
    answer = gatehook("run", "--replay", "nowhere.csv")
    assert answer.code == 1
    assert "nowhere.csv" in answer.err
    assert gatehook("run", "--exit-at-end").code == 2


def test_a_replay_that_cannot_begin_is_not_waited_for(gatehook, run):
    (gatehook.here / "EURUSD.csv").write_text(CSV.replace("1.09,", "1.99,"))
    running = run("--replay", "EURUSD.csv", "--exit-at-end", wait=False)
    assert running.end() == 1
    assert "gateway.replay-failed" in "".join(running.errors)


def test_safe_mode_runs_the_built_in_plugins_alone(gatehook, run):
    gatehook.plugin("mine")
    running = run("--no-plugins")
    entries = gatehook("status", "--json").json["entries"]
    assert {one["plugin_id"] for one in entries if one["state"] == "active"} == {"paper", "simulated", "sqlite_fts"}
    assert "mine" not in {one["plugin_id"] for one in entries}
    assert running.stop() == 0


def test_entries_can_be_canceled_on_stop(gatehook, run):
    running = run("--on-stop", "cancel-entries")
    gatehook("orders", "place", "buy", "1000", "EURUSD.SIMULATED", "--type", "limit", "--price", "0.5")
    assert running.stop(signal.SIGINT) == 0
    assert running.lines[-1] == "stopped; 0 open orders, 0 unknown"
    assert gatehook("orders", "list", "--all", "--json").json["orders"][0]["status"] == "canceled"


def test_fault_25_a_signal_during_start_ends_cleanly(gatehook, run):
    running = run(wait=False)
    eventually((gatehook.data_dir / "lock").exists)
    code = running.stop()
    assert code in (0, 130)
    assert not (gatehook.data_dir / "control.sock").exists()
    assert run().stop() == 0


def test_a_lock_that_is_asked_for_must_be_there_and_then_holds(gatehook, run):
    refused = gatehook("run", "--locked")
    assert (refused.code, "lock.unreadable" in refused.err) == (1, True)
    assert gatehook("plugins", "lock").code == 0
    gatehook.plugin("late")
    gatehook("plugins", "enable", "late", "--yes")
    running = run("--locked")
    entries = {one["entry_id"] for one in gatehook("status", "--json").json["entries"]}
    assert "paper" in entries
    assert "late" not in entries
    assert running.stop() == 0


def test_a_data_directory_that_cannot_be_made_is_a_coded_error(gatehook):
    answer = gatehook("run", "--data-dir", "/proc/nowhere")
    assert answer.code == 1
    assert "/proc/nowhere" in answer.err
    assert "cli.unexpected" not in answer.err


def test_a_damaged_journal_stops_the_start_and_is_said_offline_too(gatehook):
    gatehook.data_dir.mkdir()
    (gatehook.data_dir / "journal.sqlite").write_text("no database " * 100)
    for words in (["run"], ["orders", "list"], ["fills"]):
        answer = gatehook(*words)
        assert answer.code == 1
        assert "journal.corrupt" in answer.err


def test_what_runs_leaves_no_process_behind(run):
    running = run()
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert running.stop() == 0
    assert [child for child in children if child.is_running()] == []


def test_the_slot_is_switched_and_entries_restarted_while_running(gatehook, run):
    running = run()
    assert gatehook("slots", "use", "memory", "none", "--json").json["slots"][0]["entry"] is None
    refused = gatehook("memory", "stats")
    assert (refused.code, "gateway.no-entry" in refused.err) == (1, True)
    assert gatehook("slots", "use", "memory", "sqlite_fts").code == 0
    assert gatehook("memory", "add", "back again").code == 0
    assert gatehook("plugins", "restart", "paper", "--json").json["state"] == "active"
    assert 'did you mean "paper"' in gatehook("plugins", "restart", "papr").err
    assert running.stop() == 0


def test_the_paper_broker_is_reset_running_and_on_disk(gatehook, run):
    running = run()
    gatehook("orders", "place", "buy", "1000", "EURUSD.SIMULATED")
    assert gatehook("paper", "reset").code == 3
    assert gatehook("paper", "reset", "--dry-run", "--json").json["positions"] == 1
    assert len(gatehook("positions", "--json").json["positions"]) == 1
    assert gatehook("paper", "reset", "--yes").code == 0
    assert gatehook("positions", "--json").json["positions"] == []
    assert running.stop() == 0
    assert gatehook("paper", "reset", "--yes", "--json").json["files"]
    assert not list(gatehook.data_dir.glob("entries/paper/paper.sqlite*"))


def test_events_are_tailed_and_logs_read(gatehook, run):
    running = run()
    tail = subprocess.Popen(
        [*GATEHOOK, "events", "tail", "account.*", "--ndjson", "--limit", "1"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=gatehook.here,
        env=dict(os.environ),
    )
    while tail.poll() is None:
        gatehook("orders", "place", "buy", "1", "EURUSD.SIMULATED")
    event = json.loads(tail.stdout.readline())
    tail.stdout.close()
    assert event["topic"].startswith("account.")
    assert gatehook("logs", "--json").json["records"]
    assert running.stop() == 0
