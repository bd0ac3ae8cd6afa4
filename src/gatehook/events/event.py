"""The record that travels on the bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from gatehook.kinds.times import Ns
from gatehook.kinds.times import to_rfc3339


@attrs.frozen(kw_only=True)
class FeedEvent:
    """One thing that happened.

    Attributes:
        event_id: its identity; a second event with the same id is dropped.
        ts: when it happened, market time in nanoseconds UTC.
        source: the entry, or the part of the gateway, that says so.
        topic: dotted, from the general to the particular: ``market.candle.closed``.
        partition_key: order is kept within a partition.
        sequence: its place in the partition, counted from 1.
        payload: a domain object of ``gatehook.kinds``, or a mapping of JSON values.
    """

    event_id: str
    ts: Ns
    source: str
    topic: str
    partition_key: str
    sequence: int
    symbol: str | None = None
    timeframe: str | None = None
    account_id: str | None = None
    trace_id: str | None = None
    payload: Any

    def to_json(self) -> Mapping[str, Any]:
        """Return plain JSON values; the time is RFC 3339."""
        from gatehook.kinds.codec import to_json

        return {
            "event_id": self.event_id,
            "ts": to_rfc3339(self.ts),
            "source": self.source,
            "topic": self.topic,
            "partition_key": self.partition_key,
            "sequence": self.sequence,
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "account_id": self.account_id,
            "trace_id": self.trace_id,
            "payload": to_json(self.payload) if attrs.has(type(self.payload)) else self.payload,
        }
