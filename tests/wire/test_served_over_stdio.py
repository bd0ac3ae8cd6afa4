"""``gatehook plugins serve --entry``: what it says on stdout is the protocol alone, and however it ends, it lets go."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

SERVE = (sys.executable, "-m", "gatehook", "plugins", "serve")
DEADLINE = 30
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'


@pytest.fixture
def server(tmp_path):
    command = [*SERVE, "simulated", "--entry", "simulated", "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        yield process
        process.kill()


def audit(tmp_path):
    return (tmp_path / "data" / "audit.jsonl").read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, None])
def test_it_lets_the_plugin_go(server, tmp_path, how):
    server.stdin.write(b"no json\n" + PING)
    server.stdin.flush()
    assert json.loads(server.stdout.readline())["error"]["code"] == -32700
    assert json.loads(server.stdout.readline())["result"] == {}
    if how is None:
        server.stdin.close()
    else:
        server.send_signal(how)
    assert server.wait(DEADLINE) == 0
    assert server.stdout.read() == b""
    assert "gateway.stopped" in audit(tmp_path)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--stdio", "--http", "0"], "exclude each other"),
        (["--token-file", "x"], "belongs to --http"),
        (["--entry", "nobody"], "no active kind"),
    ],
)
def test_what_cannot_be_served_so_says_why(tmp_path, options, why):
    command = [*SERVE, "simulated", *options, "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False, cwd=tmp_path)
    assert done.returncode != 0
    assert why in " ".join(done.stderr.split())
    assert done.stdout == ""
