"""The gateway: a plugin host with market data, memory and a control socket. ``gatehook run`` runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from gatehook.gateway.gateway import Gateway as Gateway

__all__ = ["Gateway"]


def __getattr__(name: str) -> Any:
    if name != "Gateway":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gatehook.gateway.gateway import Gateway

    return Gateway
