"""The gateway: a plugin host with market data, memory and a control socket. ``gatehook run`` runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatehook.exports import lazy_exports

if TYPE_CHECKING:
    from gatehook.gateway.gateway import Gateway as Gateway

__all__, __getattr__, __dir__ = lazy_exports(__name__, {"gateway": "Gateway"})
