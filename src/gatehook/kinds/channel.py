"""channel.ui: a person or an agent talks to the gateway. Provisional: may change until its part of Gatehook is
built.
"""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from enum import StrEnum
from typing import Any

import attrs

from gatehook.kinds.provider import Provider
from gatehook.kinds.times import Ns


class Delivery(StrEnum):
    """What became of a message, truthfully."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class Receipt:
    """The service's word on one message."""

    message_id: str
    delivery: Delivery
    reason: str = ""
    ts_event: Ns


@attrs.frozen(kw_only=True)
class Message:
    """Text for a person; plain, without markup."""

    to: str
    text: str


class Channel(Provider, ABC):
    """What the author of a channel implements. ``gateway`` is the typed port of commands, bound to a caller."""

    @abstractmethod
    async def run(self, gateway: Any) -> None:
        """Serve until cancelled."""

    @abstractmethod
    async def send(self, message: Message) -> Receipt:
        """Send a message."""
