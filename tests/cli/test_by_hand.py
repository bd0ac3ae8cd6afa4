"""What a person settles and changes from the command line, as people read it."""

from __future__ import annotations

import pytest

from tests.cli.test_approvals import BUY
from tests.cli.test_approvals import configure
from tests.cli.test_approvals import demo as demo  # noqa: PLC0414  the fixture, for this module too


@pytest.fixture
def paper(demo, run):
    """Run the demo broker on an account that it proves to be paper, with limits."""
    configure(demo, "paper")
    demo.config.write_text(
        demo.config.read_text() + '\n[limits."demo/main"]\nmax_quantity = "50"\nmax_open_orders = 3\n'
    )
    running = run()
    assert "limits: demo/main max_quantity 50, max_open_orders 3" in running.lines
    yield demo
    running.stop()


def test_an_unknown_order_is_resolved(paper):
    assert paper(*BUY, "--client-order-id", "lost", "--tag", "lost").code == 5
    wanted = ("orders", "resolve", "lost", "--status", "filled", "--filled", "3", "--price", "101")
    assert paper(*wanted).code == 2, "evidence is asked for"
    wanted = (*wanted, "--evidence", "the venue's statement")
    tried = paper(*wanted, "--dry-run")
    assert (tried.code, "is unknown" in tried.out) == (0, True)
    assert paper(*wanted).code == 3
    done = paper(*wanted, "--yes", "--json")
    assert (done.code, done.json["order"]["status"], done.json["order"]["cost"]) == (0, "filled", "303")


def test_an_order_is_amended_and_a_position_closed_in_part(paper):
    assert paper(*BUY, "--type", "limit", "--price", "90", "--client-order-id", "resting").code == 0
    assert paper("orders", "amend", "resting").code == 2
    amended = paper("orders", "amend", "resting", "--price", "91", "--quantity", "4")
    assert (amended.code, "resting: buy 4 base XYZ.DEMO limit is accepted" in amended.out) == (0, True)
    assert paper(*BUY).code == 0
    close = ("positions", "close", "demo/main", "XYZ.DEMO", "--quantity", "1")
    shown = paper(*close, "--dry-run")
    assert (shown.code, shown.out) == (0, "XYZ: buy 3 base XYZ.DEMO\n")
    assert paper(*close, "--dry-run", "--json").json["positions"][0]["quantity"] == "3"
    assert paper(*close).code == 3
    assert "is filled, filled 1" in paper(*close, "--yes").out
    refused = paper("positions", "protect", "demo/main", "XYZ.DEMO", "--stop-loss", "80", "--yes")
    assert (refused.code, "unsupported_capability" in refused.err) == (1, True)


def test_a_position_is_protected(paper):
    assert paper("orders", "place", "buy", "1000", "EURUSD.SIMULATED", "--account", "paper/main").code == 0
    protect = ("positions", "protect", "paper/main", "EURUSD.SIMULATED", "--stop-loss", "0.5")
    assert paper(*protect).code == 3
    done = paper(*protect, "--yes")
    assert (done.code, "stop-loss 0.5" in done.out) == (0, True), done


def test_limits_and_reconciliation_are_read_by_people(paper):
    paper(*BUY, "--type", "limit", "--price", "90")
    rows = [line.split() for line in paper("limits").out.splitlines()]
    assert ["demo/main", "demo/main", "max_open_orders", "3", "1", "2"] in rows
    rows = [line.split() for line in paper("reconciliation").out.splitlines()]
    assert ["demo/main", "complete", "1", "0", "0", "0"] in rows


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("orders", "resolve", "nobody", "--status", "filled", "--evidence", "x", "--yes"), "gateway.unknown-order"),
        (("orders", "adopt", "demo", "V99"), "not_found"),
        (("positions", "acknowledge", "demo/main", "--note", "x", "--yes"), "not_found"),
        (("positions", "acknowledge", "demo/other", "--note", "x", "--yes"), "not_found"),
        (("positions", "close", "demo/main", "XYZ.DEMO", "--yes"), "not_found"),
    ],
)
def test_what_there_is_not_cannot_be_settled(paper, words, code):
    answer = paper(*words, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (1, code), answer
