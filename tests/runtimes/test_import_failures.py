"""Modules that cannot be imported fail their own plugin only."""

from __future__ import annotations

import sys
import threading

import pytest

from gatehook import GatehookError
from gatehook.runtimes.importer import Batch
from gatehook.runtimes.importer import LoadTimeout
from gatehook.runtimes.importer import Piece
from tests.runtimes.loading_kit import HOOK
from tests.runtimes.loading_kit import load
from tests.runtimes.loading_kit import load_one
from tests.runtimes.loading_kit import manifest
from tests.runtimes.loading_kit import request
from tests.runtimes.loading_kit import write


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("x = (\n", 1, "SyntaxError"),
        ("\nimport gatehook_no_such_module\n", 2, "ModuleNotFoundError"),
        ("import sys\n\nsys.exit(3)\n", 3, "SystemExit: 3"),
        ("raise KeyboardInterrupt\n", 1, "KeyboardInterrupt"),
        ("raise BaseException('base')\n", 1, "BaseException: base"),
        ("from . import nothing\n", 1, "ImportError"),
    ],
)
def test_fault_08_failure_at_import_fails_the_plugin_and_names_the_line(runtime, tmp_path, source, line, words):
    bad, good = write(tmp_path / "bad", {"plugin.py": source}), write(tmp_path / "good", {"plugin.py": HOOK})
    found = load(runtime, request(bad, manifest("bad")), request(good, manifest("good")))
    [said] = found["bad"].diagnostics
    assert said.code == "runtime.import-failed"
    assert words in said.message
    assert (said.path, said.line) == (bad / "plugin.py", line)
    assert found["good"].providers
    assert not [name for name in sys.modules if name.startswith("gatehook_plugins.user.bad")]


def test_bytes_that_are_no_text_fail_the_plugin(runtime, tmp_path):
    (tmp_path / "plugin.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GatehookError, match="import-failed"):
        load_one(runtime, request(tmp_path))


def test_a_hung_import_is_abandoned_and_holds_up_nobody(runtime, tmp_path):
    gate = threading.Event()
    sys.modules["gatehook_test_gate"] = gate
    try:
        hung = write(tmp_path / "hung", {"plugin.py": "import sys\nsys.modules['gatehook_test_gate'].wait()\n"})
        good = write(tmp_path / "good", {"plugin.py": HOOK})
        batch = runtime.batch([request(hung, manifest("hung")), request(good, manifest("good"))], deadline=0.6)
        [first] = batch.next_finished()
        assert (first.name, first.error) == ("good", None)
        [second] = batch.next_finished()
        assert second.name == "hung"
        assert isinstance(second.error, LoadTimeout)
        assert batch.done
    finally:
        gate.set()
        del sys.modules["gatehook_test_gate"]


def test_a_timeout_is_said_with_its_deadline(runtime, tmp_path):
    gate = threading.Event()
    sys.modules["gatehook_test_gate"] = gate
    try:
        root = write(tmp_path, {"plugin.py": "import sys\nsys.modules['gatehook_test_gate'].wait()\n"})
        with pytest.raises(GatehookError, match=r"within 0\.05 s") as caught:
            load_one(runtime, request(root), deadline=0.05)
        assert caught.value.diagnostics[0].code == "runtime.import-timeout"
    finally:
        gate.set()
        del sys.modules["gatehook_test_gate"]


def test_an_abandoned_batch_lets_its_waiter_go_and_begins_nothing_more():
    gate, begun = threading.Event(), []
    pieces = [Piece("slow", gate.wait), Piece("next", lambda: begun.append(1))]
    batch = Batch(pieces, deadline=60, patience=60)
    waiter = threading.Thread(target=batch.next_finished)
    waiter.start()
    while not pieces[0].started:
        pass
    batch.abandon()
    waiter.join(5)
    assert not waiter.is_alive()
    gate.set()
    assert begun == []
    assert batch.done


def test_fast_pieces_share_one_thread():
    names = set()
    batch = Batch([Piece(str(n), lambda: names.add(threading.current_thread())) for n in range(50)], deadline=5)
    finished = []
    while not batch.done:
        finished += batch.next_finished()
    assert [piece.name for piece in finished] == [str(n) for n in range(50)]
    assert len(names) == 1
