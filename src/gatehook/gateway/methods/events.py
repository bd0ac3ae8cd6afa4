"""Events as they happen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from gatehook.events import EventBus
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.methods.method import Stream
from gatehook.gateway.params import Params
from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.streams import Gap


class EventMethods:
    """``events.tail``."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def table(self) -> Methods:
        """Return the methods by name."""
        return {"events.tail": Stream(self.tail)}

    async def tail(self, params: Params) -> AsyncIterator[Any]:
        """Yield the events of some topics from now on; what a slow client missed is an item ``{"gap": n}``."""
        patterns = params.texts("patterns") or ("*",)
        while True:
            try:
                subscription = self._bus.subscribe(*patterns)
            except ValueError as error:
                raise params.refuse(str(error)) from None
            with subscription:
                try:
                    async for item in subscription:
                        yield {"gap": item.lost} if isinstance(item, Gap) else item.to_json()
                except StreamOverflow:  # whoever looks on gets a gap, and goes on
                    yield {"gap": None}
                else:
                    return
