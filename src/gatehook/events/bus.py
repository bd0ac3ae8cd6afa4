"""The bus inside the process: publishing is a plain call, subscriptions drain in batches."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any
from typing import Final
from uuid import uuid4

import anyio

from gatehook.clocks import SystemClock
from gatehook.context import Clock
from gatehook.events.event import FeedEvent
from gatehook.events.subscription import Subscription
from gatehook.kinds.streams import Overflow
from gatehook.kinds.times import Ns

_TOPIC: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\Z")
_PATTERN: Final = re.compile(r"([a-z0-9_-]+\.)*(\*|[a-z0-9_-]+)\Z")
_ROUTES: Final = 4096

_Route = tuple[tuple[Callable[[FeedEvent], None], ...], bool]


class EventBus:
    """Carries events from publishers to subscriptions of the same event loop. It has no task and no thread of its
    own.
    """

    def __init__(self, clock: Clock | None = None, *, remembered: int = 65_536, partitions: int = 65_536) -> None:
        """Make a bus that knows the last ``remembered`` event ids given by publishers, and counts ``partitions``
        partitions.
        """
        self._clock = clock or SystemClock()
        self._subscriptions: list[Subscription] = []
        self._observers: list[Callable[[FeedEvent], object]] = []
        self._routes: dict[str, _Route] = {}
        self._known: set[str] = set()
        self._known_order: deque[str] = deque()
        self._remembered = remembered
        self._sequences: dict[str, int] = {}
        self._partitions = partitions
        self._floor = 0
        self._prefix = f"{uuid4().hex[:12]}-"
        self._made = 0

    def publish(
        self,
        topic: str,
        payload: Any,
        *,
        source: str,
        event_id: str | None = None,
        partition_key: str = "",
        symbol: str | None = None,
        timeframe: str | None = None,
        account_id: str | None = None,
        trace_id: str | None = None,
        ts: Ns | None = None,
    ) -> FeedEvent | None:
        """Hand an event to every subscription of its topic, at once; ``None`` when its ``event_id`` was seen before.

        Without a ``partition_key`` the symbol is the partition, else the account, else the topic. Call it from the
        loop's thread. ``ts`` is now, in market time, where it is not given.

        Raises:
            ValueError: for a topic that is not dotted words of a-z, 0-9, ``_`` and ``-``.
        """
        route = self._routes.get(topic)
        if route is None:
            route = self._find_route(topic)
        if event_id is None:
            self._made += 1
            event_id = f"{self._prefix}{self._made}"
        elif not self._is_new(event_id):
            return None
        partition = partition_key or symbol or account_id or topic
        event = FeedEvent(
            event_id=event_id,
            ts=self._clock.now() if ts is None else ts,
            source=source,
            topic=topic,
            partition_key=partition,
            sequence=self._next_in(partition),
            symbol=symbol,
            timeframe=timeframe,
            account_id=account_id,
            trace_id=trace_id,
            payload=payload,
        )
        deliveries, is_control = route
        for deliver in deliveries:
            deliver(event)
        if is_control:
            for observe in self._observers:
                observe(event)
        return event

    def _is_new(self, event_id: str) -> bool:
        if event_id in self._known:
            return False
        self._known.add(event_id)
        self._known_order.append(event_id)
        if len(self._known_order) > self._remembered:
            self._known.discard(self._known_order.popleft())
        return True

    def _next_in(self, partition: str) -> int:
        sequence = self._sequences.get(partition)
        if sequence is None:
            sequence = self._floor
            if len(self._sequences) >= self._partitions:
                self._forget_partitions()
                sequence = self._floor
        sequence += 1
        self._sequences[partition] = sequence
        return sequence

    def _forget_partitions(self) -> None:
        # A partition that comes back goes on above every number given before: a sequence never goes back.
        self._floor = max(self._sequences.values())
        self._sequences.clear()

    def _find_route(self, topic: str) -> _Route:
        if _TOPIC.match(topic) is None:
            raise ValueError(f"not a topic: {topic!r}; write dotted words of a-z, 0-9, _ and -, like market.price.tick")
        if len(self._routes) >= _ROUTES:
            self._routes.clear()
        deliveries = tuple(one.deliver for one in self._subscriptions if one.matches(topic))
        route = self._routes[topic] = (deliveries, not topic.startswith("market."))
        return route

    def subscribe(self, *patterns: str, overflow: Overflow | None = None, buffer: int = 4096) -> Subscription:
        """Get the events published from now on whose topic is one of ``patterns``, or below one that ends in ``.*``.

        Without ``overflow`` the oldest are dropped when ``buffer`` events wait; where a pattern covers ``account.*``,
        which never conflates or drops, the reader gets ``StreamOverflow``.

        Raises:
            ValueError: for no pattern, a malformed one, or account events that would be conflated or dropped.
        """
        if not patterns:
            raise ValueError('a subscription names at least one topic; "*" is all of them')
        for pattern in patterns:
            if _PATTERN.match(pattern) is None:
                raise ValueError(
                    f'not a topic or a pattern: {pattern!r}; write "market.price.tick", "account.*" or "*"'
                )
        subscription = Subscription(patterns, overflow=overflow, buffer=buffer, on_close=self._remove)
        self._subscriptions.append(subscription)
        self._routes.clear()
        return subscription

    def _remove(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._routes.clear()

    def on_control(self, callback: Callable[[FeedEvent], object]) -> None:
        """Call ``callback`` for every event that is not of ``market.*``, in the publisher's own call: it is quick and
        raises nothing.
        """
        self._observers.append(callback)

    async def settled(self, timeout: float) -> bool:
        """Wait until every subscription is empty and its reader waits for more; ``False`` after ``timeout`` seconds.

        A reader that publishes is waited for too. Called by a reader itself, it can only time out.
        """
        with anyio.move_on_after(timeout):
            while busy := [one for one in self._subscriptions if not one.idle]:
                await busy[0].drained()
            return True
        return False
