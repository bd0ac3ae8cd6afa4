"""A gateway that is killed leaves no process of a plugin: what the kernel does not end, the next start does."""

from __future__ import annotations

import signal

import pytest

from tests.cli.process import eventually
from tests.host.mcp_kit import WIRE
from tests.host.mcp_kit import ServerPlugin
from tests.host.mcp_kit import is_gone

#: A grandchild that ends neither with its parent nor with its stdin.
WITH_A_CHILD = (
    """
import os, subprocess
child = subprocess.Popen(["sleep", "300"], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL)
with open(os.environ["NOTES"], "a") as file:
    file.write(f"child {child.pid}\\n")
"""
    + WIRE
)


def children_of(plugin):
    return [int(line.split()[1]) for line in plugin.lines if line.startswith("child")]


@pytest.mark.parametrize("source", [WIRE, WITH_A_CHILD], ids=["alone", "with a child of its own"])
def test_sigkill_of_the_gateway_leaves_nothing_after_the_next_start(gatehook, run, tmp_path, source):
    plugin = ServerPlugin(tmp_path / "dev", "tiny", source)
    gatehook.config.write_text(f'[plugins.entries.tiny.config]\nnotes = "{plugin.notes}"\n')
    run("--dev", plugin.root).stop(signal.SIGKILL)
    eventually(lambda: is_gone(plugin.pids[0]))
    gateway = run("--dev", plugin.root)
    assert len(plugin.pids) == 2
    assert all(map(is_gone, children_of(plugin)[:1]))
    assert not any(map(is_gone, children_of(plugin)[1:]))
    assert gateway.stop() == 0
    assert all(map(is_gone, plugin.pids + children_of(plugin)))
