"""Entries whose server wants a token: they wait for a person, go on when one has agreed, and renew by themselves."""

from __future__ import annotations

import json
import stat
import sys
from contextlib import asynccontextmanager

import anyio
import httpx2
import pytest

from gatehook import GatehookError
from gatehook import InstrumentId
from gatehook.host.assembly import entry_specs
from gatehook.host.authorizing import authorize
from gatehook.host.browser_return import returning
from tests.host.mcp_kit import ADAPTER
from tests.host.mcp_kit import ServerPlugin
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.orders.conftest import eventually as until
from tests.runtimes.mcp.conftest import SERVERS
from tests.runtimes.mcp.guarded_server import Guarded
from tests.runtimes.mcp.http_server import serving

pytestmark = pytest.mark.anyio

EURUSD = InstrumentId.parse("EURUSD.TINY")


def plugin_at(tmp_path, url):
    entry = {"type": "external.mcp", "url": url, "adapter": "adapter.py"}
    return ServerPlugin(tmp_path / "plugins", "tiny", "", adapter=ADAPTER, entry=entry, configSchema={"type": "object"})


def host_with(tmp_path, plugin, **entry):
    return host_of(tmp_path, plugin.root, entries={"tiny": entry})


@pytest.fixture
async def guard():
    made = Guarded()
    async with serving(made.handle) as port:
        made.port = port
        yield made


async def test_without_authorization_the_entry_waits_for_a_person_and_is_no_crash(tmp_path, guard):
    plugin = plugin_at(tmp_path, f"{guard.issuer}/mcp")
    async with host_with(tmp_path, plugin) as host:
        assert state_of(host, "tiny") == "failed"
        assert "mcp.auth-missing" in codes(host)
        assert not any("quarantine" in one or "start-failed" in one for one in codes(host))
        assert len(guard.requests) == 1
        guard.tokens.add("")  # the server has been opened to everybody
        await host.restart("tiny")
        await until(lambda: state_of(host, "tiny") == "active")


async def test_a_refusal_in_the_midst_of_it_is_waited_out_and_told_once(tmp_path, guard, monkeypatch):
    monkeypatch.setenv("THE_SECRET", "a-secret-of-a-client")
    guard.tells = guard.gives
    plugin = plugin_at(tmp_path, f"{guard.issuer}/mcp")
    auth = {"grant": "client_credentials", "client_id": "gateway", "issuer": guard.issuer}
    async with host_with(tmp_path, plugin, auth={**auth, "client_secret": {"env": "THE_SECRET"}}) as host:
        assert state_of(host, "tiny") == "active", host.diagnostics
        guard.tells = guard.refuses
        guard.tokens.clear()
        with pytest.raises(Exception, match="no token"):
            await host.market_data("tiny").quote(EURUSD)
        await until(lambda: state_of(host, "tiny") == "degraded")
        await until(lambda: len(guard.forms) > 4)
        assert codes(host).count("mcp.auth-refused") == 1
        guard.tells = guard.gives
        await until(lambda: state_of(host, "tiny") == "active")
        assert "a-secret-of-a-client" not in str(host.diagnostics)


@asynccontextmanager
async def of_the_sdk(kind, port, lifetime):
    """Run the SDK's authorization server and the SDK's MCP server behind it."""
    program = str(SERVERS / "of_oauth.py")
    process = await anyio.open_process(
        [sys.executable, program, kind, str(port), str(lifetime)], stdin=None, stdout=None, stderr=None
    )
    try:
        async with httpx2.AsyncClient() as client:
            with anyio.fail_after(30):
                while True:
                    try:
                        await client.get(f"http://127.0.0.1:{port}/.well-known/oauth-authorization-server")
                        break
                    except httpx2.ConnectError:
                        await anyio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/{'sse' if kind == 'sse' else 'mcp'}"
    finally:
        process.kill()
        await process.wait()


