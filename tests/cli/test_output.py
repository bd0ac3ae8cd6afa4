"""What is written: plain where it is read by programs, drawn on a terminal, harmless everywhere."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys

import pytest

from gatehook.cli.marking import marked_output
from gatehook.cli.output import printable
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text

GATEHOOK = (sys.executable, "-m", "gatehook")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("EUR/USD at 1.1", "EUR/USD at 1.1"),
        ("\x1b[31mred\x1b[0m", "?[31mred?[0m"),
        ("bell\a back\b return\r null\0", "bell? back? return? null?"),
        ("right-to-left \u202e override", "right-to-left ? override"),
        ("two\nlines", "two\nlines"),
        ("ünïcödé 東京", "ünïcödé 東京"),
    ],
)
def test_text_from_outside_cannot_move_the_cursor(text, shown):
    assert printable(text) == shown


def test_a_table_is_aligned_and_its_cells_are_harmless(capsys):
    write_table(("id", "what"), [("a", "x\x1b[2J"), ("long", None)], empty="nothing")
    assert capsys.readouterr().out == "ID    WHAT\na     x?[2J\nlong\n"


def test_an_empty_table_says_so_on_stderr(capsys):
    write_table(("id",), [], empty="Nothing yet; try `x`.")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Nothing yet; try `x`.\n")


def test_a_document_has_its_version_first_and_once(capsys):
    write_document({"rows": []})
    assert capsys.readouterr().out.startswith('{\n  "schemaVersion": 1,')


def test_every_line_is_marked_however_it_is_written(capsys):
    with marked_output("[dev] "):
        sys.stdout.write("one\ntw")
        sys.stdout.write("o\n")
        write_text("three\nfour")
        sys.stderr.write("five\n")
    captured = capsys.readouterr()
    assert captured.out == "[dev] one\n[dev] two\n[dev] three\n[dev] four\n"
    assert captured.err == "[dev] five\n"


def on_a_terminal(line, words, *, until=None, **environment):
    """Run a command whose three streams are a terminal; return what it drew, and its exit code."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*GATEHOOK, *words],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=line.here,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    )
    os.close(follower)
    drawn = b""
    while select.select([leader], [], [], 30)[0]:
        try:
            drawn += os.read(leader, 65536)
        except OSError:  # the other end was closed
            break
        if until is not None and until in drawn:
            process.send_signal(signal.SIGINT)
            until = None
    os.close(leader)
    return drawn.decode(), process.wait(30)


def test_a_table_is_drawn_on_a_terminal(gatehook):
    drawn, code = on_a_terminal(gatehook, ["plugins", "list"])
    assert code == 0
    assert "sqlite_fts" in drawn
    assert "\x1b[1m" in drawn


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_is_obeyed(gatehook, environment):
    drawn, code = on_a_terminal(gatehook, ["plugins", "list"], **environment)
    assert code == 0
    assert "sqlite_fts" in drawn
    assert "\x1b[3" not in drawn
    assert "\x1b[9" not in drawn


def test_the_gateway_shows_a_live_status_on_a_terminal(gatehook):
    drawn, code = on_a_terminal(gatehook, ["run"], until=b"candles")
    assert code == 0
    assert "ready" in drawn
    assert "health" in drawn
    assert "stopped; 0 open orders" in drawn


def test_a_confirmation_is_asked_on_a_terminal_and_no_means_nothing_happens(gatehook):
    gatehook.plugin("prices")
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*GATEHOOK, "plugins", "enable", "prices"],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=gatehook.here,
        env=dict(os.environ),
        text=True,
    )
    os.close(follower)
    os.write(leader, b"n\n")
    _, err = process.communicate(timeout=30)
    os.close(leader)
    assert process.returncode == 130
    assert "[y/N]" in err
    assert gatehook("plugins", "why", "prices", "--json").json["steps"][1]["status"] == "needs-consent"
