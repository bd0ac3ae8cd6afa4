"""How long bars are, and when they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from gatehook import Timeframe
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import SECOND

_LONG: Final = {Timeframe.D1: (1, 1), Timeframe.W1: (7, 7), Timeframe.MN1: (28, 31)}


def infer_timeframe(times: Sequence[int]) -> Timeframe:
    """Tell the timeframe from ascending opening times: the most common distance between two of them.

    Raises:
        ValueError: when there are fewer than two, or that distance is no timeframe.
    """
    distances = Counter(later - earlier for earlier, later in pairwise(times))
    if not distances:
        raise ValueError("there are fewer than two rows")
    distance = distances.most_common(1)[0][0]
    for timeframe in Timeframe:
        if timeframe.length == distance:
            return timeframe
    for timeframe, (shortest, longest) in _LONG.items():
        if shortest * DAY - HOUR <= distance <= longest * DAY + HOUR:  # a day may have 23 or 25 hours
            return timeframe
    raise ValueError(f"most of them are {distance / SECOND:g} seconds apart")


def end_of(start: int, timeframe: Timeframe, zone: ZoneInfo) -> int:
    """Return when the bar that opened at ``start`` ends, by the calendar of ``zone`` where it is a day or longer."""
    if timeframe.length is not None:
        return start + timeframe.length
    local = datetime.fromtimestamp(start // SECOND, zone).replace(tzinfo=None)
    if timeframe is Timeframe.MN1:
        end = _a_month_later(local)
    else:
        end = local + timedelta(days=1 if timeframe is Timeframe.D1 else 7)
    return int(end.replace(tzinfo=zone).timestamp()) * SECOND


def _a_month_later(day: datetime) -> datetime:
    year, month = divmod(day.year * 12 + day.month, 12)
    return day.replace(year=year, month=month + 1, day=1) + timedelta(days=day.day - 1)
