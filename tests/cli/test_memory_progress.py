"""Progress of long work is drawn on a terminal, and nowhere else."""

from __future__ import annotations

import io
import sys

import pytest

from gatehook.cli.memory_progress import progress_shown

ITEMS = ({"progress": {"done": 1, "total": None, "what": "documents"}}, {"lines": []}, {"result": {}})


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_progress_is_for_a_terminal(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setenv("TERM", "xterm")
    with progress_shown("Moving") as took:
        for item in ITEMS:
            took(item)
        took({"progress": {"done": 7, "total": 9, "what": "documents compared"}})
    assert ("Moving: documents compared" in sys.stderr.getvalue()) is (stream is Terminal)
