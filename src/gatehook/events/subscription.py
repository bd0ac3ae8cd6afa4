"""A consumer's end of the bus."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final
from typing import Self

from gatehook.events.event import FeedEvent
from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.market_data import conflation_key
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Sink
from gatehook.kinds.streams import StreamControl

_NEVER_LOST: Final = "account.order"


class Subscription:
    """Events of some topics, in the order they were published. One task reads it, by item or by batch.

    What was dropped is a ``Gap`` where it was; under ``Overflow.ERROR`` the reader gets ``StreamOverflow`` after what
    it could still have, and starts again from a snapshot or the journal.
    """

    def __init__(
        self,
        patterns: tuple[str, ...],
        *,
        overflow: Overflow | None,
        buffer: int,
        on_close: Callable[[Subscription], None],
    ) -> None:
        self.patterns = patterns
        account = any(pattern.startswith("account.") or matches(pattern, _NEVER_LOST) for pattern in patterns)
        if account and overflow not in (None, Overflow.ERROR):
            raise ValueError(f"account events are never conflated or dropped; {patterns} cannot have {overflow}")
        policy = overflow or (Overflow.ERROR if account else Overflow.DROP_OLDEST)
        self._sink = Sink[FeedEvent](overflow=policy, buffer=buffer, key=_conflation_key)
        self._on_close = on_close

    @property
    def conflated(self) -> int:
        """How many quotes were replaced by newer ones before they were read."""
        return self._sink.conflated

    @property
    def dropped(self) -> int:
        """How many events were dropped."""
        return self._sink.dropped

    @property
    def idle(self) -> bool:
        """Whether everything was taken and the reader waits for more, or the subscription is closed."""
        return self._sink.idle

    def matches(self, topic: str) -> bool:
        """Say whether events of ``topic`` come here."""
        return any(matches(pattern, topic) for pattern in self.patterns)

    def deliver(self, event: FeedEvent) -> None:
        """Take an event from the bus; a subscription that overflows closes itself."""
        try:
            self._sink.put(event)
        except StreamOverflow:  # its reader gets it; the publisher is not to blame
            self.close()

    async def drained(self) -> None:
        """Wait until it is idle."""
        await self._sink.drained()

    async def batch(self) -> list[FeedEvent | Gap]:
        """Wait for events and return all there are, at least one; an empty list once it is closed and read to its end.

        Raises:
            StreamOverflow: under ``Overflow.ERROR``, when this reader fell a whole buffer behind.
        """
        try:
            return [_event_or_gap(item) for item in await self._sink.next_batch()]
        except StopAsyncIteration:
            return []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FeedEvent | Gap:
        item, _ = await self._sink.next_item()
        return _event_or_gap(item)

    def close(self) -> None:
        """Get no more events; what waits can still be read."""
        self._on_close(self)
        self._sink.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def matches(pattern: str, topic: str) -> bool:
    """Say whether ``topic`` is the pattern, or below it where the pattern ends in ``*``."""
    return topic.startswith(pattern[:-1]) if pattern.endswith("*") else topic == pattern


def _event_or_gap(item: FeedEvent | StreamControl) -> FeedEvent | Gap:
    assert isinstance(item, (FeedEvent, Gap)), "the bus puts in events only; the sink adds gaps"
    return item


def _conflation_key(item: FeedEvent | StreamControl) -> object:
    if not isinstance(item, FeedEvent):
        return None
    key = conflation_key(item.payload)
    return None if key is None else (item.topic, item.source, key)
