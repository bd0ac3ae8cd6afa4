"""channel.notifications: one-way alerts. Provisional: may change until its part of Gatehook is built."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from enum import StrEnum

import attrs

from gatehook.kinds.channel import Receipt
from gatehook.kinds.provider import Provider


class Level(StrEnum):
    """How much it matters; quiet hours hold back all but critical."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@attrs.frozen(kw_only=True)
class Notification:
    """An alert. Within its window the same ``dedupe_key`` is sent once."""

    title: str
    text: str
    level: Level = Level.INFO
    dedupe_key: str | None = None


class Notifier(Provider, ABC):
    """What the author of a notifier implements."""

    @abstractmethod
    async def notify(self, notification: Notification) -> Receipt:
        """Send an alert."""
