"""Stopping while an order's outcome is not known, and being in a hurry."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.process import DEADLINE
from tests.cli.process import GATEHOOK
from tests.cli.process import Running
from tests.cli.process import eventually


@pytest.fixture
def doubtful(gatehook):
    """Run a gateway whose second broker leaves orders unknown."""
    gatehook.plugin(
        "doubtful",
        Path(__file__).with_name("doubtful.py").read_text(),
        kinds=["connector.broker"],
        capabilities={"orderTypes": ["market"]},
    )
    assert gatehook("plugins", "enable", "doubtful", "--yes").code == 0
    running = Running(gatehook)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.end()


ORDER = ("orders", "place", "buy", "1", "XYZ.DOUBTFUL", "--account", "doubtful/main")


def test_stopping_with_an_unknown_order_names_it_and_ends_with_5(gatehook, doubtful):
    assert "account: doubtful/main, paper (proven by doubtful), DOUBTFUL" in doubtful.lines
    placed = gatehook(*ORDER, "--client-order-id", "lost", "--json")
    assert (placed.code, placed.json["order"]["status"]) == (5, "unknown")
    status = gatehook("status", "--json")
    assert (status.code, status.json["orders"]["unknown"]) == (1, 1)
    assert any(reason.startswith("orders: ") for reason in status.json["health"]["reasons"])
    assert doubtful.stop() == 5
    assert any(line.startswith("remains at the venue: lost ") for line in doubtful.lines)
    assert doubtful.lines[-1] == "stopped; 1 open orders, 1 unknown"

    again = Running(gatehook)
    assert "unknown orders: 1 (lost)" in again.lines
    assert again.stop() == 5


def test_an_order_whose_send_is_cut_off_by_the_stop_is_unknown_and_said(gatehook, doubtful):
    placing = subprocess.Popen(
        [*GATEHOOK, *ORDER, "--tag", "hang", "--client-order-id", "cut"],
        cwd=gatehook.here,
        env=dict(os.environ),
        stderr=subprocess.DEVNULL,
    )
    eventually(lambda: gatehook("orders", "list", "--json").json["orders"])
    assert doubtful.stop() == 5
    assert any("remains at the venue: cut " in line and line.endswith("unknown") for line in doubtful.lines)
    assert placing.wait(DEADLINE) == 1


def test_a_second_interrupt_ends_at_once(gatehook, doubtful):
    placing = subprocess.Popen(
        [*GATEHOOK, *ORDER, "--tag", "hang"], cwd=gatehook.here, env=dict(os.environ), stderr=subprocess.DEVNULL
    )
    eventually(lambda: gatehook("orders", "list", "--json").json["orders"])
    doubtful.process.send_signal(signal.SIGINT)
    eventually(lambda: any("stopping" in line for line in doubtful.errors))
    doubtful.process.send_signal(signal.SIGINT)
    assert doubtful.end() == 130
    assert "ended at once" in "".join(doubtful.errors)
    assert placing.wait(DEADLINE) == 1
    assert not (gatehook.data_dir / "control.sock").exists()