async def agreed(host, entry, *, limit=20.0):
    """Be the person who runs ``plugins authorize``: open the address, and follow where it leads."""
    spec = entry_specs(host.plan, host.config)[entry]
    async with anyio.create_task_group() as tasks, httpx2.AsyncClient(follow_redirects=True) as browser:
        await authorize(spec, host.config, lambda address: tasks.start_soon(browser.get, address), limit=limit)


def kept_by(host):
    return json.loads((host.config.gateway.data_dir / "tokens" / "tiny.json").read_text())


@pytest.mark.parametrize(("anyio_backend", "kind"), [("asyncio", "streamable"), ("trio", "sse")])
async def test_a_person_agrees_once_and_the_gateway_renews_from_then_on(tmp_path, kind, free_tcp_port_factory, caplog):
    async with of_the_sdk(kind, free_tcp_port_factory(), 2) as url:
        plugin = plugin_at(tmp_path, url)
        auth = {"redirect_port": free_tcp_port_factory()}
        async with host_with(tmp_path, plugin, auth=auth) as host:
            assert state_of(host, "tiny") == "failed"
            assert "mcp.authorize" in codes(host)
            await agreed(host, "tiny")
            first = kept_by(host)["tokens"]
            assert stat.S_IMODE((host.config.gateway.data_dir / "tokens" / "tiny.json").stat().st_mode) == 0o600
            await host.restart("tiny")
            await until(lambda: state_of(host, "tiny") == "active")
            await host.market_data("tiny").quote(EURUSD)
            await until(lambda: kept_by(host)["tokens"] != first)
            await host.market_data("tiny").quote(EURUSD)
            secrets = [first["access_token"], first["refresh_token"], *kept_by(host)["tokens"].values()]
            told = caplog.text + str(host.diagnostics) + str(host.statuses())
            assert not any(one in told for one in secrets if str(one).startswith(("access-", "refresh-")))
        async with host_with(tmp_path, plugin, auth=auth) as host:  # another start, long after
            assert state_of(host, "tiny") == "active", host.diagnostics


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_nobody_agrees_in_time_and_nothing_is_kept(tmp_path, free_tcp_port_factory):
    async with of_the_sdk("streamable", free_tcp_port_factory(), 60) as url:
        plugin = plugin_at(tmp_path, url)
        async with host_with(tmp_path, plugin, auth={"redirect_port": free_tcp_port_factory()}) as host:
            spec = entry_specs(host.plan, host.config)["tiny"]
            with pytest.raises(GatehookError, match="nobody agreed within 1 s"):
                await authorize(spec, host.config, lambda address: None, limit=1.0)
            assert not (host.config.gateway.data_dir / "tokens").exists()


async def test_only_the_browser_that_was_sent_comes_back(free_tcp_port):
    shown = []
    async with returning(free_tcp_port, shown.append) as ask, httpx2.AsyncClient() as browser:
        here = f"http://127.0.0.1:{free_tcp_port}"
        answers = []

        async def wait():
            answers.append(await ask("https://auth.example/authorize?state=abc"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await until(lambda: shown)
            for path in ("/", "/callback", "/callback?state=other&code=1", "/elsewhere?state=abc&code=1"):
                assert (await browser.get(here + path)).status_code == 404
            assert (await browser.post(f"{here}/callback?state=abc&code=1")).status_code == 404
            assert not answers
            assert (await browser.get(f"{here}/callback?state=abc&code=1&iss=x")).status_code == 200
        assert answers == [{"state": "abc", "code": "1", "iss": "x"}]


async def test_a_port_that_is_taken_is_said(tmp_path, guard):
    plugin = plugin_at(tmp_path, f"{guard.issuer}/mcp")
    async with host_with(tmp_path, plugin, auth={"redirect_port": guard.port}) as host:
        with pytest.raises(GatehookError, match="cannot be listened at"):
            await authorize(entry_specs(host.plan, host.config)["tiny"], host.config, str, limit=5.0)
