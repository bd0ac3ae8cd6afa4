from __future__ import annotations

import ipaddress

import anyio
import pytest

from gatehook.catalog.manifest import Transport
from gatehook.runtimes.mcp import McpState
from gatehook.runtimes.mcp.addresses import is_allowed
from gatehook.runtimes.mcp.addresses import resolve
from gatehook.runtimes.mcp.faults import NotUsable
from tests.runtimes.mcp.conftest import running
from tests.runtimes.mcp.conftest import spec_of
from tests.runtimes.mcp.conftest import until

pytestmark = pytest.mark.anyio

FORBIDDEN = [
    "169.254.169.254",
    "169.254.0.1",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "fe80::1",
    "fd00:ec2::254",
    "fc00::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "ff02::1",
    "::",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_of_the_neighbourhood_is_refused(address):
    assert not is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "8.8.8.8", "2606:4700::1111"])
def test_public_addresses_and_loopback_are_allowed(address):
    assert is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["10.0.0.1", "0x0a000001", "167772161", "[fd00:ec2::254]", "169.254.169.254"])
async def test_however_it_is_written(host):
    with pytest.raises(NotUsable, match="does not name"):
        await resolve(host, 80, frozenset())


async def test_a_host_that_is_named_may_be_private():
    assert await resolve("10.0.0.1", 80, frozenset({"10.0.0.1"})) == ("10.0.0.1",)


async def test_a_name_is_as_forbidden_as_what_it_resolves_to(monkeypatch):
    async def resolved(host, port, **_):
        return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", ("10.1.2.3", port))]

    monkeypatch.setattr(anyio, "getaddrinfo", resolved)
    with pytest.raises(NotUsable, match=r"10\.1\.2\.3"):
        await resolve("rebind.example", 443, frozenset())


async def test_a_session_does_not_dial_a_forbidden_address():
    spec = spec_of(url="http://169.254.169.254/mcp", transport=Transport.STREAMABLE_HTTP)
    async with running(spec, wait=False) as session:
        await until(session, McpState.FAILED)
        assert "metadata service" in session.status.reason
