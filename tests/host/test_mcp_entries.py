"""Entries whose plugin is a server on stdio: started, asked, killed, started again and let go by the real host."""

from __future__ import annotations

import subprocess
import sys

import anyio
import pytest

from gatehook import GatehookError
from gatehook import InstrumentId
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from tests.host.mcp_kit import ADAPTER
from tests.host.mcp_kit import TOOLS
from tests.host.mcp_kit import WIRE
from tests.host.mcp_kit import ServerPlugin
from tests.host.mcp_kit import is_gone
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.orders.conftest import eventually as until

pytestmark = pytest.mark.anyio

EURUSD = InstrumentId.parse("EURUSD.TINY")
DIE = InstrumentId.parse("DIE.TINY")


@pytest.fixture(params=["wire", "adapter"])
def tiny(request, tmp_path):
    """The same plugin twice: its server speaks the wire, or has a tool and an adapter."""
    if request.param == "wire":
        return ServerPlugin(tmp_path / "plugins", "tiny", WIRE)
    return ServerPlugin(tmp_path / "plugins", "tiny", TOOLS, adapter=ADAPTER)


def host_with(tmp_path, plugin, **entries):
    return host_of(tmp_path, plugin.root, entries={"tiny": plugin.entry(), **entries})


async def test_it_answers_through_its_handle_and_nothing_is_left_of_it(tmp_path, tiny):
    async with host_with(tmp_path, tiny) as host:
        assert state_of(host, "tiny") == "active", host.diagnostics
        assert str((await host.market_data("tiny").quote(EURUSD)).bid) == "1.1"
    assert tiny.lines[-1] == "ended"
    assert all(map(is_gone, tiny.pids))
    assert not list(tiny.root.rglob("*.pyc"))


async def test_a_secret_reaches_the_servers_environment_and_nothing_else(tmp_path, tiny, monkeypatch, caplog):
    monkeypatch.setenv("THE_TOKEN", "canary-canary")
    entry = {"config": {**tiny.config, "token": {"env": "THE_TOKEN"}}}
    async with host_of(tmp_path, tiny.root, entries={"tiny": entry}) as host:
        assert state_of(host, "tiny") == "active"
    assert tiny.lines[0].endswith("token=canary-canary")
    assert "canary-canary" not in caplog.text + str(host.diagnostics)


async def test_two_entries_have_a_server_each(tmp_path, tiny):
    async with host_with(tmp_path, tiny, other=tiny.entry(plugin="tiny")) as host:
        assert [state_of(host, one) for one in ("tiny", "other")] == ["active", "active"]
        assert len(set(tiny.pids)) == 2
        await host.market_data("other").quote(EURUSD)
    assert all(map(is_gone, tiny.pids))


async def test_a_server_that_is_not_there_is_waited_for_and_never_quarantined(tmp_path, tiny):
    tiny.say("refuse")
    async with host_with(tmp_path, tiny) as host:
        assert state_of(host, "tiny") == "backoff"
        await until(lambda: len(tiny.pids) > 6)
        assert "quarantine" not in "".join(codes(host))
        tiny.unsay("refuse")
        await until(lambda: state_of(host, "tiny") == "active")
        await host.market_data("tiny").quote(EURUSD)


async def test_killed_between_two_calls_it_is_started_again_in_the_same_generation(tmp_path, tiny):
    async with host_with(tmp_path, tiny) as host:
        tiny.kill()
        await until(lambda: state_of(host, "tiny") == "degraded")
        await until(lambda: state_of(host, "tiny") == "active")
        await host.market_data("tiny").quote(EURUSD)
        assert len(tiny.pids) == 2
    assert all(map(is_gone, tiny.pids))


async def test_killed_in_a_call_the_call_fails_at_once_and_the_next_connection_answers(tmp_path, tiny):
    async with host_with(tmp_path, tiny) as host:
        with anyio.fail_after(4), pytest.raises(ProviderError):
            await host.market_data("tiny").quote(DIE)
        await until(lambda: len(tiny.pids) == 2 and state_of(host, "tiny") == "active")
        await host.market_data("tiny").quote(EURUSD)


async def test_a_restart_starts_a_new_process(tmp_path, tiny):
    async with host_with(tmp_path, tiny) as host:
        await host.restart("tiny")
        assert state_of(host, "tiny") == "active"
        assert is_gone(tiny.pids[0])
        assert len(tiny.pids) == 2


async def test_a_program_that_is_not_there_fails_its_entry_until_somebody_mends_it(tmp_path):
    entry = {"type": "external.mcp", "command": ["gatehook-no-such-program"]}
    plugin = ServerPlugin(tmp_path / "plugins", "tiny", WIRE, entry=entry)
    async with host_with(tmp_path, plugin) as host:
        assert state_of(host, "tiny") == "failed"
        assert "mcp.server-unusable" in codes(host)
        with pytest.raises((GatehookError, NotConnected)):
            await host.market_data("tiny").quote(EURUSD)


async def test_twenty_lives_leave_no_process(tmp_path, tiny):
    for _ in range(4):
        async with host_with(tmp_path, tiny) as host:
            for _ in range(4):
                await host.restart("tiny")
            assert state_of(host, "tiny") == "active"
    assert len(tiny.pids) == 20
    assert all(map(is_gone, tiny.pids))


def test_a_listing_and_a_wire_plugin_import_no_sdk(tmp_path):
    plugin = ServerPlugin(tmp_path / "plugins", "tiny", WIRE)
    adapted = ServerPlugin(tmp_path / "plugins", "adapted", TOOLS, adapter=ADAPTER)
    script = f"""
import sys, anyio
from pathlib import Path
from tests.host.plugin_kit import host_of
host = host_of(Path({str(tmp_path)!r}), Path({str(plugin.root)!r}), entries={{"tiny": {plugin.entry()!r}}})
listed = host_of(Path({str(tmp_path)!r}), Path({str(adapted.root)!r}))
assert [one.status for one in listed.plan.decisions] == ["admitted"], listed.plan.decisions
async def run():
    async with host:
        assert [one.state for one in host.statuses()] == ["active"], host.diagnostics
anyio.run(run)
print([one for one in ("mcp", "pydantic", "httpx2", "starlette") if one in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done
