"""Where a session may connect to: not into the machine's neighbourhood, unless the configuration names the host."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Final

import anyio

from gatehook.runtimes.mcp.faults import NotUsable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Where clouds hand out credentials; they are inside private ranges already, and named for the message.
METADATA: Final = frozenset({"169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"})
_NOT_PUBLIC: Final = tuple(ipaddress.ip_network(one) for one in ("100.64.0.0/10", "64:ff9b::/96", "2002::/16"))


def is_allowed(address: Address) -> bool:
    """Say whether an address may be dialled without being named: it is public, or this machine itself."""
    address = _unwrapped(address)
    if address.is_loopback:
        return True
    inside = any(address in network for network in _NOT_PUBLIC if network.version == address.version)
    return address.is_global and not address.is_multicast and not inside


def is_loopback(host: str) -> bool:
    """Say whether a host, as an address has it, is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


async def resolve(host: str, port: int, named: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses of a host that may be dialled, those of IPv4 first.

    Raises:
        NotUsable: an address of it is private, and the configuration does not name the host.
        OSError: the name cannot be resolved.
    """
    found = await anyio.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    addresses = [ipaddress.ip_address(one) for one in texts]
    if host.strip("[]").lower() not in named:
        for one in addresses:
            if not is_allowed(one):
                what = "a metadata service" if str(_unwrapped(one)) in METADATA else "a private or reserved address"
                raise NotUsable(f"the host {host!r} is {what} ({one}), which the configuration does not name")
    return tuple(str(one) for one in sorted(addresses, key=lambda one: one.version))
