"""Servers as processes: what they get, and that nothing is left of them."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from gatehook.runtimes.child_records import ChildRecord
from gatehook.runtimes.child_records import ChildRecords
from gatehook.runtimes.children import Child
from gatehook.runtimes.children import ChildNotStarted
from gatehook.runtimes.children import ChildSpec
from gatehook.runtimes.children import child_environment
from gatehook.runtimes.process_trees import look_at
from gatehook.runtimes.process_trees import members
from gatehook.runtimes.stderr_lines import StderrLines
from tests.runtimes.mcp.conftest import PLAIN
from tests.runtimes.mcp.conftest import SERVERS
from tests.runtimes.mcp.conftest import plain
from tests.runtimes.mcp.conftest import running
from tests.runtimes.mcp.conftest import spec_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="trees are looked up in /proc"),
]

LOGGER = logging.getLogger("gatehook.test.children")
TREE = ("/bin/sh", str(SERVERS / "tree.sh"), sys.executable, str(PLAIN))
CYCLES = int(os.environ.get("GATEHOOK_CYCLES", "10"))


def records_in(folder):
    return [json.loads(one.read_text()) for one in (folder / "children").glob("*.json")]


def left_of(found):
    return [one for record in found for one in members(None, record["mark"])]


async def test_a_server_gets_the_few_variables_and_the_plugins_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("BROKER_TOKEN", "of somebody else")
    monkeypatch.setenv("TZ", "UTC")
    command = (sys.executable, "-S", str(PLAIN))
    async with running(spec_of(*command, root=tmp_path, environment={"MY_KEY": "k"})) as session:
        found = (await session.call("environment", {})).json()
    assert "BROKER_TOKEN" not in found["names"]
    assert {"PATH", "TZ", "MY_KEY"} <= set(found["names"])
    assert found["cwd"] == str(tmp_path.resolve())


def test_the_environment_of_a_child_is_named():
    own = {"PATH": "/bin", "SECRET": "x", "HOME": "/root"}
    assert child_environment({"A": "1", "HOME": "/h"}, own) == {"PATH": "/bin", "HOME": "/h", "A": "1"}


async def test_wrappers_with_grandchildren_start_and_stop_without_a_survivor(data_dir):
    for _ in range(CYCLES):
        async with running(spec_of(*TREE), data_dir=data_dir) as session:
            await session.call("echo", {"text": "x"})
            found = records_in(data_dir)
            assert len(left_of(found)) >= 4  # the shell, the server, and two that sleep, one of them in its own session
        assert left_of(found) == []
        assert records_in(data_dir) == []


async def test_a_server_that_ignores_every_politeness_is_killed_within_bounds(data_dir):
    async with running(plain("--ignore-eof", grace=0.2), data_dir=data_dir):
        found = records_in(data_dir)
        began = anyio.current_time()
    assert anyio.current_time() - began < 5
    assert left_of(found) == []


GATEWAYLET = """
import logging, sys, anyio
from pathlib import Path
from tests.runtimes.mcp.conftest import running, spec_of
from tests.runtimes.mcp.test_children import TREE
async def main():
    async with running(spec_of(*TREE), data_dir=Path(sys.argv[1])):
        print("up", flush=True)
        await anyio.sleep(300)
anyio.run(main)
"""


def test_what_a_killed_gateway_left_is_ended_by_the_sweep_of_the_next(data_dir):
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", GATEWAYLET, str(data_dir)],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    with process:
        assert process.stdout.readline() == b"up\n"
        found = records_in(data_dir)
        assert len(found) == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left_of(found)  # the grandchildren that the kernel's promise does not cover
    swept = ChildRecords(data_dir / "children").sweep()
    assert [one.mark for one in swept] == [found[0]["mark"]]
    assert left_of(found) == []
    assert records_in(data_dir) == []


def test_a_process_under_a_reused_id_is_left_alone(data_dir):
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        records = ChildRecords(data_dir)
        now = look_at(stranger.pid)
        records.add(ChildRecord(stranger.pid, now.start - 1, "0" * 16, "mt5", "digest"))
        assert records.sweep() == ()
        assert stranger.poll() is None
        assert list(data_dir.glob("*.json")) == []
        stranger.kill()


def test_a_damaged_record_is_no_record(data_dir):
    data_dir.mkdir()
    for name, text in {
        "1.json": "{",
        "2.json": "[]",
        "3.json": '{"pid": 1}',
        "4.json": '{"pid": 1, "start": 1, "mark": "", "name": "", "command": ""}',
    }.items():
        (data_dir / name).write_text(text)
    assert ChildRecords(data_dir).sweep() == ()
    assert list(data_dir.iterdir()) == []


@pytest.mark.parametrize("command", [("no-such-program",), ("./nothing",), (str(PLAIN),), ("/",)])
def test_what_cannot_be_started_is_named(command, tmp_path):
    with pytest.raises(ChildNotStarted, match=command[0]):
        Child.start(
            ChildSpec(command=command, environment={"PATH": "/bin"}, cwd=tmp_path), name="x", logger=LOGGER, redact=str
        )


async def test_bytes_go_both_ways_and_its_end_is_told(tmp_path):
    spec = ChildSpec(command=("cat",), environment={"PATH": os.environ["PATH"]}, cwd=tmp_path)
    child = Child.start(spec, name="cat", logger=LOGGER, redact=str)
    sent = os.urandom(3_000_000)
    got = bytearray()

    async def read():
        while len(got) < len(sent):
            got.extend(await child.receive())

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            await child.send(sent)
    assert bytes(got) == sent
    assert await child.stop() == 0
    with pytest.raises(anyio.BrokenResourceError):
        child.write_some(b"x")


def lines_with(caplog, redact=str, at=lambda: 0.0):
    caplog.set_level(logging.INFO)
    return StderrLines(LOGGER, redact, monotonic=at)


def test_stderr_is_logged_by_lines_redacted_cleaned_and_cut(caplog):
    lines = lines_with(caplog, lambda text: text.replace("hunter22", "********"))
    lines.feed(b"first\nsecond hun")
    lines.feed(b"ter22\n\x1b[31mred\x07 \xff\n" + b"x" * 3000 + b"\nlast")
    lines.close()
    assert caplog.messages[:2] == ["stderr: first", "stderr: second ********"]
    assert "\x1b" not in caplog.text
    assert max(map(len, caplog.messages)) <= 508
    assert lines.tail[-1] == "last"


def test_a_flood_on_stderr_is_a_few_lines_and_a_number(caplog):
    now = 0.0
    lines = lines_with(caplog, at=lambda: now)
    for number in range(10_000):
        lines.feed(b"line %d\n" % number)
    assert len(caplog.messages) == 100
    now = 10.0
    lines.feed(b"later\n")
    assert caplog.messages[100:] == ["stderr: … 9900 lines left out", "stderr: later"]


def test_a_line_without_an_end_takes_no_more_memory_than_one(caplog):
    lines = lines_with(caplog)
    for _ in range(1000):
        lines.feed(b"y" * 10_000)
    lines.feed(b"\nnext\n")
    assert len(caplog.messages) == 2
    assert len(lines._rest) == 0
