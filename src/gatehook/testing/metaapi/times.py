"""The two times of a terminal: UTC, and the broker's zone, in which days, weeks and months of candles begin."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND

#: Brokers keep Eastern European Time so that a trading week has five whole days.
ZONE: Final = ZoneInfo("EET")

_MINUTES: Final = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
_SATURDAY: Final = 5


def utc_text(ns: int) -> str:
    """Write a time as MetaApi does: UTC with milliseconds."""
    return f"{datetime.fromtimestamp(ns // SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{ns % SECOND // 1_000_000:03d}Z"


def broker_text(ns: int) -> str:
    """Write a time in the broker's zone, without saying which that is."""
    return f"{datetime.fromtimestamp(ns // SECOND, ZONE):%Y-%m-%d %H:%M:%S}.{ns % SECOND // 1_000_000:03d}"


def from_text(text: str) -> int:
    """Read an ISO 8601 time; without an offset it is UTC.

    Raises:
        ValueError: for text that is none.
    """
    moment = datetime.fromisoformat(text)
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(whole.replace(microsecond=0).timestamp()) * SECOND + whole.microsecond * 1000


def is_weekend(ns: int) -> bool:
    """Say whether it is Saturday or Sunday at the broker."""
    return datetime.fromtimestamp(ns // SECOND, ZONE).weekday() >= _SATURDAY


def opening(ns: int, timeframe: str) -> int:
    """Return when the candle that holds a moment opened."""
    minutes = _MINUTES.get(timeframe)
    if minutes is not None:
        return ns - ns % (minutes * MINUTE)
    return _long_opening(ns // SECOND, timeframe)


def closing(opened: int, timeframe: str) -> int:
    """Return when a candle ends and the next opens."""
    minutes = _MINUTES.get(timeframe)
    return opened + minutes * MINUTE if minutes is not None else _long_closing(opened // SECOND, timeframe)


@lru_cache(maxsize=4096)
def _long_opening(seconds: int, timeframe: str) -> int:
    return _at(_first(datetime.fromtimestamp(seconds, ZONE).replace(tzinfo=None), timeframe))


@lru_cache(maxsize=4096)
def _long_closing(seconds: int, timeframe: str) -> int:
    local = datetime.fromtimestamp(seconds, ZONE).replace(tzinfo=None)
    steps = {"4h": timedelta(hours=4), "1d": timedelta(days=1), "1w": timedelta(days=7), "1mn": timedelta(days=31)}
    return _at(_first(local + steps[timeframe], timeframe))


def _first(local: datetime, timeframe: str) -> datetime:
    """Return the first moment of the candle that a local time is in."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if timeframe == "4h":
        return midnight + timedelta(hours=local.hour // 4 * 4)
    if timeframe == "1w":
        return midnight - timedelta(days=(midnight.weekday() + 1) % 7)
    return midnight.replace(day=1) if timeframe == "1mn" else midnight


def _at(local: datetime) -> int:
    return int(local.replace(tzinfo=ZONE).timestamp()) * SECOND
